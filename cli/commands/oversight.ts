import { createHash, randomBytes } from 'node:crypto';
import Table from 'cli-table3';
import { Option, type Command } from 'commander';
import { creditsOf, creditTotals, monthOf, trace, type TraceSubject } from '../../ledger/index.ts';
import { toHex } from '../../protocol/bytes.ts';
import { checkDocument } from '../../protocol/canonical.ts';
import { period } from '../../protocol/consent.ts';
import { Misuse, Refusal } from '../../protocol/errors.ts';
import type { SuspensionSubject } from '../../protocol/ledger.ts';
import { organisationId, queryId } from '../../protocol/names.ts';
import { readMember } from '../config.ts';
import { closing } from '../connect.ts';
import { readText } from '../files.ts';
import {
  asMember,
  openLedger,
  openStatementsLedger,
  withLedgerView,
  type AtLedger,
  type LedgerSource,
} from '../ledger-source.ts';
import { done, print, say } from '../output.ts';

/** What an audit organisation does with a ledger, and what anyone may read of it. */
export function addOversightCommands(ledger: Command): void {
  for (const verb of ['suspend', 'reinstate'] as const) addSuspension(ledger, verb);

  ledger
    .command('open-epoch')
    .description('open the epoch of consent of a calendar month (as auditor or admin)')
    .requiredOption('--config <file>', 'this member’s configuration')
    .requiredOption('--period <month>', 'as 2026-12; hospitals use no epoch whose month lies ahead')
    .action(async (options: { config: string; period: string }) => {
      const month = checkDocument(period, options.period, { what: '--period', code: 'BAD_CONFIG', own: true });
      if (month > monthOf(Date.now()))
        throw new Misuse('BAD_CONFIG', `${month} lies ahead (by UTC): hospitals would not use its epoch yet`, {
          hint: 'Open it when the month has begun; none before it could be opened any more.',
        });
      await asMember(
        options.config,
        ({ submit }) => submit({ type: 'openConsentEpoch', period: month }),
        openStatementsLedger,
      );
      done(`The epoch of ${month} is open: what patients said until now counts from here on.`);
    });

  ledger
    .command('withdraw-epoch')
    .description('take back the newest epoch of consent, opened by mistake, for all time (as auditor or admin)')
    .requiredOption('--config <file>', 'this member’s configuration')
    .requiredOption('--period <month>', 'the newest epoch')
    .requiredOption('--reason <text>', 'for all members to read')
    .action(async (options: { config: string; period: string; reason: string }) => {
      const month = checkDocument(period, options.period, { what: '--period', code: 'BAD_CONFIG', own: true });
      const { reason } = options;
      const withdraw = async ({ ledger, submit }: AtLedger) => {
        await submit({ type: 'withdrawConsentEpoch', period: month, reason });
        return ledger.consentEpochs().findLast(({ withdrawn }) => withdrawn === undefined);
      };
      const newest = await asMember(options.config, withdraw, openStatementsLedger);
      done(`The epoch of ${month} is withdrawn; ${newest ? `that of ${newest.period}` : 'none'} is the newest again.`);
    });

  ledger
    .command('publish')
    .description('make public that a query of this researcher gave a result, by the digest of its file')
    .requiredOption('--config <file>', 'the researcher’s configuration')
    .requiredOption('--query <id>', 'the completed query')
    .requiredOption('--result <file>', 'result.json')
    .requiredOption('--title <text>', 'what it is')
    .option('--link <url>', 'where to read more')
    .action(publish);

  readingOptions(
    ledger.command('trace').description('who did what when, about one query, dataset, hospital or researcher'),
  )
    .option('--query <id>', 'a query')
    .option('--dataset <name>', 'a dataset, in all versions')
    .option('--hospital <id>', 'a hospital')
    .option('--researcher <id>', 'a researcher')
    .action(async (options: LedgerSource & Partial<Record<TraceSubject['kind'], string>> & { json?: true }) => {
      const subject = subjectOf(options);
      const steps = await withLedgerView(options, (_, entries) => trace(entries, subject));
      if (options.json) return print(JSON.stringify(steps, undefined, 2));
      if (steps.length === 0) return say(`The ledger has nothing on this ${subject.kind}.`);
      const head = ['entry', 'time', 'who', 'what', 'query'];
      print(
        table(
          head,
          steps.map((s) => [String(s.index), s.time.slice(0, 19), s.by, s.what, s.query?.slice(0, 12) ?? '']),
        ),
      );
    });

  readingOptions(
    ledger.command('credits').description('what completed queries credited, by hospital, dataset and month'),
  )
    .option('--hospital <id>', 'of this hospital alone')
    .option('--dataset <name>', 'of this dataset alone')
    .option('--period <month>', 'of this calendar month alone, as 2026-12')
    .action(async (options: LedgerSource & { hospital?: string; dataset?: string; period?: string; json?: true }) => {
      const all = await withLedgerView(options, (view) => creditTotals(creditsOf(view)));
      const totals = all.filter(
        (each) =>
          each.hospital === (options.hospital ?? each.hospital) &&
          each.dataset === (options.dataset ?? each.dataset) &&
          each.period === (options.period ?? each.period),
      );
      if (options.json)
        return print(
          JSON.stringify(
            totals.map((each) => ({ ...each, amount: String(each.amount) })),
            undefined,
            2,
          ),
        );
      if (totals.length === 0) return say('Nothing was credited.');
      const head = ['hospital', 'dataset', 'month', 'queries', 'credits'];
      print(
        table(
          head,
          totals.map((t) => [t.hospital, t.dataset, t.period, String(t.queries), String(t.amount)]),
        ),
      );
    });
}

