import { Misuse } from '../protocol/errors.ts';
import { lanesFor } from './boolean/bits.ts';
import { dominanceCircuit, dominanceFactors, dominanceWidths } from './boolean/circuits/dominance.ts';
import { computingCost } from './boolean/cost.ts';
import type { Evaluator } from './boolean/evaluator.ts';
import { bitAt, bitRows } from './boolean/rows.ts';
import type { ReleaseCost } from './release.ts';

/** p of the p%-rule, and public bounds on what one hospital can enter. */
export interface DominanceRule {
  /** 1 to 100. */
  readonly percent: number;
  /** The greatest sum of magnitudes of one hospital. */
  readonly greatestTotal: bigint;
  /** The greatest magnitude of one value. */
  readonly greatestValue: bigint;
}

/** One hospital's local figures about each guarded sum. */
export interface Magnitudes {
  /** Sum of |v|. */
  readonly totals: readonly bigint[];
  /** Largest |v|, 0 if there is no value; and second largest, 0 if there is only one. */
  readonly largest: readonly bigint[];
  readonly second: readonly bigint[];
}

/**
 * Decides which sums no single value dominates (p%-rule; Hundepool et al., Statistical Disclosure Control, 2012, §4.2):
 * with T the sum of all magnitudes and M1 >= M2 the two largest over all hospitals, a sum passes if
 *
 *     100 (T - M1 - M2) >= p M1
 *
 * so that whoever holds the second largest value cannot estimate the largest to within p percent. Nothing but the
 * decisions opens. A hospital that lies can let a sum through that its own values dominate, or raise T; it cannot make another
 * hospital's largest value smaller.
 *
 * Cost: `dominanceCost`. Leaks: which sums pass.
 */
export async function decideDominance(
  session: Evaluator,
  { totals, largest, second }: Magnitudes,
  rule: DominanceRule,
): Promise<boolean[]> {
  const guards = totals.length;
  if (guards === 0) return [];
  if (largest.length !== guards || second.length !== guards || second.some((m, i) => m > largest[i]!)) {
    throw new Misuse(
      'MALFORMED',
      'each sum has a total, a largest and a second largest magnitude, in this order of size',
    );
  }
  const parameters = parametersOf(session.roster.length, guards, rule);
  const { lanes, greatestTotal, greatestValue } = parameters;
  if (totals.some((total) => total > greatestTotal) || largest.some((value) => value > greatestValue)) {
    throw new Misuse('OUT_OF_RANGE', 'a magnitude above the bound that was agreed');
  }
  const widths = dominanceWidths(parameters);
  const { scale } = dominanceFactors(rule.percent);
  const own = [
    ...bitRows(
      totals.map((total) => scale * total),
      widths.total,
      lanes,
    ),
    ...bitRows(largest, widths.value, lanes),
    ...bitRows(second, widths.value, lanes),
  ];
  const [passes] = await session.compute(dominanceCircuit(parameters), own);
  return totals.map((_, i) => bitAt(passes!, i));
}

/** Cost of `decideDominance` on `guards` sums, at the hospital in place `self` of the roster. */
export function dominanceCost(roster: readonly string[], guards: number, rule: DominanceRule, self = 0): ReleaseCost {
  const circuit = dominanceCircuit(parametersOf(roster.length, guards, rule));
  const cost = computingCost(circuit, roster, self);
  return { ...cost, ands: circuit.ands, depth: circuit.depth };
}

function parametersOf(parties: number, guards: number, rule: DominanceRule) {
  if (!Number.isInteger(rule.percent) || rule.percent < 1 || rule.percent > 100) {
    throw new Misuse('OUT_OF_RANGE', 'the percentage of a dominance rule is a whole number from 1 to 100');
  }
  if (rule.greatestValue < 1n || rule.greatestTotal < rule.greatestValue) {
    throw new Misuse('OUT_OF_RANGE', 'a total can reach at least what one value can, and that is at least 1');
  }
  return { ...rule, parties, lanes: lanesFor(guards) };
}
