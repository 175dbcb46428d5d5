import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { decodeDocument } from '../../../protocol/canonical.ts';
import { Fault } from '../../../protocol/errors.ts';
import { lastLine } from './run.ts';
import { birthOf } from './birth.ts';

/** How one process of a network is started. */
export interface ProcessSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly log: string;
}

const processRecord = z.strictObject({
  name: z.string(),
  pid: z.int().min(2),
  /** When it was born: a process of the same id that was born at another time is somebody else's. */
  birth: z.string().min(1),
  log: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecord>;
const processRecords = z.array(processRecord);

const GRACE_MS = 5000;

/**
 * The processes of a network, written down in a file the moment they start, so that whoever opens the file can end
 * them, also after the one that started them has died. They outlive their starter. One writer at a time: the folder's lock.
 */
export class Processes {
  readonly #file: string;
  readonly #records = new Map<string, ProcessRecord>();

  constructor(file: string) {
    this.#file = file;
    if (!existsSync(file)) return;
    const records = decodeDocument(processRecords, readFileSync(file), { what: file, code: 'BAD_FILE' });
    for (const record of records) this.#records.set(record.name, record);
  }

  get records(): readonly ProcessRecord[] {
    return [...this.#records.values()];
  }
  /** Names of those that run. */
  running(): readonly string[] {
    return [...this.#records.keys()].filter((name) => this.isRunning(name));
  }
  isRunning(name: string): boolean {
    const record = this.#records.get(name);
    return record !== undefined && birthOf(record.pid) === record.birth;
  }

  /** Starts a process unless it runs. Errors: `Fault INTERNAL` when it cannot be started. */
  start({ name, program, args, environment, log }: ProcessSpec): void {
    if (this.isRunning(name)) return;
    const output = openSync(log, 'a', 0o600);
    try {
      const child = spawn(program, args, {
        env: { ...process.env, ...environment },
        stdio: ['ignore', output, output],
        detached: true,
      });
      child.once('error', () => undefined);
      child.unref();
      const birth = child.pid === undefined ? undefined : birthOf(child.pid);
      if (child.pid === undefined || birth === undefined) throw new Fault('INTERNAL', `cannot start ${name}`);
      this.#records.set(name, { name, pid: child.pid, birth, log });
      this.#save();
    } finally {
      closeSync(output);
    }
  }

  /** Says why when a process that should run has ended. Errors: `Fault PEER_GONE` with its last words. */
  requireRunning(name: string): void {
    if (this.isRunning(name)) return;
    const log = this.#records.get(name)?.log;
    const words =
      log === undefined || !existsSync(log) ? undefined : lastLine(readFileSync(log, 'utf8').slice(-10_000));
    throw new Fault('PEER_GONE', `${name} has ended${words === undefined ? '' : `: ${words}`}`, {
      hint: log === undefined ? 'It was never started.' : `See ${log}.`,
    });
  }

  signal(name: string, signal: NodeJS.Signals): void {
    if (!this.isRunning(name)) return;
    try {
      process.kill(this.#records.get(name)!.pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }

  /** Ends processes, in order when they take it, by force when they do not. */
  async stop(names: readonly string[] = [...this.#records.keys()]): Promise<void> {
    if (names.length === 0) return;
    for (const name of names) this.signal(name, 'SIGTERM');
    if (!(await this.#ended(names, GRACE_MS))) {
      for (const name of names) this.signal(name, 'SIGKILL');
      await this.#ended(names, GRACE_MS);
    }
    for (const name of names) if (!this.isRunning(name)) this.#records.delete(name);
    this.#save();
    const [left] = names.filter((name) => this.isRunning(name));
    if (left !== undefined)
      throw new Fault('INTERNAL', `${left} does not end (process ${this.#records.get(left)!.pid})`);
  }

  /** Ends a process at once, as a crash would. */
  async kill(name: string): Promise<void> {
    this.signal(name, 'SIGKILL');
    await this.#ended([name], GRACE_MS);
  }

  async #ended(names: readonly string[], milliseconds: number): Promise<boolean> {
    const deadline = Date.now() + milliseconds;
    while (names.some((name) => this.isRunning(name))) {
      if (Date.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  }

  #save(): void {
    writeFileSync(`${this.#file}.partial`, JSON.stringify(this.records, undefined, 2), { mode: 0o600 });
    renameSync(`${this.#file}.partial`, this.#file);
  }
}