interface Publishing {
  readonly config: string;
  readonly query: string;
  readonly result: string;
  readonly title: string;
  readonly link?: string;
}

/** The receipt is read from the ledger of the query, and the publication goes where anyone reads it. */
async function publish(options: Publishing): Promise<void> {
  const { title, link } = options;
  const result = createHash('sha256').update(readText(options.result, 'result')).digest('hex');
  await asMember(options.config, async ({ config, ledger }) => {
    await ledger.refresh();
    const session = ledger.session(ledger.query(options.query)?.sessions.at(-1) ?? '');
    const receipt = session?.status === 'completed' ? session.receipts.at(-1) : undefined;
    if (session === undefined || receipt === undefined) {
      throw new Refusal('STALE', 'the ledger holds no completed query of this id', {
        hint: 'A result can be published once its answer was verified: healthchain query result.',
      });
    }
    await closing(await openStatementsLedger(config), (target) =>
      target.submit(readMember(config), {
        ...{ type: 'publishResult', ledger: ledger.consortium, session: session.id, receipt, result, title },
        ...(link === undefined ? {} : { link }),
      }),
    );
  });
  done(`Published "${title}": SHA-256 ${result}`);
}

function addSuspension(ledger: Command, verb: 'suspend' | 'reinstate'): void {
  ledger
    .command(verb)
    .description(
      verb === 'suspend'
        ? 'stop a member or a query (as auditor): nothing more happens with it'
        : 'end a suspension (as auditor)',
    )
    .requiredOption('--config <file>', 'the auditor’s configuration')
    .addOption(new Option('--organisation <id>', 'a member').conflicts('query'))
    .option('--query <id>', 'a query')
    .requiredOption('--reason <text>', 'why; all members read it')
    .option('--public', 'on the public ledger of a consortium that has one')
    .action(
      async (options: { config: string; organisation?: string; query?: string; reason: string; public?: boolean }) => {
        const subject = suspensionSubject(options);
        const nonce = toHex(randomBytes(32));
        await asMember(
          options.config,
          ({ submit }) => submit({ type: verb, subject, reason: options.reason, nonce }),
          (config) => openLedger(config, options.public === true),
        );
        const named = 'query' in subject ? `Query ${subject.query.slice(0, 12)}` : subject.organisation;
        done(`${named} is ${verb === 'suspend' ? 'suspended' : 'reinstated'}.`);
      },
    );
}

function suspensionSubject(options: { organisation?: string; query?: string }): SuspensionSubject {
  const check = <T>(type: Parameters<typeof checkDocument<T>>[0], value: unknown, what: string): T =>
    checkDocument(type, value, { what, code: 'BAD_CONFIG', own: true });
  if (options.organisation !== undefined)
    return { organisation: check(organisationId, options.organisation, '--organisation') };
  if (options.query !== undefined) return { query: check(queryId, options.query, '--query') };
  throw new Misuse('BAD_CONFIG', 'give --organisation or --query', { hint: 'Say whom or what it concerns.' });
}

const KINDS = ['query', 'dataset', 'hospital', 'researcher'] as const;

function subjectOf(options: Partial<Record<TraceSubject['kind'], string>>): TraceSubject {
  const [kind, ...others] = KINDS.filter((each) => options[each] !== undefined);
  if (kind !== undefined && others.length === 0) return { kind, id: options[kind]! };
  throw new Misuse('BAD_CONFIG', `give one of ${KINDS.map((each) => `--${each}`).join(', ')}`, {
    hint: 'A trace is of one subject; a query is named by its whole id.',
  });
}

const readingOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'read as this member')
    .option('--ledger <file>', 'read an export of the ledger, which is verified first')
    .option('--public', 'with --config: the public ledger of a consortium that has one')
    .option('--json', 'for programs');

/** Reasons and titles are other members' texts: what would steer a terminal is not printed. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) made.push(row.map((cell) => cell.replaceAll(/\p{Cc}/gu, '�')));
  return made.toString();
}
