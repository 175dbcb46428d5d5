import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { startCoordinator } from '../../coordinator/index.ts';
import { coordinatorConfig, readConfig, readMember, readTls } from '../config.ts';
import { patientPage } from '../../console/pages.ts';
import { connectLedger, connectPublicLedger } from '../connect.ts';
import { done } from '../output.ts';
import { serve, serviceLog } from '../service.ts';

export function addCoordinatorCommands(program: Command): void {
  const coordinator = program.command('coordinator').description('the relay that hospitals and researchers connect to');
  coordinator
    .command('start')
    .description('run the coordinator')
    .requiredOption('--config <file>', 'coordinator configuration (JSON)')
    .action(async (options: { config: string }) => {
      collectSeldom();
      const config = readConfig(coordinatorConfig, options.config);
      const log = serviceLog('coordinator', config.logLevel);
      const ledger = await connectLedger(config);
      const publicLedger = await connectPublicLedger(config);
      const pages = patientPage();
      if (pages === undefined) log.warn('the patient’s page is not built, and not served: npm run console');
      const deadlines = inMilliseconds(config.deadlines ?? {});
      const server = await startCoordinator({
        host: config.host,
        port: config.port,
        ledger,
        publicLedger,
        pages,
        member: readMember(config),
        log,
        deadlines,
        tls: readTls(config.tls),
        publicUrl: config.publicUrl,
        forward: (signed) => ledger.forward(signed),
      });
      log.info({ url: server.url }, 'coordinator ready');
      if (process.send === undefined) done(`coordinator ready at ${server.url}`);
      await serve({ url: server.url }, async () => {
        await server.close();
        await ledger.close();
        await publicLedger?.close();
      });
    });
}

/**
 * Bytes that pass through lie in buffers beside the heap. Node's engine would collect its whole heap for every 64 MB of
 * them, which took a third of the coordinator's time; with the first flag it weighs them together with the heap. The second:
 * while it marks the heap in steps, each young collection (`YoungBuffers`) would become a whole one. Whole ones, now rare, stop the process for a
 * millisecond for each megabyte of heap.
 */
function collectSeldom(): void {
  // An engine that does not know a flag prints a complaint.
  if (Number(process.versions.node.split('.')[0]) < 26) return;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--no-incremental-marking');
}

const inMilliseconds = (seconds: Readonly<Record<string, number | undefined>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(seconds).flatMap(([name, value]) => (value === undefined ? [] : [[name, 1000 * value]])),
  );
