import type { Command } from 'commander';
import { found, RemoteLedger, startLedgerServer, type Ledger } from '../../ledger/index.ts';
import { Misuse } from '../../protocol/errors.ts';
import { Identity, keyFingerprint } from '../../protocol/identity.ts';
import { signedAction } from '../../protocol/ledger.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import { renderDocument } from '../../researcher/result/documents.ts';
import { addOversightCommands } from './oversight.ts';
import { ledgerConfig, memberConfig, memberFile, membersFile, readConfig } from '../config.ts';
import { closing, connectLedger } from '../connect.ts';
import { readDocument, readText, writeWhole } from '../files.ts';
import { asMember } from '../ledger-source.ts';
import { done, say } from '../output.ts';
import { serve, serviceLog } from '../service.ts';

export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('the ledger: found, start, register, oversee, export');

  ledger
    .command('found')
    .description('write the founding document of a consortium, signed by its first admin')
    .requiredOption('--members <file>', 'name and first organisations with roles and public keys (JSON)')
    .requiredOption('--admin <id>', 'which of them signs; must have the role admin')
    .requiredOption('--key <file>', 'that admin’s private key (PEM)')
    .requiredOption('--out <file>', 'where the founding document goes')
    .action((options: { members: string; admin: string; key: string; out: string }) => {
      const { name, organisations, tier } = readDocument(membersFile, options.members, 'members');
      const identity = Identity.fromPem(readText(options.key, 'admin key'));
      writeWhole(
        options.out,
        renderDocument(found({ name, organisations, tier, founder: { organisation: options.admin, identity } })),
      );
      done(`Founding document of "${name}" with ${organisations.length} organisations: ${options.out}`);
    });

  ledger
    .command('start')
    .description('run the embedded ledger')
    .requiredOption('--config <file>', 'ledger configuration (JSON)')
    .action(async (options: { config: string }) => {
      const config = readConfig(ledgerConfig, options.config);
      const log = serviceLog('ledger', config.logLevel);
      const founding =
        config.foundingFile === undefined
          ? undefined
          : readDocument(signedAction, config.foundingFile, 'founding document');
      const server = await startLedgerServer({
        folder: config.folder,
        host: config.host,
        port: config.port,
        founding,
        tls: config.tls && { key: config.tls.keyFile, cert: config.tls.certFile },
        clock: Date.now,
      });
      log.info({ url: server.url, operatorKey: server.operatorPublicKey }, 'ledger ready');
      if (process.send === undefined) {
        done(`ledger ready at ${server.url}`);
        say(`  consortium    ${server.consortium}`);
        say(`  operator key  ${server.operatorPublicKey}   (fingerprint ${keyFingerprint(server.operatorPublicKey)})`);
      }
      await serve({ url: server.url, operatorKey: server.operatorPublicKey, consortium: server.consortium }, () =>
        server.close(),
      );
    });

  ledger
    .command('register')
    .description('register a member (as admin)')
    .requiredOption('--config <file>', 'the admin’s configuration')
    .requiredOption('--member <file>', 'id, name, roles and public key (JSON); msp on a Fabric channel')
    .action(async (options: { config: string; member: string }) => {
      const organisation = readDocument(memberFile, options.member, 'member');
      await asMember(options.config, ({ submit }) => submit({ type: 'registerOrganisation', organisation }));
      done(`${organisation.id} is registered as ${organisation.roles.join(', ')}.`);
    });

  ledger
    .command('register-schema')
    .description('register a dataset schema (as admin or hospital)')
    .requiredOption('--config <file>', 'this member’s configuration')
    .requiredOption('--schema <file>', 'the schema (JSON), as from: healthchain schema infer')
    .action(async (options: { config: string; schema: string }) => {
      const schema = readDocument(datasetSchema, options.schema, 'schema', 'BAD_SCHEMA');
      await asMember(options.config, ({ submit }) => submit({ type: 'registerSchema', schema }));
      done(`${schema.dataset}@${schema.version} is registered.`);
    });

  addOversightCommands(ledger);

  ledger
    .command('found-channel')
    .description('submit a founding document to a Fabric channel that holds no consortium yet (as its first admin)')
    .requiredOption('--config <file>', 'the admin’s configuration, with its Fabric ledger')
    .requiredOption('--founding <file>', 'what healthchain ledger found wrote; its organisations name their MSPs')
    .action(async (options: { config: string; founding: string }) => {
      const config = readConfig(memberConfig, options.config);
      if (!('fabric' in config.ledger))
        throw new Misuse('BAD_CONFIG', 'the configuration names an embedded ledger, which is founded by its operator', {
          hint: 'Name the channel under ledger.fabric, or start the embedded ledger with foundingFile.',
        });
      const founding = readDocument(signedAction, options.founding, 'founding document');
      const head = await closing(await connectLedger(config, founding), (client) => client.head());
      done(`the consortium is founded on the channel ${config.ledger.fabric.channel}; members pin in ledger.fabric:`);
      say(`  consortium   ${head.consortium}`);
      if ('genesis' in head) say(`  genesis      ${head.genesis}`);
    });

  ledger
    .command('export')
    .description('write the whole ledger, verified, to a file that anyone can check offline')
    .option('--url <url>', 'address of an embedded ledger')
    .option('--config <file>', 'or any member’s configuration, for either ledger')
    .requiredOption('--out <file>', 'where the export goes')
    .action(async (options: { url?: string; config?: string; out: string }) => {
      const { document, size } = await closing(await openForExport(options), async (client) => ({
        document: await client.export(),
        size: client.head().size,
      }));
      writeWhole(options.out, renderDocument(document));
      done(`${size} entries, verified, in ${options.out}`);
    });
}

function openForExport({ url, config }: { url?: string; config?: string }): Promise<Ledger> {
  if ((url === undefined) === (config === undefined))
    throw new Misuse('BAD_CONFIG', 'say which ledger to export: either --url or --config');
  return url === undefined ? connectLedger(readConfig(memberConfig, config!)) : RemoteLedger.connect({ url });
}
