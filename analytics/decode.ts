import { groupKey, type Plan } from './plan.ts';

/** The answer for one group. `values` in the order of the query's statistics; null where a statistic is undefined. */
export interface GroupResult {
  readonly key: Record<string, string | null>;
  /** Files and tables tell the two apart; this version opens every cell, so it releases every group. */
  readonly status: 'released' | 'withheld';
  readonly values: Record<string, number | null>;
}

/**
 * Turns summed cells into groups and statistics: exact integers until each number's last rounding.
 * Counts above 2^53 round to the nearest double.
 */
export function decode(plan: Plan, cell: (index: number) => bigint): GroupResult[] {
  return Array.from({ length: plan.groups }, (_, group) => ({
    key: groupKey(plan, group),
    status: 'released' as const,
    values: decodeGroup(plan, (k) => cell(group * plan.cellsPerGroup + k)),
  }));
}

function decodeGroup(plan: Plan, cell: (k: number) => bigint): Record<string, number | null> {
  const values: [string, number | null][] = [];
  for (const statistic of plan.statistics) {
    const numbers = statistic.decode(statistic.positions.map(cell));
    statistic.names.forEach((name, index) => values.push([name, numbers[index]!]));
  }
  return Object.fromEntries(values);
}
