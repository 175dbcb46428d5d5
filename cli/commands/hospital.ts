import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { describeQuery } from '../../analytics/index.ts';
import { pendingQueries, siteOf, type Site } from '../../hospital/approvals.ts';
import { readHospitalConfig, readIdentity, readPolicy, type HospitalConfig } from '../../hospital/config.ts';
import { HospitalNode } from '../../hospital/node.ts';
import { inspectPool } from '../../hospital/pool/inspect.ts';
import { Precomputing } from '../../hospital/precomputing.ts';
import type { Ledger, Member } from '../../ledger/ledger.ts';
import { Misuse } from '../../protocol/errors.ts';
import type { QueryRecord } from '../../protocol/records.ts';
import { closing, connectLedger, connectPublicLedger } from '../connect.ts';
import { done, print, printError, say } from '../output.ts';
import { describeStock } from '../stock.ts';
import { serve, serviceLog } from '../service.ts';

export function addHospitalCommands(program: Command): void {
  const hospital = program.command('hospital').description('a hospital’s node, and its decisions on queries');

  hospital
    .command('start')
    .description('run the node beside this hospital’s data')
    .requiredOption('--config <file>', 'hospital configuration (JSON)')
    .action(async (options: { config: string }) => {
      const config = readHospitalConfig(options.config);
      const policy = readPolicy(config.policyFile);
      const log = serviceLog(`hospital ${config.organisation}`, config.logLevel);
      if (policy === undefined) log.warn('no policyFile is configured: every query will be denied');
      const ledger = await connectLedger(config);
      const publicLedger = await connectPublicLedger(config);
      const member = memberOf(config);
      requireHospital(ledger, member);
      const node = new HospitalNode({
        ...config,
        ledger,
        publicLedger,
        member,
        coordinatorUrl: config.coordinator.url,
        policy,
        log,
        failed: (error) => {
          printError(error);
          process.exit(1);
        },
      });
      node.start();
      log.info('node started');
      if (process.send === undefined)
        done(`node of ${config.organisation} started; it dials out to ${config.coordinator.url}`);
      await serve({ organisation: config.organisation }, async () => {
        await node.close();
        await ledger.close();
        await publicLedger?.close();
      });
    });

  hospital
    .command('precompute')
    .description('make stock for later queries now, while the node is not running')
    .requiredOption('--config <file>', 'hospital configuration (JSON)')
    .action((options: { config: string }) => withLedger(options.config, precomputeNow));

  hospital
    .command('stock')
    .description('what was made ahead, by roster')
    .requiredOption('--config <file>', 'hospital configuration (JSON)')
    .action((options: { config: string }) => {
      const config = readHospitalConfig(options.config);
      const stock = inspectPool(config.stateFolder);
      if (stock.length === 0) say('Nothing was made ahead.');
      for (const status of stock) print(describeStock(status, config.precompute.triples));
    });

  hospital
    .command('pending')
    .description('queries that wait for this hospital’s decision')
    .requiredOption('--config <file>', 'hospital configuration (JSON)')
    .action((options: { config: string }) =>
      withSite(options.config, (site) => {
        const pending = pendingQueries(site);
        if (pending.length === 0) say('Nothing waits for a decision.');
        for (const { record, schema, decision } of pending) {
          print(
            `${record.id.slice(0, 12)}  from ${record.researcher}, purpose ${record.query.purpose}${record.query.title === undefined ? '' : `: ${record.query.title}`}`,
          );
          if (schema !== undefined) for (const line of describeQuery(record.query, schema)) print(`    ${line}`);
          print(
            `    asked: ${record.hospitals.join(', ')}; the site policy says: ${[decision.decision, ...decision.reasons].join('; ')}`,
          );
        }
        return Promise.resolve();
      }),
    );

  hospital
    .command('approve')
    .description('approve a query')
    .argument('<query>', 'its id, or the first characters of it')
    .requiredOption('--config <file>', 'hospital configuration (JSON)')
    .action((id: string, options: { config: string }) =>
      withSite(options.config, async ({ ledger, consent }, config) => {
        const record = findQuery(ledger, id);
        // A person may overrule what the site's policy leaves open, but not what its patients decided.
        consent.require(record);
        await ledger.submit(memberOf(config), { type: 'approveQuery', query: record.id });
        done(`Approved. ${config.organisation} takes part when its session opens.`);
      }),
    );

  hospital
    .command('deny')
    .description('deny a query')
    .argument('<query>', 'its id, or the first characters of it')
    .requiredOption('--config <file>', 'hospital configuration (JSON)')
    .requiredOption('--reason <text>', 'why; the researcher and all members can read it')
    .action((id: string, options: { config: string; reason: string }) =>
      withLedger(options.config, async (ledger, config) => {
        const record = findQuery(ledger, id);
        await ledger.submit(memberOf(config), { type: 'denyQuery', query: record.id, reason: options.reason });
        done('Denied.');
      }),
    );
}

