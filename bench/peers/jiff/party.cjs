// One JIFF party: shares a vector, adds what it holds of all three, opens the sum. Options are JIFF's own defaults: Shamir
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

process.on('message', async (length) => {
  const own = Array.from({ length }, (_, i) => Number(party) * 1000 + i);
  const shares = await jiff.share_array(own, length);
  const sums = shares[1].map((share, i) => share.sadd(shares[2][i]).sadd(shares[3][i]));
  const opened = await jiff.open_array(sums);
  process.send(opened.every((value, i) => value === 6000 + 3 * i) ? 'opened' : 'wrong');
});
