import { fork, spawn, type ChildProcess, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Forks a script of this folder, in TypeScript as it stands. It ends when this process does. */
export function forkScript(script: string, args: readonly string[] = [], options: ForkOptions = {}): ChildProcess {
  return fork(fileURLToPath(new URL(script, import.meta.url)), [...args], { serialization: 'advanced', ...options });
}

/** The next message of a child; rejects when it ends instead. The child is our own script: its messages are trusted. */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const close = once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
    throw new Error(`a bench process ended early (${String(signal ?? code)})`);
  });
  close.catch(() => undefined);
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: ended.signal }), close])) as [T];
    return message;
  } finally {
    ended.abort();
  }
}

/** Stops a child that we started; nothing it says any more counts. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Runs a program to its end and returns what it printed. Rejects when it fails. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let complaints = '';
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  child.stderr.on('data', (data: Buffer) => (complaints += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} failed: ${complaints.trim().split('\n').at(-1) ?? ''}`);
  return printed;
}

/** Peak and present resident memory of a process in MB (10^6 bytes), as Linux counts them. */
export function residentMemory(pid: number): { peak: number; now: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field: string): number =>
    (1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])) / 1e6;
  return { peak: read('VmHWM'), now: read('VmRSS') };
}

/** Milliseconds of processor time that a process has used, all threads; the kernel counts in steps of 10. */
export function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** In a forked script: the next message of the bench that forked it, which is ours: trusted. */
export function messageOfBench<T>(): Promise<T> {
  return new Promise((resolve) => process.once('message', (received) => resolve(received as T)));
}
