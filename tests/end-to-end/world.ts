import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'vitest';
import { LocalConsortium, type LocalOptions } from '../../cli/local/consortium.ts';
import type { ReleasedGroup } from '../../analytics/index.ts';
import { sandboxPolicy } from '../../hospital/policy.ts';
import type { Answer } from '../../researcher/client.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BIN = join(ROOT, 'bin', 'healthchain.js');

/** The folder of public data sets, where this machine has one: HEALTHCHAIN_DATA, else ../shared/data beside the checkout. */
export const DATA = process.env['HEALTHCHAIN_DATA'] ?? join(ROOT, '..', 'shared', 'data');
const heartFolder = join(DATA, 'uci-heart');
export const SITES = ['cleveland', 'hungarian', 'switzerland', 'va'] as const;
export const heartFile = (site: string): string => join(heartFolder, `${site}.csv`);
export const heartReference = join(heartFolder, 'reference.json');
export const haveHeart = existsSync(heartReference);

/** A folder of its own under the system's temporary one; whoever makes it removes it. */
export const makeFolder = (name: string): string => mkdtempSync(join(tmpdir(), `healthchain-${name}-`));
export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

export type Consortium = LocalConsortium;

/** Of public and made-up data, every cell may open. */
export const OPEN_RELEASE = { minimumCell: 1, insiderRule: false, minimumHospitals: 2 };
export const OPEN_POLICY = sandboxPolicy({ release: OPEN_RELEASE });

/** A consortium of real processes with an open policy, unless another is given. */
export const startConsortium = (
  options: Omit<LocalOptions, 'policy'> & Partial<Pick<LocalOptions, 'policy'>>,
): Promise<LocalConsortium> => LocalConsortium.start({ policy: OPEN_POLICY, ...options });

/** Submits and waits for the verified answer. */
export async function ask(
  { researcher }: Pick<LocalConsortium, 'researcher'>,
  query: object,
  asked: { hospitals?: readonly string[]; seconds?: number } = {},
): Promise<Answer> {
  const { seconds = 40, ...whom } = asked;
  const id = await researcher.submit(query, whom);
  return researcher.answer(id, { signal: AbortSignal.timeout(1000 * seconds) });
}

/** Resolves with the first value that is neither undefined nor false; fails with what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 20,
): Promise<T> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain for: ${what}`);
    await pause(15);
  }
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function runCommand(command: string, args: readonly string[], seconds = 60): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: 1000 * seconds });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => err.push(data));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code, stdout: String(Buffer.concat(out)), stderr: String(Buffer.concat(err)) }),
    );
  });
}

/** `npx healthchain <args>` as a person runs it from a checkout. */
export const cli = (...args: readonly string[]): Promise<Ran> => runCommand(process.execPath, [BIN, ...args]);

/** One clear line of this code, with what to do about it, exit code 1, and no stack trace. */
export function expectOneClearLine(ran: Ran, code: string, says: RegExp): void {
  const errors = ran.stderr.split('\n').filter((line) => line.startsWith('✗'));
  expect({ code: ran.code, errors: errors.length, stderr: ran.stderr }).toMatchObject({ code: 1, errors: 1 });
  expect(errors[0]).toContain(code);
  expect(ran.stderr).toMatch(says);
  expectNoStackTrace(ran.stderr);
}

export function expectNoStackTrace(text: string): void {
  expect(text).not.toMatch(/\n\s+at .*[:)]\d*|node:internal|this is a bug in healthchain/);
}

/** A month counted back from now, as epochs of consent are named: they may not lie ahead of the clock. */
export function monthsAgo(back: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7);
}

/** Changes a role's configuration file; the role reads it at its next start. */
export function editConfig(file: string, change: (config: Record<string, unknown>) => void): void {
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(config);
  writeFileSync(file, JSON.stringify(config));
}

/** Writes `researcher.json` beside the roles' own files, for commands of the researcher, and returns its path. */
export function writeResearcherConfig(home: string, hospital: string): string {
  const { ledger, coordinator } = JSON.parse(readFileSync(join(home, `${hospital}.json`), 'utf8')) as Row;
  const member = { organisation: 'researcher', keyFile: 'researcher.pem', stateFolder: 'cli' };
  const file = join(home, 'researcher.json');
  writeFileSync(file, JSON.stringify({ ...member, ledger, coordinator }));
  return file;
}

export type Row = Record<string, unknown>;

/** What the pooled rows say: DuckDB over all files at once, which no hospital and no researcher could run. */
export async function pooled<T>(run: (sql: (text: string) => Promise<Row[]>) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return await run(async (text) => (await connection.runAndReadAll(text)).getRowObjectsJS());
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Equal within 1e-12 of the expected number. */
export function expectNear(actual: unknown, expected: number, what: string): void {
  expect(actual, what).toBeTypeOf('number');
  const apart = Math.abs((actual as number) - expected);
  expect(apart, `${what}: ${actual as number} where ${expected} is due`).toBeLessThanOrEqual(
    1e-12 * Math.abs(expected),
  );
}

/** The one group of an answer that is not grouped. */
export const valuesOf = (answer: Answer): ReleasedGroup['values'] => allReleased(answer)[0]!.values;

/** The groups of an answer of which nothing is withheld. */
export function allReleased({ groups }: Pick<Answer, 'groups'>): ReleasedGroup[] {
  return groups.map((group) => {
    if (group.status === 'released' && group.withheld === undefined) return group;
    throw new Error(`withheld: ${JSON.stringify(group.key)}`);
  });
}
