import { CircuitBuilder, constantBits, widthOf, type Bits } from '../builder.ts';
import type { Circuit } from '../circuit.ts';
import { choose, ordered } from '../gadgets/choose.ts';
import { atLeast } from '../gadgets/compare.ts';
import { topBit } from '../gadgets/sum.ts';

export interface DominanceParameters {
  readonly parties: number;
  /** p of the p%-rule. */
  readonly percent: number;
  /** The greatest sum of magnitudes of one hospital, and the greatest single magnitude. */
  readonly greatestTotal: bigint;
  readonly greatestValue: bigint;
  readonly lanes: number;
}

/** The rule as whole numbers without a common divisor: scale (T - M1 - M2) >= factor M1. */
export function dominanceFactors(percent: number): { scale: bigint; factor: bigint } {
  let [a, b] = [100, percent];
  while (b > 0) [a, b] = [b, a % b];
  return { scale: BigInt(100 / a), factor: BigInt(percent / a) };
}

export const dominanceWidths = ({ percent, greatestTotal, greatestValue }: DominanceParameters) => ({
  total: widthOf(dominanceFactors(percent).scale * greatestTotal),
  value: widthOf(greatestValue),
});

/**
 * The circuit of the p%-rule (docs/boolean.md §7): one output, 1 where the sum passes. Each hospital enters its total times
 * `scale`, its largest and its second largest magnitude, in this order.
 *
 * Few sums are guarded so, of many bits each: it is built for few rounds. The two largest of all come from merging sorted pairs in a tree; multiples of them are sums of shifted copies.
 */
export function dominanceCircuit(parameters: DominanceParameters): Circuit {
  const { parties, percent, greatestTotal, greatestValue, lanes } = parameters;
  const { scale, factor } = dominanceFactors(percent);
  const widths = dominanceWidths(parameters);
  const builder = new CircuitBuilder();
  const totals: Bits[] = [];
  let pairs: { first: Bits; second: Bits }[] = [];
  for (let party = 0; party < parties; party++) {
    totals.push(builder.inputs(party, lanes, widths.total));
    const [first, second] = [0, 1].map(() => builder.inputs(party, lanes, widths.value));
    pairs.push({ first: first!, second: second! });
  }
  while (pairs.length > 1) {
    const merged = pairs.splice(0, 2);
    pairs = [...pairs, mergeTopTwo(builder, merged[0]!, merged[1]!)];
  }
  const { first, second } = pairs[0]!;
  const largest = (2n * scale + factor) * greatestValue;
  const all = BigInt(parties) * scale * greatestTotal;
  const width = widthOf(largest > all ? largest : all) + 1;
  const left = [
    ...totals,
    ...timesNegative(builder, first, scale + factor, width),
    ...timesNegative(builder, second, scale, width),
  ];
  return builder.build([builder.not(topBit(builder, left, width, 'rounds'))]);
}

/** The two largest of two sorted pairs. Cost for w bits: about 9 w ANDs, depth 2 log2 w + 4. */
function mergeTopTwo(
  builder: CircuitBuilder,
  a: { first: Bits; second: Bits },
  b: { first: Bits; second: Bits },
): { first: Bits; second: Bits } {
  const aWins = atLeast(builder, a.first, b.first, 'rounds');
  const first = choose(builder, aWins, a.first, b.first);
  const loser = a.first.map((bit, i) => builder.xor(builder.xor(bit, b.first[i]!), first[i]!));
  const runnerUp = choose(builder, aWins, a.second, b.second);
  return { first, second: ordered(builder, loser, runnerUp, 'rounds').greater };
}

/** Summands that add up to -factor x modulo 2^width: a shifted copy for each digit of the factor's non-adjacent form. */
function timesNegative(builder: CircuitBuilder, x: Bits, factor: bigint, width: number): Bits[] {
  const rows: Bits[] = [];
  let offset = 0n;
  for (const { shift, negative } of nonAdjacentForm(factor)) {
    const below = Array.from({ length: shift }, () => false);
    if (negative) {
      rows.push([...below, ...x]);
      continue;
    }
    // -x = NOT x - (2^w - 1) for w bits.
    rows.push([...below, ...x.map((bit) => builder.not(bit))]);
    offset -= ((1n << BigInt(x.length)) - 1n) << BigInt(shift);
  }
  return [...rows, constantBits(BigInt.asUintN(width, offset), width)];
}

function nonAdjacentForm(value: bigint): { shift: number; negative: boolean }[] {
  const digits: { shift: number; negative: boolean }[] = [];
  for (let rest = value, shift = 0; rest > 0n; rest >>= 1n, shift++) {
    if ((rest & 1n) === 0n) continue;
    const negative = (rest & 3n) === 3n;
    digits.push({ shift, negative });
    rest += negative ? 1n : -1n;
  }
  return digits;
}
