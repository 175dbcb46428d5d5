import { Misuse } from '../protocol/errors.ts';
import { lanesFor } from './boolean/bits.ts';
import { widthOf } from './boolean/builder.ts';
import type { Circuit } from './boolean/circuit.ts';
import { releaseCircuit, type Field, type FieldBit, type ReleaseParameters } from './boolean/circuits/release.ts';
import { computingCost, type Cost } from './boolean/cost.ts';
import type { Evaluator } from './boolean/evaluator.ts';
import { bitAt } from './boolean/rows.ts';

/** Which counts may open, decided on shares. A guard is a count behind one or more numbers of the answer. */
export interface GuardRule {
  /** k: the fewest patients a count may tell of. One for all guards, or one for each. */
  readonly minimumCell: number | readonly number[];
  /** t: hospitals that may put what they know together and still find no count below k. 0 turns the insider rule off. */
  readonly coalition: number;
  /** Whether a count of zero may open. */
  readonly zeroCells: 'open' | 'withhold';
  /** Hospitals that must have a count above zero; default 0, any number. A count of zero has none, so it fails. */
  readonly minimumContributors?: number;
}

/** Greatest coalition that is offered. */
export const COALITION_LIMIT = 3;

/**
 * Decides which guards pass, without showing any count or sum: a guard passes if
 *
 *     total >= k, or total = 0 and zero cells open, and
 *     for every set of at most t hospitals: the total without theirs is 0 or >= k, and
 *     at least h hospitals have a count above 0
 *
 * where the total is the sum of all hospitals' counts. `counts` are this hospital's, one for each guard. The answer is the
 * same at all hospitals.
 *
 * Liars. A hospital may enter anything. With t >= 1 that gains it nothing: for every set T of t hospitals the circuit tests
 * a sum into which their inputs do not enter, or (for n - t > 2) the total less the t greatest values, which is at most
 * the rest without T whatever T enters; or it finds at most t hospitals present, and then none of the honest has a
 * count between 0 and k. So if the guard passes, the counts of the hospitals outside any coalition of t add up to zero
 * or to k and more. A liar can only withhold a cell, as it can by claiming no patients. With t = 0 one liar can let any cell
 * through. The number of contributors is as the hospitals claim it.
 *
 * Cost: `releaseCost`. Leaks: which guards pass. Errors: those of `BooleanSession`.
 */
export async function decideRelease(
  session: Evaluator,
  counts: readonly number[] | BigUint64Array,
  rule: GuardRule,
): Promise<boolean[]> {
  if (counts.length === 0) return [];
  const { circuit, fields, thresholds } = planRelease(session.roster.length, counts.length, rule);
  const own = fields[session.roster.indexOf(session.self)]!;
  const [passes] = await session.compute(circuit, enter(counts, thresholds, own, lanesFor(counts.length)));
  const opens = new Array<boolean>(counts.length);
  for (let i = 0; i < opens.length; i++) opens[i] = bitAt(passes!, i);
  return opens;
}

/** What a decision takes, before it is made. */
export interface ReleaseCost extends Cost {
  /** AND gates for one guard. */
  readonly ands: number;
  /** Layers of AND gates. */
  readonly depth: number;
}

/**
 * Cost of `decideRelease` on `guards` guards, at the hospital in place `self` of the roster:
 *
 *     rounds = depth + 8
 */
export function releaseCost(roster: readonly string[], guards: number, rule: GuardRule, self = 0): ReleaseCost {
  const { circuit } = planRelease(roster.length, guards, rule);
  const cost = computingCost(circuit, roster, self);
  return { ...cost, ands: circuit.ands, depth: circuit.depth };
}

interface Plan {
  readonly circuit: Circuit;
  readonly fields: readonly (readonly FieldBit[])[];
  readonly thresholds: Uint32Array;
}

