import Table from 'cli-table3';
import type { GroupResult } from '../analytics/index.ts';
import { columnsOf } from '../researcher/result/csv.ts';

const ROWS_SHOWN = 40;

/** The answer as a table of at most 40 groups. */
export function resultTable(groups: readonly GroupResult[]): string {
  const keys = columnsOf(groups, (group) => Object.keys(group.key));
  const values = columnsOf(groups, (group) => Object.keys(group.values));
  const single = groups.length === 1 && keys.length === 0;
  const table = single
    ? new Table({ head: ['statistic', 'value'], colAligns: ['left', 'right'], style: plain })
    : new Table({
        head: [...keys, ...values],
        colAligns: [...keys.map(() => 'left' as const), ...values.map(() => 'right' as const)],
        style: plain,
      });
  if (single) for (const name of values) table.push([name, formatValue(groups[0]!, name)]);
  else
    for (const group of groups.slice(0, ROWS_SHOWN))
      table.push([
        ...keys.map((key) => group.key[key] ?? '(missing)'),
        ...values.map((name) => formatValue(group, name)),
      ]);
  const more =
    groups.length > ROWS_SHOWN && !single ? `\n… and ${groups.length - ROWS_SHOWN} more groups in the files` : '';
  return table.toString() + more;
}

const plain = { head: [], border: [], compact: true };

function formatValue(group: GroupResult, name: string): string {
  if (group.status !== 'released') return 'withheld';
  const value = group.values[name];
  if (value === null || value === undefined) return '–';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}
