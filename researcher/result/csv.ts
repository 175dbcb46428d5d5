import { shownValues, type GroupResult } from '../../analytics/index.ts';

/** An answer as rows and columns. */
export interface AnswerTable {
  /** Names of all values asked for, in the query's order, shown or not. */
  readonly names: readonly string[];
  readonly groups: readonly GroupResult[];
}

/**
 * RFC 4180: one row per group; key columns, `status` of the group, in `withheld_values` the names of what is withheld
 * of a released group, then the values. A value that is withheld or undefined is an empty field.
 */
export function resultToCsv({ names, groups }: AnswerTable): string {
  const keys = keyColumns(groups);
  const rows = groups.map((group) => [
    ...keys.map((name) => field(group.key[name] ?? '')),
    group.status,
    field(withheldValues(group) ?? ''),
    ...names.map((name) => String(shownValues(group)[name] ?? '')),
  ]);
  const head = [...keys, 'status', 'withheld_values', ...names].map(field);
  return [head, ...rows].map((row) => row.join(',') + '\r\n').join('');
}

export const keyColumns = (groups: readonly GroupResult[]): string[] => Object.keys(groups[0]?.key ?? {});

/** Names of what is withheld of a released group, in one text; undefined where nothing is, or the group as a whole. */
export const withheldValues = (group: GroupResult): string | undefined =>
  group.status === 'released' ? group.withheld?.join('; ') : undefined;

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
