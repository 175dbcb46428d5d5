import type { Command } from 'commander';
import { startCoordinator } from '../../coordinator/index.ts';
import { coordinatorConfig, readConfig, readMember, readTls } from '../config.ts';
import { connectLedger } from '../connect.ts';
import { done } from '../output.ts';
import { serve, serviceLog } from '../service.ts';

export function addCoordinatorCommands(program: Command): void {
  const coordinator = program.command('coordinator').description('the relay that hospitals and researchers connect to');
  coordinator
    .command('start')
    .description('run the coordinator')
    .requiredOption('--config <file>', 'coordinator configuration (JSON)')
    .action(async (options: { config: string }) => {
      const config = readConfig(coordinatorConfig, options.config);
      const log = serviceLog('coordinator', config.logLevel);
      const ledger = await connectLedger(config.ledger, config.stateFolder);
      const deadlines = Object.fromEntries(
        Object.entries(config.deadlines ?? {}).map(([name, seconds]) => [name, 1000 * seconds]),
      );
      const server = await startCoordinator({
        host: config.host,
        port: config.port,
        ledger,
        member: readMember(config),
        log,
        deadlines,
        tls: readTls(config.tls),
        publicUrl: config.publicUrl,
      });
      log.info({ url: server.url }, 'coordinator ready');
      if (process.send === undefined) done(`coordinator ready at ${server.url}`);
      await serve({ url: server.url }, async () => {
        await server.close();
        await ledger.close();
      });
    });
}
