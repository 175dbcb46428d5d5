import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import { commitTo } from '../boolean/coin.ts';
import type { Block, Columns } from './cot.ts';
import type { Workbench } from './workbench.ts';

/** A key that differs between two honest peers goes unnoticed with probability 2^-128. */
export const REPETITIONS = 128;
const ROW = 16;
const HASH = 32;

/**
 * Proves that every party put one and the same Delta_i into its base transfers with all peers (docs/preprocessing.md §5; Wang,
 * Ranellucci, Katz, CCS 2017, protocol aShare). For each of 128 random shared bits P_i commits to both values that
 * the sum of the tags on its peers' bits can have,
 *
 *     K = XOR_k K_i[x_k]   and   K + Delta_i,
 *
 * then all bits and tags are opened, and P_i opens the value that the sum of its peers' bits names. Had it used Delta_i
 * towards one honest peer and Delta_i' towards another, each of its two values would fit at most half of the bits these
 * peers may have. The bits are the first 128 of a block that passed `checkBlock`; they serve for nothing else.
 *
 * Cost: four rounds, 14,512 bytes and 2048 (n - 1) to each peer. Errors: `Abort KEY_CHECK` names the party whose tags or values do not fit, `Abort COMMITMENT`.
 */
export async function checkKeys(bench: Workbench, block: Block): Promise<void> {
  const { transport, broadcasts, workspace, random, setup } = bench;
  const round = 'setup/keys';
  const { self, session } = transport;
  const ownBits = workspace.copy(block.bits.at, REPETITIONS / 8);
  const rows = (columns: Columns): Uint8Array => {
    const at = workspace.take(ROW * REPETITIONS);
    workspace.kernels.transpose(at, columns.at, columns.stride, REPETITIONS);
    return workspace.copy(at, ROW * REPETITIONS);
  };
  const peersOf = (party: string): readonly string[] => setup.roster.filter((each) => each !== party);
  const tags = new Map(peersOf(self).map((peer) => [peer, rows(block.tags.get(peer)!)]));
  const keys = new Map(peersOf(self).map((peer) => [peer, rows(block.keys.get(peer)!)]));

  const values = [sumRows([...keys.values()]), new Uint8Array(0)] as [Uint8Array, Uint8Array];
  values[1] = addKey(values[0], setup.keyShare, () => 1);
  const randomness = [random(HASH * REPETITIONS), random(HASH * REPETITIONS)] as const;
  const commitmentTo = (party: string, bit: 0 | 1, r: number, secret: Uint8Array, value: Uint8Array): Uint8Array =>
    commitTo(session, `${round}/${r}/${bit}`, party, secret, value);
  const commitments = concatBytes(
    ...[0, 1].flatMap((bit) =>
      range(REPETITIONS).map((r) =>
        commitmentTo(self, bit as 0 | 1, r, at(randomness[bit]!, r, HASH), at(values[bit]!, r, ROW)),
      ),
    ),
  );
  const { messages: committed } = await broadcasts.round(commitments);

  const opening = concatBytes(ownBits, ...peersOf(self).map((peer) => tags.get(peer)!));
  const { messages: opened } = await broadcasts.round(opening);
  const said = (messages: readonly Uint8Array[], party: string): Uint8Array => messages[setup.roster.indexOf(party)]!;
  const bitsOf = (party: string): Uint8Array => said(opened, party).subarray(0, REPETITIONS / 8);
  /** The tags on `holder`'s bits under `keeper`'s key, as `holder` states them. */
  const tagsOf = (holder: string, keeper: string): Uint8Array => {
    const place = peersOf(holder).indexOf(keeper);
    return at(said(opened, holder).subarray(REPETITIONS / 8), place, ROW * REPETITIONS);
  };
  for (const peer of peersOf(self)) {
    const expected = addKey(keys.get(peer)!, setup.keyShare, (r) => bitAt(bitsOf(peer), r));
    if (!equalBytes(expected, tagsOf(peer, self))) {
      throw new Abort('KEY_CHECK', `${peer} opened a tag that is not that of its bit`, { party: peer, round });
    }
  }

  const named = (party: string, r: number): 0 | 1 =>
    peersOf(party).filter((peer) => bitAt(bitsOf(peer), r) === 1).length % 2 === 1 ? 1 : 0;
  const answers = concatBytes(
    ...range(REPETITIONS).flatMap((r) => {
      const bit = named(self, r);
      return [at(randomness[bit], r, HASH), at(values[bit], r, ROW)];
    }),
  );
  const { messages: answered } = await broadcasts.round(answers);
  for (const peer of peersOf(self)) {
    const expected = sumRows(peersOf(peer).map((holder) => tagsOf(holder, peer)));
    for (const r of range(REPETITIONS)) {
      const bit = named(peer, r);
      const answer = at(said(answered, peer), r, HASH + ROW);
      const [secret, value] = [answer.subarray(0, HASH), answer.subarray(HASH)];
      const commitment = at(said(committed, peer), REPETITIONS * bit + r, HASH);
      if (!equalBytes(commitmentTo(peer, bit, r, secret, value), commitment)) {
        throw new Abort('COMMITMENT', `${peer} opened something else than it committed to`, { party: peer, round });
      }
      if (!equalBytes(value, at(expected, r, ROW))) {
        throw new Abort('KEY_CHECK', `${peer} does not use one global key towards all`, { party: peer, round });
      }
    }
  }
  // All heard the same.
  await broadcasts.round(new Uint8Array(0));
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const at = (list: Uint8Array, place: number, length: number): Uint8Array =>
  list.subarray(length * place, length * (place + 1));
const bitAt = (bits: Uint8Array, place: number): number => (bits[place >> 3]! >> (place & 7)) & 1;

function sumRows(lists: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(ROW * REPETITIONS);
  for (const list of lists) for (let i = 0; i < sum.length; i++) sum[i]! ^= list[i]!;
  return sum;
}

/** rows_r + bit(r) * key. */
function addKey(rows: Uint8Array, key: Uint8Array, bit: (r: number) => number): Uint8Array {
  return rows.map((byte, i) => byte ^ (key[i % ROW]! & -bit(Math.floor(i / ROW))));
}
