// One JIFF party: shares a vector, adds what it holds of all three, and opens the sum; or opens it where it reaches a threshold. Options are JIFF's own defaults: Shamir
// shares over its 24-bit field, messages sealed by libsodium. The server deals the zero shares that opening consumes, which is
// the fastest way that JIFF has, and trusts the server where ours does not.
const { JIFFClient } = require('jiff-mpc');

process.once('disconnect', () => process.exit());
const [url, party] = process.argv.slice(2);
const jiff = new JIFFClient(url, 'sum', {
  party_count: 3,
  party_id: Number(party),
  crypto_provider: true,
  onConnect: () => process.send('connected'),
});

process.on('message', async ({ length, threshold }) => {
  const own = Array.from({ length }, (_, i) => Number(party) * 1000 + i);
  const shares = await jiff.share_array(own, length);
  const sums = shares[1].map((share, i) => share.sadd(shares[2][i]).sadd(shares[3][i]));
  const shown = threshold === undefined ? sums : sums.map((sum) => sum.cgteq(threshold).smult(sum));
  const opened = await jiff.open_array(shown);
  const expected = (i) => (threshold === undefined || 6000 + 3 * i >= threshold ? 6000 + 3 * i : 0);
  process.send(opened.every((value, i) => value === expected(i)) ? 'opened' : 'wrong');
});
