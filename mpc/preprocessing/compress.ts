import { COLUMNS, type Block, type Columns } from './cot.ts';
import type { Workbench } from './workbench.ts';

const ROW = 16;

/** Who has bits in a block, or in a part of it. */
export interface Holders {
  readonly self: boolean;
  readonly peers: readonly string[];
}

/**
 * The one tag that stands for all pairwise tags and keys of a shared bit (docs/preprocessing.md §1),
 *
 *     m_i = x_i Delta_i + sum over peers k of (K_i[x_k] + M_k[x_i]),
 *
 * for `count` bits of a block from `first` on, multiples of 128, where `holders` have the bits (all others have none). Sums
 * columns, so there is one transposition whatever the number of peers. Writes `count` rows to `rows`.
 */
export function compressTags(
  { workspace, keyBits }: Workbench,
  block: Block,
  holders: Holders,
  first: number,
  count: number,
  rows: number,
): void {
  const mark = workspace.mark();
  const bytes = count / 8;
  // A little apart, so that the 128 columns do not fall into the same sets of the cache.
  const stride = bytes + ROW;
  const sum = workspace.take(COLUMNS * stride);
  workspace.clear(sum, COLUMNS * stride);
  const sources: Columns[] = holders.peers.map((peer) => block.keys.get(peer)!);
  if (holders.self) sources.push(...block.tags.values());
  for (let b = 0; b < COLUMNS; b++) {
    const column = sum + b * stride;
    for (const source of sources) workspace.kernels.addInto(column, source.at + b * source.stride + first / 8, bytes);
    if (holders.self) workspace.kernels.addTimes(column, block.bits.at + first / 8, keyBits[b]!, bytes);
  }
  workspace.kernels.transpose(rows, sum, stride, count);
  workspace.release(mark);
}
