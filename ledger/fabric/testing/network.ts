import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { Misuse } from '../../../protocol/errors.ts';
import {
  addChannel,
  downNetwork,
  findPrograms,
  killProcess,
  startProcess,
  upNetwork,
  type NetworkDescription,
  type Programs,
} from '../network/index.ts';
import type { NetworkShape } from '../network/plan.ts';
import { SKIPPED } from './run.ts';

/** Bringing a network up takes seconds on an idle machine; a busy one gets time. */
export const PATIENCE = 300_000;

/** Fabric's programs, or undefined where they are not installed: `describe.skipIf(fabric === undefined)`. */
export const fabric: Programs | undefined = await findPrograms().catch((error: unknown) => {
  if (!(error instanceof Misuse)) throw error;
  mkdirSync(inject('fabricFolder'), { recursive: true });
  writeFileSync(join(inject('fabricFolder'), SKIPPED), error.message);
  return undefined;
});

/**
 * A fresh channel with the chaincode ready on the network that all test files of this run share: a ledger of its own.
 * The first caller starts the network; it ends with the run.
 */
export async function openChannel(name: string): Promise<NetworkDescription> {
  const folder = join(inject('fabricFolder'), 'shared');
  await inTurn(() => upNetwork({ folder }));
  return addChannel(folder, `${name}-${randomBytes(4).toString('hex')}`);
}

/** A network of a test file's own, to kill and restart what it likes. */
export interface OwnNetwork {
  readonly folder: string;
  readonly description: NetworkDescription;
  /** `kill -9` of a process by name: orderer1, peer-north, chaincode-north. */
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** Ends every process; `up` starts them from disk. */
  down(): Promise<number>;
  up(): Promise<NetworkDescription>;
  /** Ends every process and removes the folder. */
  remove(): Promise<number>;
}

export async function ownNetwork(name: string, shape: Partial<NetworkShape> = {}): Promise<OwnNetwork> {
  const folder = join(inject('fabricFolder'), name);
  return {
    folder,
    description: await upNetwork({ folder, ...shape }),
    kill: (process) => killProcess(folder, process),
    restart: (process) => startProcess(folder, process),
    down: () => downNetwork(folder),
    up: () => upNetwork({ folder }),
    remove: () => downNetwork(folder, { remove: true }),
  };
}

/** A folder's lock refuses who comes second; test files wait instead. */
async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    try {
      return await act();
    } catch (error) {
      const busy = error instanceof Misuse && error.message.startsWith('another fabric command');
      if (!busy || Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
