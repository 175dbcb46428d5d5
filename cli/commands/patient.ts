import { Option, type Command } from 'commander';
import { accessGranted, accessOf, consentAt } from '../../ledger/index.ts';
import { checkDocument } from '../../protocol/canonical.ts';
import {
  accessStatement,
  consentStatement,
  patientStatement,
  period,
  signAccess,
  signConsent,
  type PatientStatement,
} from '../../protocol/consent.ts';
import { Misuse } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import { digest } from '../../protocol/names.ts';
import { renderDocument } from '../../researcher/result/documents.ts';
import { memberConfig, readConfig } from '../config.ts';
import { readDocument, readText, writeWhole } from '../files.ts';
import { asMember, openStatementsLedger, withLedgerView, type AtLedger, type LedgerSource } from '../ledger-source.ts';
import { done, print, say } from '../output.ts';
import { generateKey } from './keys.ts';

/** How a patient's statement is made: signed and recorded at once as a member, or signed to a file for anyone to relay. */
interface Making {
  readonly key: string;
  readonly config?: string;
  readonly consortium?: string;
  readonly out?: string;
  readonly sequence?: string;
}

export function addPatientCommands(program: Command): void {
  const consent = program.command('consent').description('a patient’s consent: key, grant, withdraw, relay, show');
  consent
    .command('key')
    .description('make a patient’s key; its public half is the pseudonym that statements carry')
    .requiredOption('--out <file>', 'where the private key goes (PEM); never overwritten')
    .action((options: { out: string }) => {
      generateKey(options.out);
      say('Tell the public key to your hospitals, and nobody else: it is your name on the ledger.');
    });
  for (const decision of ['grant', 'withdraw'] as const) addConsent(consent, decision);
  addRelay(consent);
  addShow(consent);

  const access = program
    .command('access')
    .description('a patient’s grants of reading to doctors: grant, revoke, check');
  for (const decision of ['grant', 'revoke'] as const) addAccess(access, decision);
  addRelay(access);
  addCheck(access);
}

const making = (command: Command): Command =>
  command
    .requiredOption('--key <file>', 'the patient’s private key (PEM)')
    .option('--config <file>', 'record it through this member')
    .addOption(new Option('--out <file>', 'write the signed statement, for anyone to relay').conflicts('config'))
    .option('--consortium <id>', 'with --out: consortium id of the ledger it is meant for')
    .option('--sequence <number>', 'higher than in any earlier statement (default: milliseconds since 1970)');

function addConsent(consent: Command, decision: 'grant' | 'withdraw'): void {
  making(consent.command(decision).description(`${decision} consent; it takes effect with the next epoch`))
    .option('--dataset <name>', 'a dataset; all of them unless given')
    .option('--purpose <code...>', 'purposes, as GRU; all of them unless given')
    .option('--hospital <id...>', 'hospitals; all of them unless given')
    .action((options: Making & { dataset?: string; purpose?: string[]; hospital?: string[] }) =>
      make(options, (common, patient) => ({
        kind: 'consent',
        ...signConsent(
          patient,
          checkDocument(
            consentStatement,
            {
              ...common,
              decision,
              dataset: options.dataset ?? '*',
              purposes: options.purpose ?? '*',
              hospitals: options.hospital ?? '*',
            },
            { what: 'consent', code: 'BAD_CONFIG', own: true },
          ),
        ),
      })),
    );
}

function addAccess(access: Command, decision: 'grant' | 'revoke'): void {
  const command = making(
    access
      .command(decision)
      .description(decision === 'grant' ? 'let a doctor read until a day' : 'no longer let a doctor read'),
  )
    .requiredOption('--doctor <key>', 'the doctor’s public key')
    .requiredOption('--hospital <id>', 'where');
  if (decision === 'grant') command.requiredOption('--until <day>', 'last day, as 2027-01-31 (UTC)');
  command.action((options: Making & { doctor: string; hospital: string; until?: string }) => {
    const { doctor, hospital, until } = options;
    return make(options, (common, patient) => ({
      kind: 'access',
      ...signAccess(
        patient,
        checkDocument(
          accessStatement,
          { ...common, decision, doctor, hospital, ...(until !== undefined && { until }) },
          { what: 'access', code: 'BAD_CONFIG', own: true },
        ),
      ),
    }));
  });
}

type Common = { readonly consortium: string; readonly patient: string; readonly sequence: number };

async function make(options: Making, sign: (common: Common, patient: Identity) => PatientStatement): Promise<void> {
  const identity = Identity.fromPem(readText(options.key, 'patient key'));
  const patient = identity.publicKey;
  if (options.out !== undefined) {
    const consortium = checkDocument(digest, options.consortium, {
      what: '--consortium',
      code: 'BAD_CONFIG',
      own: true,
    });
    const sequence = Number(options.sequence ?? Date.now());
    writeWhole(options.out, renderDocument(sign({ consortium, patient, sequence }, identity)));
    done(`Signed, in ${options.out}. Any member can record it with: healthchain consent relay ${options.out}`);
    return;
  }
  if (options.config === undefined) {
    throw new Misuse('BAD_CONFIG', 'give --config to record the statement, or --out to sign it to a file', {
      hint: 'With --out, give --consortium too.',
    });
  }
  const record = async ({ ledger, submit }: AtLedger): Promise<void> => {
    await ledger.refresh();
    const before = ledger.patient(patient);
    const newest = Math.max(...[before?.consents, before?.accesses].map((all) => all?.at(-1)?.sequence ?? 0));
    const sequence = Number(options.sequence ?? Math.max(Date.now(), newest + 1));
    const statement = sign({ consortium: ledger.consortium, patient, sequence }, identity);
    await submit(actionOf(statement));
  };
  await asMember(options.config, record, openStatementsLedger);
  done('Recorded.');
}

