import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export const ROOT = join(import.meta.dirname, '../..');

export interface Finished {
  readonly status: number | null;
  /** Standard output. */
  readonly out: string;
  /** Both outputs, for a failing test to show. */
  readonly text: string;
}

/** Runs a program to its end, in the project's folder, with this very Node first on the path. */
export async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, PATH: path, ...env } });
  let [out, text] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    text += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, out, text };
}

/** A folder that goes away with the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'healthchain-example-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
