import {
  candidateCounts,
  guardCounts,
  residualCandidates,
  withComplement,
  type Guard,
  type Plan,
} from '../../../analytics/index.ts';
import type { CellVector } from '../../../mpc/cells.ts';
import { decideRelease, releaseCost, type GuardRule } from '../../../mpc/release.ts';
import { coalitionSize } from '../../../protocol/release.ts';
import type { Computing } from './computing.ts';

/** Which guards pass, in the order of `guardCounts`; none where the plan has none. */
export async function decideGuards(computing: Computing, plan: Plan, scanned: CellVector): Promise<boolean[]> {
  const counts = guardCounts(plan, (index) => scanned.at(index));
  const guardAt = (index: number): Guard => plan.guards[index % plan.guards.length]!;
  const passed = new Array<boolean>(counts.length);
  const opensAtZero = (index: number): boolean => plan.rule.zeroCells === 'open' || guardAt(index).zeroPasses === true;
  for (const [name, zeroCells] of [
    ['guards', 'open'],
    ['guards-above-zero', 'withhold'],
  ] as const) {
    const judged = [...counts.keys()].filter((index) => opensAtZero(index) === (zeroCells === 'open'));
    const own = BigUint64Array.from(judged, (index) => counts[index]!);
    const minima = judged.map((index) => guardAt(index).minimum);
    const passes = await judge(computing, plan, name, own, minima, zeroCells);
    judged.forEach((index, j) => (passed[index] = passes[j]!));
  }
  return passed;
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
  zeroCells = plan.rule.zeroCells,
): Promise<boolean[]> {
  if (counts.length === 0) return [];
  const rule: GuardRule = {
    minimumCell: minima,
    coalition: coalitionSize(plan.rule),
    zeroCells,
  };
  const cost = releaseCost(computing.roster, counts.length, rule);
  return computing.run(name, cost, (session) => decideRelease(session, counts, rule));
}
