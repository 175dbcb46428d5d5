import { Abort } from '../../protocol/errors.ts';
import type { Workspace } from '../bitkernels/load.ts';
import { commitAndOpen, tossCoin } from '../boolean/coin.ts';
import { multiply, PolynomialHash } from '../boolean/universal-hash.ts';
import type { Workbench } from './workbench.ts';

const ROW = 16;
const CHUNK = 2048;
/** Shared random bits that hide the sum of the products. */
export const HIDING_BITS = 128;

/** Triples in the workspace, as `fileTriples` of the bit kernels writes them. */
export interface Records {
  readonly at: number;
  readonly yBytes: number;
  readonly count: number;
}

export const RECORD_BYTES = 48;

/**
 * Proves that the tags of all products add up to z Delta (docs/preprocessing.md §6): with weights from a joint coin
 * tossed after all messages, the weighted sum of the bits z, hidden by random shared bits, is broadcast; then the weighted sum
 * of the tags, less that times Delta_i, is committed to and opened: all of it must add up to zero.
 *
 * Does not prove that no x_j was guessed: a wrong message goes unnoticed when the bit it depends on is as guessed, half of the
 * time, and then that bit is known.
 *
 * Cost: five rounds, 288 bytes to each peer. Errors: `Abort TRIPLE_CHECK`, which names nobody.
 */
export async function checkProducts(
  bench: Workbench,
  round: string,
  hiding: Uint8Array,
  records: Records,
): Promise<void> {
  const { transport, broadcasts, workspace, random, setup } = bench;
  const key = (await tossCoin(transport, `${round}/products/weights`, random)).subarray(0, ROW);
  const { tags, values } = weigh(workspace, key, hiding, records);
  const { messages } = await broadcasts.round(values);
  const rest = addUp([tags, multiply(addUp(messages), setup.keyShare)]);
  await checkZero(bench, `${round}/products/zero`, 'TRIPLE_CHECK', rest);
}

/** All parties' 16 bytes must add up to zero; none can choose its own after seeing others'. */
export async function checkZero(
  { transport, random }: Workbench,
  round: string,
  code: 'TRIPLE_CHECK' | 'MAC_CHECK',
  share: Uint8Array,
): Promise<void> {
  const shares = await commitAndOpen(transport, round, random, share);
  if (addUp([...shares.values()]).some((byte) => byte !== 0)) {
    throw new Abort(code, 'the tags of the preprocessing do not add up: somebody sent a wrong message', {
      round,
      hint: 'Nothing depends on a secret yet. The setup with this roster must not be used again.',
    });
  }
}

function weigh(
  workspace: Workspace,
  key: Uint8Array,
  hiding: Uint8Array,
  { at, count }: Records,
): { tags: Uint8Array; values: Uint8Array } {
  const mark = workspace.mark();
  const [tags, values] = [workspace.take(ROW * CHUNK), workspace.take(ROW * CHUNK)];
  const [tagHash, valueHash] = [new PolynomialHash(key).update(hiding), new PolynomialHash(key).update(lowest(hiding))];
  for (let first = 0; first < count; first += CHUNK) {
    const n = Math.min(CHUNK, count - first);
    workspace.kernels.readProducts(tags, values, at + RECORD_BYTES * first, n);
    tagHash.update(workspace.view(tags, ROW * n));
    valueHash.update(workspace.view(values, ROW * n));
  }
  workspace.release(mark);
  return { tags: tagHash.finish(), values: valueHash.finish() };
}

/** The lowest bits of rows as elements of GF(2^128), where 1 is the highest bit of the first byte. */
function lowest(rows: Uint8Array): Uint8Array {
  return rows.map((_, i) => (i % ROW === 0 ? (rows[i]! & 1) << 7 : 0));
}

function addUp(elements: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(ROW);
  for (const element of elements) for (let i = 0; i < ROW; i++) sum[i]! ^= element[i]!;
  return sum;
}