const memberOf = (config: HospitalConfig): Member => ({
  organisation: config.organisation,
  identity: readIdentity(config.keyFile),
});

/** With the other hospitals of each roster, whose nodes must be running. Ends when there is as much as is configured, or by Ctrl-C. */
async function precomputeNow(ledger: Ledger, config: HospitalConfig): Promise<void> {
  const member = memberOf(config);
  requireHospital(ledger, member);
  const { triples } = config.precompute;
  if (triples === 0) {
    throw new Misuse('BAD_CONFIG', 'precompute.triples is 0: nothing is to be made ahead', {
      hint: 'Set it in the configuration to the triples to hold for each roster.',
    });
  }
  const log = serviceLog(`hospital ${config.organisation}`, config.logLevel === 'info' ? 'warn' : config.logLevel);
  const precomputing = new Precomputing({ ...config, ledger, member, coordinatorUrl: config.coordinator.url, log });
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  try {
    if (precomputing.rosters.length === 0) {
      say('There is no roster to prepare for: name them in precompute.rosters, or let a query be decided first.');
    }
    precomputing.start();
    let shown = '';
    while (precomputing.lacking.length > 0 && !stop.signal.aborted) {
      const now = precomputing.stock.map((status) => describeStock(status, triples)).join('\n');
      if (now !== shown) say((shown = now));
      await pause(500, undefined, { signal: stop.signal }).catch(() => undefined);
    }
    for (const status of precomputing.stock) done(describeStock(status, triples));
  } finally {
    await precomputing.close();
  }
}

/** A node that the ledger does not know would be refused everywhere, for ever: better to say so at once. */
function requireHospital(ledger: Ledger, { organisation, identity }: Member): void {
  const record = ledger.organisation(organisation);
  const known = record?.keys.some((key) => key.status === 'active' && key.publicKey === identity.publicKey) ?? false;
  if (known && record?.roles.includes('hospital') === true) return;
  throw new Misuse('BAD_CONFIG', `${organisation} is not a hospital on the ledger, or not with the key in keyFile`, {
    hint: 'An admin registers it with role hospital; compare the key: healthchain keys show.',
    party: organisation,
  });
}

async function withLedger(path: string, run: (ledger: Ledger, config: HospitalConfig) => Promise<void>): Promise<void> {
  const config = readHospitalConfig(path);
  await closing(await connectLedger(config), async (ledger) => {
    await ledger.refresh();
    await run(ledger, config);
  });
}

function withSite(path: string, run: (site: Site, config: HospitalConfig) => Promise<void>): Promise<void> {
  return withLedger(path, async (ledger, config) => {
    const publicLedger = await connectPublicLedger(config);
    try {
      await run(
        siteOf({
          ...config,
          ledger,
          publicLedger,
          hospital: config.organisation,
          policy: readPolicy(config.policyFile),
        }),
        config,
      );
    } finally {
      await publicLedger?.close();
    }
  });
}

function findQuery(ledger: Ledger, prefix: string): QueryRecord {
  // A variable of a script that holds nothing must not decide on the one query that there is.
  if (!/^[0-9a-f]{4,64}$/.test(prefix))
    throw new Misuse('BAD_QUERY', 'expected the id of a query, or at least its first 4 characters', {
      hint: 'healthchain hospital pending lists them.',
    });
  const [found, ...more] = ledger.queries().filter((record) => record.id.startsWith(prefix));
  if (found === undefined)
    throw new Misuse('BAD_QUERY', `no query has an id that starts with ${prefix}`, {
      hint: 'healthchain hospital pending lists them.',
    });
  if (more.length > 0)
    throw new Misuse('BAD_QUERY', `${more.length + 1} queries have ids that start with ${prefix}`, {
      hint: 'Give more characters.',
    });
  return found;
}
