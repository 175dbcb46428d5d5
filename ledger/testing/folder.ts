import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { RemoteLedger, type RemoteLedgerOptions } from '../embedded/client.ts';
import { startLedgerServer, type LedgerServer, type LedgerServerOptions } from '../embedded/server.ts';
import { makeWorld, type World } from './world.ts';

/** An empty folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'healthchain-ledger-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const CLOCK = (): number => Date.UTC(2026, 0, 1);

/** A ledger server on a free port that ends with the test. */
export async function testServer(
  change: Partial<LedgerServerOptions> = {},
): Promise<{ world: World; server: LedgerServer; folder: string }> {
  const world = makeWorld();
  const folder = change.folder ?? (await temporaryFolder());
  const server = await startLedgerServer({
    folder,
    host: '127.0.0.1',
    port: 0,
    founding: world.founding,
    clock: CLOCK,
    ...change,
  });
  onTestFinished(() => server.close());
  return { world, server, folder };
}

export async function testClient(url: string, change: Partial<RemoteLedgerOptions> = {}): Promise<RemoteLedger> {
  const ledger = await RemoteLedger.connect({ url, deadlineMs: 2000, ...change });
  onTestFinished(() => ledger.close());
  return ledger;
}
