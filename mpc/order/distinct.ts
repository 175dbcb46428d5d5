import { Misuse } from '../../protocol/errors.ts';
import { lanesFor } from '../boolean/bits.ts';
import { distinctCircuit } from '../boolean/circuits/distinct.ts';
import { computingCost } from '../boolean/cost.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import { bitAt, integersOf } from '../boolean/rows.ts';
import type { ReleaseCost } from '../release.ts';

/** A distinct count by bitmaps: the same at all hospitals. */
export interface DistinctSketch {
  readonly groups: number;
  /** m: bits of a bitmap. */
  readonly bits: number;
  /** The fewest set bits that may open, from 1. */
  readonly minimum: number;
}

/**
 * The number of set bits in the OR of all hospitals' bitmaps, for each group, or undefined where it is below the minimum: for
 * linear counting (Whang, Vander-Zanden, Taylor, ACM TODS 1990), where an identifier sets the bit that a keyed hash chooses
 * and V = set / m estimates -m ln(1 - V) distinct ones. `bitmaps` are this hospital's, of m bits each, packed with the least
 * significant bit first.
 *
 * What is below the minimum becomes zero before anything opens. A hospital that lies can only set bits.
 *
 * Cost: `distinctCost`; about n + 0.4 triples for each bit. Leaks: the numbers returned.
 */
export async function countDistinct(
  session: Evaluator,
  sketch: DistinctSketch,
  bitmaps: readonly Uint8Array[],
): Promise<(number | undefined)[]> {
  const { groups, bits } = sketch;
  if (bitmaps.length !== groups || bitmaps.some(({ length }) => length !== Math.ceil(bits / 8))) {
    throw new Misuse('MALFORMED', 'one bitmap of the agreed length for each group');
  }
  if (groups === 0) return [];
  const circuit = circuitOf(session.roster.length, sketch);
  const row = new Uint8Array(lanesFor(bits * groups) / 8);
  bitmaps.forEach((bitmap, group) => {
    for (let bit = 0, lane = group; bit < bits; bit++, lane += groups) {
      if (bitAt(bitmap, bit)) row[lane >> 3]! |= 1 << (lane & 7);
    }
  });
  const opened = await session.compute(circuit, [row]);
  return integersOf(opened, groups).map((count) => (count === 0 ? undefined : count));
}

/** Cost of `countDistinct`, at the hospital in place `self` of the roster. */
export function distinctCost(roster: readonly string[], sketch: DistinctSketch, self = 0): ReleaseCost {
  const circuit = circuitOf(roster.length, sketch);
  const cost = computingCost(circuit, roster, self);
  return { ...cost, ands: circuit.ands, depth: circuit.depth };
}

function circuitOf(parties: number, { groups, bits, minimum }: DistinctSketch) {
  const whole = [groups, bits, minimum].every(Number.isInteger);
  if (!whole || groups < 1 || bits < 2 || bits > 2 ** 24 || minimum < 1 || minimum > bits) {
    throw new Misuse(
      'OUT_OF_RANGE',
      'a sketch has 2 to 2^24 bits, of which from 1 to all must be set before any opens',
    );
  }
  return distinctCircuit(parties, groups, bits, minimum);
}
