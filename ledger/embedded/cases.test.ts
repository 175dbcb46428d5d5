import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerCases } from '../testing/cases.ts';
import { CLOCK } from '../testing/folder.ts';
import { RemoteLedger } from './client.ts';
import { startLedgerServer } from './server.ts';

ledgerCases('embedded ledger', async (world) => {
  const folder = await mkdtemp(join(tmpdir(), 'healthchain-ledger-'));
  const server = await startLedgerServer({
    folder,
    host: '127.0.0.1',
    port: 0,
    founding: world.founding,
    clock: CLOCK,
  });
  return {
    connect: () =>
      RemoteLedger.connect({
        url: server.url,
        consortium: server.consortium,
        operator: server.operatorPublicKey,
        deadlineMs: 5000,
      }),
    stop: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
