import { COLUMNS, type Block, type Columns } from './cot.ts';
import type { Workbench } from './workbench.ts';

const ROW = 16;

/** Where in its string of a block a party's bits begin, a multiple of 128; undefined for a party that has none. */
export type FirstOf = (party: string) => number | undefined;

/**
 * The one tag that stands for all pairwise tags and keys of a shared bit (docs/preprocessing.md §1),
 *
 *     m_i = x_i Delta_i + sum over peers k of (K_i[x_k] + M_k[x_i]),
 *
 * for `count` bits of a block, a multiple of 128, to which each party contributes those of its string from `firstOf(party)` on.
 * Sums columns, so there is one transposition whatever the number of peers. Writes `count` rows to `rows`.
 */
export function compressTags(
  { workspace, keyBits, transport }: Workbench,
  block: Block,
  firstOf: FirstOf,
  count: number,
  rows: number,
): void {
  const mark = workspace.mark();
  const bytes = count / 8;
  // A little apart, so that the 128 columns do not fall into the same sets of the cache.
  const stride = bytes + ROW;
  const sum = workspace.take(COLUMNS * stride);
  workspace.clear(sum, COLUMNS * stride);
  const sources: Columns[] = [];
  const from = ({ at, stride }: Columns, first: number): void => void sources.push({ at: at + first / 8, stride });
  for (const peer of transport.peers) {
    const first = firstOf(peer);
    if (first !== undefined) from(block.keys.get(peer)!, first);
  }
  const own = firstOf(transport.self);
  if (own !== undefined) for (const tags of block.tags.values()) from(tags, own);
  for (let b = 0; b < COLUMNS; b++) {
    const column = sum + b * stride;
    for (const source of sources) workspace.kernels.addInto(column, source.at + b * source.stride, bytes);
    if (own !== undefined) workspace.kernels.addTimes(column, block.bits.at + own / 8, keyBits[b]!, bytes);
  }
  workspace.kernels.transpose(rows, sum, stride, count);
  workspace.release(mark);
}
