import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { birthOf } from '../network/birth.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of this test run's networks; made by the first test that needs one. */
    fabricFolder: string;
  }
}

/** Written where tests need Fabric and it is not there: why. */
export const SKIPPED = 'skipped.txt';

/**
 * Once per test run: names a folder for its networks, and afterwards ends all that the tests have started there. Networks
 * of runs that were killed go at the next run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = join(project.config.root, '.cache', 'fabric-testing');
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    if (runName(Number.parseInt(name)) !== name) await endNetworks(join(root, name));
  }
  const folder = join(root, runName(process.pid)!);
  project.provide('fabricFolder', folder);
  return async () => {
    const note = join(folder, SKIPPED);
    if (existsSync(note)) console.log(`Skipped the tests that need Hyperledger Fabric: ${readFileSync(note, 'utf8')}`);
    await endNetworks(folder);
  };
}

/** The folder's name says whose it is: a process id, and the birth that tells it from a later process of that id. */
function runName(pid: number): string | undefined {
  const birth = birthOf(pid);
  return birth && `${pid}-${hash('sha256', birth).slice(0, 12)}`;
}

async function endNetworks(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const { downNetwork } = await import('../network/index.ts');
  for (const each of readdirSync(folder, { withFileTypes: true })) {
    if (each.isDirectory()) await downNetwork(join(folder, each.name), { remove: true });
  }
  rmSync(folder, { recursive: true, force: true });
}
