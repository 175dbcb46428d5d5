import type { GroupResult } from '../../analytics/index.ts';

/** RFC 4180: one row per group; key columns, then status, then the values. A value that is withheld or undefined is an empty field. */
export function resultToCsv(groups: readonly GroupResult[]): string {
  const keys = columnsOf(groups, (group) => Object.keys(group.key));
  const values = columnsOf(groups, (group) => Object.keys(group.values));
  const rows = groups.map((group) => [
    ...keys.map((name) => field(group.key[name] ?? '')),
    group.status,
    ...values.map((name) => String(group.values[name] ?? '')),
  ]);
  return [[...keys.map(field), 'status', ...values.map(field)], ...rows].map((row) => row.join(',') + '\r\n').join('');
}

export const columnsOf = (groups: readonly GroupResult[], names: (group: GroupResult) => string[]): string[] => [
  ...new Set(groups.flatMap(names)),
];

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
