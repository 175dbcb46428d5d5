import { BLOCK_BITS } from '../boolean/bits.ts';
import { collectNarrow, holderCount, WIDE, type Factors } from '../boolean/holders.ts';
import type { StockDemand } from '../boolean/stock.ts';
import { planBatches, type Batch } from './bucket.ts';

/** Triples of one kind, made and bucketed together. */
export interface Part extends Batch {
  readonly factors: Factors;
}

/** Leaky triples that parts of a batch have together at most; a part alone may have more. */
const BATCH_LIMIT = 1_200_000;

/**
 * What is made for a demand: batches of parts, each part of one kind and with buckets of its own.
 *
 * Narrow triples are only made beside wide ones: that the lowest bits of Delta_i add up to one shows in products of bits of all
 * (docs/preprocessing.md §6).
 */
export function planTriples({ triples, narrow = [] }: StockDemand, parties: number): readonly (readonly Part[])[] {
  const kinds = collectNarrow(
    narrow
      .filter(({ factors }) => holderCount(factors.a) < parties)
      .map(({ factors, count }) => ({ factors, count: wholeLanes(count) })),
  );
  const ofKinds = kinds.reduce((sum, { count }) => sum + count, 0);
  const wide = wholeLanes(triples) - ofKinds;
  const parts: Part[] = [];
  const add = (factors: Factors, count: number): void => {
    for (const batch of planBatches(count)) parts.push({ ...batch, factors });
  };
  add(WIDE, wide > 0 ? wide : wholeLanes(triples));
  if (wide > 0) for (const { factors, count } of kinds) add(factors, count);
  return packed(parts);
}

function packed(parts: readonly Part[]): Part[][] {
  const batches: Part[][] = [];
  let room = 0;
  for (const part of parts) {
    const leaky = part.count * part.size;
    if (leaky > room) {
      batches.push([]);
      room = BATCH_LIMIT;
    }
    batches.at(-1)!.push(part);
    room -= leaky;
  }
  return batches;
}

const wholeLanes = (count: number): number => Math.ceil(count / BLOCK_BITS) * BLOCK_BITS;
