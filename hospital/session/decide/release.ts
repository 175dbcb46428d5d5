import {
  candidateCounts,
  guardCounts,
  residualCandidates,
  withComplement,
  type Plan,
} from '../../../analytics/index.ts';
import type { CellVector } from '../../../mpc/cells.ts';
import { decideRelease, releaseCost, type GuardRule } from '../../../mpc/release.ts';
import { coalitionSize } from '../../../protocol/release.ts';
import type { Computing } from './computing.ts';

/** Which guards pass, in the order of `guardCounts`; none where the plan has none. */
export async function decideGuards(computing: Computing, plan: Plan, scanned: CellVector): Promise<boolean[]> {
  const counts = guardCounts(plan, (index) => scanned.at(index));
  const minima = Array.from({ length: plan.groups }, () => plan.guards.map(({ minimum }) => minimum)).flat();
  return judge(computing, plan, 'guards', counts, minima);
}

/** The cells that open after all: without those that would let anyone find a withheld one by subtraction. */
export async function closeResiduals(
  computing: Computing,
  plan: Plan,
  scanned: CellVector,
  released: Uint8Array,
): Promise<Uint8Array> {
  const candidates = residualCandidates(plan, released);
  if (candidates.length === 0) return released;
  const counts = candidateCounts(candidates, (index) => scanned.at(index));
  const minima = candidates.map(({ minimum }) => minimum);
  return withComplement(plan, released, await judge(computing, plan, 'residuals', counts, minima));
}

/** One hidden evaluation of the rule: true for each count that passes. */
export async function judge(
  computing: Computing,
  plan: Plan,
  name: string,
  counts: BigUint64Array,
  minima: readonly number[],
): Promise<boolean[]> {
  if (counts.length === 0) return [];
  const rule: GuardRule = {
    minimumCell: minima,
    coalition: coalitionSize(plan.rule),
    zeroCells: plan.rule.zeroCells,
  };
  const cost = releaseCost(computing.roster, counts.length, rule);
  return computing.run(name, cost, (session) => decideRelease(session, counts, rule));
}
