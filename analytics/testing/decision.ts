import { coalitionSize, type ReleaseRule } from '../../protocol/release.ts';
import { candidateCounts, residualCandidates, withComplement } from '../complement.ts';
import { guardCounts, releasedCells } from '../guards.ts';
import type { Plan } from '../plan.ts';

/** The release rule in the clear, from the count of each hospital: what the hospitals find on shares. */
export function passesRule(
  counts: readonly bigint[],
  minimum: number,
  rule: ReleaseRule,
  zeroPasses = rule.zeroCells === 'open',
): boolean {
  const sum = (of: readonly bigint[]): bigint => of.reduce((total, each) => total + each, 0n);
  const total = sum(counts);
  if (total === 0n) return zeroPasses;
  if (total < BigInt(minimum)) return false;
  const isSafe = (rest: bigint): boolean => rest === 0n || rest >= BigInt(minimum);
  return coalitions(counts, coalitionSize(rule)).every((own) => isSafe(total - sum(own)));
}

/** What every coalition of one to `size` hospitals holds. */
function coalitions(counts: readonly bigint[], size: number): bigint[][] {
  if (size === 0 || counts.length === 0) return [];
  const [first, ...others] = counts as [bigint, ...bigint[]];
  return [[first], ...coalitions(others, size), ...coalitions(others, size - 1).map((each) => [first, ...each])];
}

/** The cells that open, decided in the clear from what each hospital scanned. */
export function decideInTheClear(plan: Plan, hospitals: readonly (readonly bigint[])[]): Uint8Array {
  const read = hospitals.map((scanned) => (index: number) => scanned[index]!);
  const judge = (
    counts: readonly BigUint64Array[],
    minimumOf: (index: number) => number,
    zeroPasses: (index: number) => true | undefined = () => undefined,
  ): boolean[] =>
    Array.from(counts[0]!, (_, index) =>
      passesRule(
        counts.map((each) => each[index]!),
        minimumOf(index),
        plan.rule,
        zeroPasses(index),
      ),
    );
  const guards = judge(
    read.map((scanned) => guardCounts(plan, scanned)),
    (index) => plan.guards[index % plan.guards.length]!.minimum,
    (index) => plan.guards[index % plan.guards.length]!.zeroPasses,
  );
  const released = releasedCells(plan, guards);
  const candidates = residualCandidates(plan, released);
  const passed = judge(
    read.map((scanned) => candidateCounts(candidates, scanned)),
    (index) => candidates[index]!.minimum,
  );
  return withComplement(plan, released, passed);
}
