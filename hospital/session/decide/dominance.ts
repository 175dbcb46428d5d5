import { greatestMagnitude, judgedSums, type Magnitude, type Plan } from '../../../analytics/index.ts';
import { decideDominance, dominanceCost, type DominanceRule } from '../../../mpc/dominance.ts';
import type { Computing } from './computing.ts';
import { GREATEST_COUNT } from './order.ts';

/** Sums that are judged at once; more are judged in turn, so that the material for them stays small. */
const AT_ONCE = 1024;

/**
 * The cells that open after the p%-rule (docs/boolean.md §7): a sum that few large values dominate is withheld, and with it
 * whatever rests on it. `magnitudes` are this hospital's, group by group.
 *
 * Cost: `dominanceCost`, for every 1024 sums. Leaks: which sums pass.
 */
export async function closeDominated(
  computing: Computing,
  plan: Plan,
  magnitudes: readonly (readonly Magnitude[])[],
  released: Uint8Array,
): Promise<Uint8Array> {
  const places = judgedSums(plan);
  if (plan.rule.dominance === undefined || places.length === 0) return released;
  const greatestValue = greatestMagnitude(plan, places);
  const rule: DominanceRule = {
    percent: plan.rule.dominance.percent,
    greatestValue,
    greatestTotal: greatestValue * GREATEST_COUNT,
  };
  const opens = Uint8Array.from(released);
  const sums = magnitudes
    .flatMap((of, group) => of.map((own, k) => ({ own, cell: group * plan.cellsPerGroup + places[k]! })))
    .filter(({ cell }) => released[cell] === 1);
  for (let first = 0; first < sums.length; first += AT_ONCE) {
    const part = sums.slice(first, first + AT_ONCE);
    const own = {
      totals: part.map((sum) => sum.own.total),
      largest: part.map((sum) => sum.own.largest),
      second: part.map((sum) => sum.own.second),
    };
    const passed = await computing.run(
      `dominance-${first / AT_ONCE}`,
      dominanceCost(computing.roster, part.length, rule),
      (session) => decideDominance(session, own, rule),
    );
    part.forEach(({ cell }, j) => (opens[cell] = Number(passed[j])));
  }
  return opens;
}