const actionOf = ({ kind, ...signed }: PatientStatement) =>
  // The kind says which of the two shapes the rest has.
  ({ type: kind === 'consent' ? 'recordConsent' : 'recordAccess', ...signed }) as
    | ({ type: 'recordConsent' } & Omit<Extract<PatientStatement, { kind: 'consent' }>, 'kind'>)
    | ({ type: 'recordAccess' } & Omit<Extract<PatientStatement, { kind: 'access' }>, 'kind'>);

function addRelay(parent: Command): void {
  parent
    .command('relay')
    .description('record a statement that a patient signed to a file (as any member)')
    .argument('<file>', 'the signed statement (JSON)')
    .requiredOption('--config <file>', 'this member’s configuration')
    .action(async (file: string, options: { config: string }) => {
      const statement = readDocument(patientStatement, file, 'statement');
      await asMember(options.config, ({ submit }) => submit(actionOf(statement)), openStatementsLedger);
      done(`Recorded what the patient ${statement.statement.patient.slice(0, 12)} signed.`);
    });
}

const reading = (command: Command): Command =>
  command
    .requiredOption('--patient <key>', 'the patient’s public key')
    .option('--config <file>', 'read as this member')
    .option('--ledger <file>', 'read an export of the ledger, which is verified first');

function addShow(consent: Command): void {
  reading(consent.command('show').description('what a patient’s key has said on the ledger'))
    .option('--json', 'for programs')
    .option('--epoch <month>', 'the decision as of this epoch, with --dataset, --purpose and --hospital')
    .option('--dataset <name>', 'a dataset')
    .option('--purpose <code>', 'a purpose')
    .option('--hospital <id>', 'a hospital')
    .action(
      async (
        options: LedgerSource & { patient: string; json?: true } & Partial<
            Record<'epoch' | 'dataset' | 'purpose' | 'hospital', string>
          >,
      ) => {
        const [record, epochs] = await statementsOf(options, (view) => [
          view.patient(options.patient),
          view.consentEpochs(),
        ]);
        if (options.epoch !== undefined) {
          const { epoch, dataset, purpose, hospital } = options;
          if (dataset === undefined || purpose === undefined || hospital === undefined) {
            throw new Misuse('BAD_CONFIG', '--epoch needs --dataset, --purpose and --hospital', {
              hint: 'A decision is on one use of records.',
            });
          }
          checkDocument(period, epoch, { what: '--epoch', code: 'BAD_CONFIG', own: true });
          if (epochs.some((each) => each.period === epoch && each.withdrawn !== undefined))
            throw new Misuse('BAD_CONFIG', `the epoch of ${epoch} was withdrawn: no use rests on it`, {
              hint: 'Ask as of another epoch.',
            });
          return print(consentAt(record?.consents ?? [], { dataset, purpose, hospital, epoch }) ?? 'undecided');
        }
        if (options.json) return print(JSON.stringify(record ?? null, undefined, 2));
        if (record === undefined) return say('This key has said nothing on this ledger.');
        const all = (names: '*' | readonly string[], what: string) =>
          names === '*' ? `all ${what}` : names.join(', ');
        for (const each of record.consents) {
          const dataset = each.dataset === '*' ? 'all datasets' : each.dataset;
          const from = each.epoch === undefined ? 'the first epoch' : `epochs after ${each.epoch}`;
          print(
            `${each.decision}: ${dataset}, ${all(each.purposes, 'purposes')}, ${all(each.hospitals, 'hospitals')}; from ${from}`,
          );
        }
        for (const each of record.accesses) {
          const until = each.until === undefined ? '' : ` until ${each.until}`;
          print(`access ${each.decision}: ${each.doctor} at ${each.hospital}${until}`);
        }
      },
    );
}

function addCheck(access: Command): void {
  reading(access.command('check').description('whether a doctor may read now; exits with 1 if not'))
    .requiredOption('--doctor <key>', 'the doctor’s public key')
    .requiredOption('--hospital <id>', 'where')
    .option('--at <time>', 'instead of now (ISO 8601)')
    .action(async (options: LedgerSource & { patient: string; doctor: string; hospital: string; at?: string }) => {
      const { patient, doctor, hospital } = options;
      const at = new Date(options.at ?? Date.now());
      if (Number.isNaN(at.getTime())) throw new Misuse('BAD_CONFIG', '--at is not a time', { hint: 'As 2026-12-31.' });
      const found = await statementsOf(options, (view) => ({
        granted: accessGranted(view, { patient, doctor, hospital, at }),
        newest: accessOf(view.patient(patient), { doctor, hospital }),
      }));
      print(found.granted ? 'granted' : 'not granted');
      const { newest } = found;
      if (newest === undefined) say('The patient has said nothing on this doctor at this hospital.');
      else say(newest.decision === 'revoke' ? 'The patient revoked it.' : `The grant's last day is ${newest.until}.`);
      if (!found.granted) process.exitCode = 1;
    });
}

/** Reads where the statements are: of a member with two ledgers on the public one. */
function statementsOf<T>(source: LedgerSource, read: Parameters<typeof withLedgerView<T>>[1]): Promise<T> {
  if (source.config === undefined) return withLedgerView(source, read);
  const { publicLedger } = readConfig(memberConfig, source.config);
  return withLedgerView({ ...source, public: publicLedger !== undefined }, read);
}
