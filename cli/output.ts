import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { GroupResult } from '../analytics/index.ts';
import { HealthchainError } from '../protocol/errors.ts';
import { columnsOf } from '../researcher/result/csv.ts';
import { VerificationError } from '../researcher/result/verify.ts';

/** Colour where a person looks on, plain text where a program does (NO_COLOR and pipes respected). */
const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: process.stderr });

/** Progress and words for people go to standard error; standard output is for results. */
export const say = (line: string): void => void process.stderr.write(line + '\n');
export const done = (line: string): void => say(`${paint('green', '✓')} ${line}`);
export const warn = (line: string): void => say(`${paint('yellow', '!')} ${line}`);
export const print = (text: string): void => void process.stdout.write(text.endsWith('\n') ? text : text + '\n');

/** What happened, why, and what to do. Stack traces are for bugs only. */
export function printError(error: unknown): void {
  if (error instanceof VerificationError) {
    say(`${paint('red', '✗')} check failed: ${error.message}`);
    return;
  }
  if (error instanceof HealthchainError) {
    const party = error.party === undefined ? '' : ` [${error.party}]`;
    say(`${paint('red', '✗')} ${error.kind} ${error.code}${party}: ${error.message}`);
    if (error.hint !== undefined) say(`  ${error.hint}`);
    return;
  }
  say(
    `${paint('red', '✗')} this is a bug in healthchain: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
}

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
