import Table from 'cli-table3';
import type { GroupResult } from '../analytics/index.ts';
import { keyColumns, type AnswerTable } from '../researcher/result/csv.ts';

const ROWS_SHOWN = 40;

/** The answer as a table that fits the terminal: at most 40 groups, and as many statistics as there is room for. */
export function resultTable(
  { names, groups }: AnswerTable,
  width = process.stdout.isTTY ? process.stdout.columns : 140,
): string {
  const keys = keyColumns(groups);
  if (groups.length === 1 && keys.length === 0) return oneGroup(groups[0]!, names);
  const shown = groups.slice(0, ROWS_SHOWN);
  const columns = [
    ...keys.map((name) => ({
      name,
      texts: shown.map((group) => group.key[name] ?? '(missing)'),
      align: 'left' as const,
    })),
    ...names.map((name) => ({ name, texts: shown.map((group) => formatValue(group, name)), align: 'right' as const })),
  ];
  const fitting = fit(columns, width);
  const table = new Table({
    head: fitting.map(({ name }) => name),
    colAligns: fitting.map(({ align }) => align),
    style: plain,
  });
  shown.forEach((_, row) => table.push(fitting.map(({ texts }) => texts[row]!)));
  const hidden = [
    ...(columns.length > fitting.length ? [`${columns.length - fitting.length} more statistics`] : []),
    ...(groups.length > ROWS_SHOWN ? [`${groups.length - ROWS_SHOWN} more groups`] : []),
  ];
  return table.toString() + (hidden.length === 0 ? '' : `\n… ${hidden.join(' and ')} in the files`);
}

function oneGroup(group: GroupResult, names: readonly string[]): string {
  const table = new Table({ head: ['statistic', 'value'], colAligns: ['left', 'right'], style: plain });
  for (const name of names) table.push([name, formatValue(group, name)]);
  return table.toString();
}

/** The first columns whose borders and texts fit; always at least two. */
function fit<T extends { name: string; texts: readonly string[] }>(columns: readonly T[], width: number): T[] {
  let used = 1;
  return columns.filter(({ name, texts }, place) => {
    used += 3 + Math.max(name.length, ...texts.map((text) => text.length));
    return used <= width || place < 2;
  });
}

const plain = { head: [], border: [], compact: true };

function formatValue(group: GroupResult, name: string): string {
  if (group.status === 'withheld' || group.withheld?.includes(name) === true) return 'withheld';
  const value = group.values[name];
  if (value === null || value === undefined) return '–';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}
