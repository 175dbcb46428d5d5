import { styleText } from 'node:util';
import { HealthchainError } from '../protocol/errors.ts';

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
  if (error instanceof Error && error.name === 'VerificationError') {
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
