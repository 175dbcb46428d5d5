import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../../protocol/errors.ts';

const RUN_SECONDS = 120;

/** Runs a program to its end and answers what it printed. Errors: `Fault INTERNAL` with its last words. */
export function runProgram(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...process.env, ...environment },
      timeout: RUN_SECONDS * 1000,
      killSignal: 'SIGKILL',
      maxBuffer: 16 << 20,
    } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout + stderr);
        return;
      }
      const what = [basename(program), ...args.slice(0, 3)].join(' ');
      reject(new Fault('INTERNAL', `${what} failed: ${lastLine(stderr + stdout) ?? error.message}`));
    });
  });
}

/** The last line that says something, without colours. */
export function lastLine(text: string): string | undefined {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\u001b\[[0-9;]*m/g, '');
  return plain
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '');
}

/** Tries until it succeeds. What failed last is the cause when the deadline passes. Errors: `Fault DEADLINE`. */
export async function untilDone<T>(
  what: string,
  options: { readonly seconds: number; readonly pauseMs?: number; readonly stop?: () => void },
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + options.seconds * 1000;
  for (;;) {
    options.stop?.();
    try {
      return await attempt();
    } catch (cause) {
      if (Date.now() > deadline) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Fault('DEADLINE', `${what} did not succeed in ${options.seconds} s: ${why}`, { cause });
      }
      await sleep(options.pauseMs ?? 100);
    }
  }
}