/** The circuit for so many guards; the same at all hospitals. */
function planRelease(parties: number, guards: number, rule: GuardRule): Plan {
  const { minimumCell, coalition, minimumContributors: contributors = 0, zeroCells } = rule;
  const one = typeof minimumCell === 'number';
  const asked = one ? [minimumCell] : minimumCell;
  const fits = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  if (
    parties < 2 ||
    !asked.every((k) => fits(k, 1, 0x3fffffff)) ||
    (!one && minimumCell.length !== guards) ||
    !fits(coalition, 0, COALITION_LIMIT) ||
    !fits(contributors, 0, parties)
  ) {
    throw new Misuse('OUT_OF_RANGE', 'a release rule that cannot be decided', {
      hint: `minimumCell is 1 or more, one for each guard; the coalition 0 to ${COALITION_LIMIT}; contributors 0 to the number of hospitals.`,
    });
  }
  const thresholds = one ? new Uint32Array(guards).fill(minimumCell) : Uint32Array.from(minimumCell);
  const threshold = new Set(asked).size === 1 ? BigInt(asked[0]!) : asked.map(BigInt);
  const parameters: ReleaseParameters = {
    parties,
    threshold,
    coalition,
    zeroCells,
    contributors,
    lanes: lanesFor(guards),
  };
  return { ...releaseCircuit(parameters), thresholds };
}

/** This hospital's input wires: bit rows of what its circuit asks about min(x, k). */
function enter(
  counts: readonly number[] | BigUint64Array,
  thresholds: Uint32Array,
  fields: readonly FieldBit[],
  lanes: number,
): Uint8Array[] {
  const clamped = clamp(counts, thresholds);
  const values = new Map<Field, Uint32Array>();
  return fields.map(({ field, bit }) => {
    if (!values.has(field)) values.set(field, fieldOf(field, clamped, thresholds));
    return bitRow(values.get(field)!, bit, lanes);
  });
}

function fieldOf(field: Field, clamped: Uint32Array, thresholds: Uint32Array): Uint32Array {
  switch (field) {
    case 'value':
      return clamped;
    case 'raised':
      return raise(clamped, thresholds);
    case 'deficit':
      return clamped.map((x, i) => thresholds[i]! - x);
    case 'small':
      return clamped.map((x, i) => Number(x > 0) & Number(x < thresholds[i]!));
    case 'present':
      return clamped.map((x) => Number(x > 0));
  }
}

/** With w bits for the greatest threshold less one: 2^w - k + x. At most 2^30, for a threshold is less. */
function raise(clamped: Uint32Array, thresholds: Uint32Array): Uint32Array {
  const power = 2 ** widthOf(BigInt(thresholds.reduce((a, b) => Math.max(a, b), 1)) - 1n);
  return clamped.map((x, i) => power - thresholds[i]! + x);
}

/** Bit `bit` of each value, packed. */
function bitRow(values: Uint32Array, bit: number, lanes: number): Uint8Array {
  const row = new Uint8Array(lanes / 8);
  for (let i = 0; i < values.length; i++) row[i >> 3]! |= ((values[i]! >> bit) & 1) << (i & 7);
  return row;
}

function clamp(counts: readonly number[] | BigUint64Array, thresholds: Uint32Array): Uint32Array {
  const clamped = new Uint32Array(counts.length);
  if (counts instanceof BigUint64Array) {
    // Low and high words: a count beyond 32 bits is above every threshold.
    const words = new Uint32Array(counts.buffer, counts.byteOffset, 2 * counts.length);
    for (let i = 0; i < clamped.length; i++) {
      clamped[i] = words[2 * i + 1]! > 0 ? thresholds[i]! : Math.min(words[2 * i]!, thresholds[i]!);
    }
    return clamped;
  }
  for (let i = 0; i < clamped.length; i++) {
    const count = counts[i]!;
    if (!(count >= 0) || !Number.isInteger(count))
      throw new Misuse('OUT_OF_RANGE', 'a count is a whole number from 0 on');
    clamped[i] = Math.min(count, thresholds[i]!);
  }
  return clamped;
}
