import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { z } from 'zod';
import { Fault, type FaultCode } from '../../protocol/errors.ts';
import { writeWhole } from '../files.ts';

const BIN = fileURLToPath(import.meta.resolve('#bin'));
const readyMessage = z.object({ ready: z.record(z.string(), z.string()) });
const START_SECONDS = 60;
/**
 * A consortium on one machine has more processes than cores, and a garbage collector whose helper threads are not running
 * waits for them: a collection then takes longer than all of its work.
 */
const NODE_OPTIONS = ['--single-threaded-gc'];

/** One role of a consortium as its own operating-system process, started by the same command a deployment uses. */
export class RoleProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  #ready = false;

  private constructor(name: string, child: ChildProcess, logFile: string) {
    this.name = name;
    this.#child = child;
    this.#logFile = logFile;
  }

  /** Starts `healthchain <args>` and waits until it is ready. Its log goes to `<folder>/<name>.log`. Errors: `Fault`, with the process's own last words. */
  static async start(
    name: string,
    args: readonly string[],
    folder: string,
  ): Promise<{ process: RoleProcess; ready: Readonly<Record<string, string>> }> {
    const logFile = join(folder, `${name}.log`);
    const child = fork(BIN, [...args], { execArgv: NODE_OPTIONS, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    child.stderr!.pipe(createWriteStream(logFile, { mode: 0o600, flags: 'a' }));
    const role = new RoleProcess(name, child, logFile);
    const ready = new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
      child.on('message', (message) => {
        const parsed = readyMessage.safeParse(message);
        if (!parsed.success) return;
        role.#ready = true;
        resolve(parsed.data.ready);
      });
      child.once('error', (cause) => reject(new Fault('INTERNAL', `cannot start ${name}`, { cause })));
      child.once('close', () => {
        if (!role.#ready) reject(role.#lastWords());
      });
      setTimeout(
        () =>
          reject(new Fault('DEADLINE', `${name} was not ready after ${START_SECONDS} s`, { hint: `See ${logFile}.` })),
        START_SECONDS * 1000,
      ).unref();
    });
    return { process: role, ready: await ready };
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await closed;
    clearTimeout(force);
  }

  /** The error line that the process printed before it ended, as an error of this process. */
  #lastWords(): Fault {
    const text = readFileSync(this.#logFile, 'utf8');
    // eslint-disable-next-line no-control-regex
    const match = /✗ (?:\w+) ([A-Z_]+)[^:]*: (.*)\n(?: {2}(.*))?/.exec(text.replace(/\u001b\[[0-9;]*m/g, ''));
    if (match === null)
      return new Fault('INTERNAL', `${this.name} ended before it was ready`, { hint: `See ${this.#logFile}.` });
    const code: FaultCode = match[1] === 'PORT_IN_USE' ? 'PORT_IN_USE' : match[1] === 'DATA' ? 'DATA' : 'INTERNAL';
    return new Fault(code, `${this.name}: ${match[2] ?? ''}`, match[3] === undefined ? {} : { hint: match[3] });
  }
}

/** Starts a role from its configuration in the consortium's folder. */
export const startRole = (folder: string, name: string, role: string): ReturnType<typeof RoleProcess.start> =>
  RoleProcess.start(name, [role, 'start', '--config', join(folder, `${name}.json`)], join(folder, 'logs'));

export const writeConfig = (folder: string, name: string, document: object): void =>
  writeWhole(join(folder, `${name}.json`), JSON.stringify(document, undefined, 2) + '\n');
