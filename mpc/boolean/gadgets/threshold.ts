import { constantBits, publicBits, widthOf, type Bits, type CircuitBuilder, type Signal } from '../builder.ts';
import type { Thrift } from './carry.ts';
import { sum } from './sum.ts';

/** A public threshold: one for all lanes, or one for each (lanes past the last have 1). */
export type Threshold = bigint | readonly bigint[];

/**
 * [sum of the numbers >= k]. The public number 2^m - k is one more summand, with m such that bit m of the sum is the
 * answer: the comparison costs hardly more than the sum.
 *
 * `greatest` is the largest sum that occurs. A sum above it, which only a party that lies can cause, gives an arbitrary bit.
 */
export function reaches(
  circuit: CircuitBuilder,
  numbers: readonly Bits[],
  greatest: bigint,
  threshold: Threshold,
  lanes: number,
  thrift: Thrift = 'triples',
): Signal {
  const all = typeof threshold === 'bigint' ? [threshold] : padded(threshold, lanes);
  const least = all.reduce((a, b) => (a < b ? a : b));
  const most = all.reduce((a, b) => (a > b ? a : b));
  if (greatest < least) return false;
  const m = carryPlace(greatest, least, most);
  const offsets = all.map((k) => (1n << BigInt(m)) - k);
  const offset = typeof threshold === 'bigint' ? constantBits(offsets[0]!, m + 1) : publicBits(offsets, m + 1, lanes);
  return sum(circuit, [...numbers, offset], m + 1, thrift)[m]!;
}

/**
 * The m for which the sum and 2^m - k reach 2^m just when the sum reaches k, and never 2^(m + 1): for thresholds from `least` to `most` and
 * sums up to `greatest`.
 */
export const carryPlace = (greatest: bigint, least: bigint, most: bigint): number =>
  Math.max(widthOf(greatest - least), widthOf(most - 1n));

const padded = (values: readonly bigint[], lanes: number): bigint[] => [
  ...values,
  ...Array.from({ length: lanes - values.length }, () => 1n),
];
