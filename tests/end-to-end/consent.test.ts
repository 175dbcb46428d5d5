import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signConsent, type ConsentStatement } from '../../protocol/consent.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import { writeAnswer } from '../../cli/answer-files.ts';
import type { Answer } from '../../researcher/client.ts';
import {
  ask,
  cli,
  editConfig,
  makeFolder,
  monthsAgo as month,
  OPEN_RELEASE,
  removeFolder,
  startConsortium,
  until,
  valuesOf,
  type Consortium,
} from './world.ts';

const HOSPITALS = ['anna', 'bert', 'carl'] as const;
type Hospital = (typeof HOSPITALS)[number];
const PATIENTS = 12;

interface Patient {
  readonly hospital: Hospital;
  readonly name: string;
  readonly identity: Identity;
  readonly rows: readonly number[];
}

const schema = datasetSchema.parse({
  dataset: 'visits',
  version: 1,
  columns: [{ name: 'cost', type: 'number', decimals: 0, minimum: '0', maximum: '100000' }],
  consent: { basis: 'opt-in' },
});

describe('a query on a dataset that rests on consent', { timeout: 300_000 }, () => {
  const folder = makeFolder('consent');
  const home = join(folder, 'home');
  let consortium: Consortium;
  let sequence = 0;
  const patients: Patient[] = HOSPITALS.flatMap((hospital, h) =>
    Array.from({ length: PATIENTS }, (_, at) => ({
      hospital,
      name: `ZZPATIENT-${hospital}-${at}`,
      identity: Identity.generate(),
      rows: Array.from({ length: 1 + (at % 3) }, (__, row) => 1000 * (h + 1) + 37 * at + row),
    })),
  );
  const of = (hospital: Hospital, at: number): Patient => patients.filter((each) => each.hospital === hospital)[at]!;

  const admin = (action: Action): Promise<unknown> => {
    const identity = Identity.fromPem(readFileSync(join(home, 'consortium.pem'), 'utf8'));
    return consortium.ledger.submit({ organisation: 'consortium', identity }, action);
  };
  const say = (patient: Patient, change: Partial<ConsentStatement>): Promise<unknown> => {
    const statement = { consortium: consortium.ledger.consortium, patient: patient.identity.publicKey };
    return admin({
      type: 'recordConsent',
      ...signConsent(patient.identity, {
        ...{ ...statement, sequence: ++sequence, decision: 'grant', dataset: 'visits' },
        ...{ purposes: '*', hospitals: '*' },
        ...change,
      }),
    });
  };
  const query = (purpose: string): object => ({
    ...{ dataset: 'visits', purpose, release: OPEN_RELEASE },
    statistics: [{ count: {} }, { sum: { column: 'cost' } }],
  });
  const answer = (purpose: string): Promise<Answer> => ask(consortium, query(purpose), { seconds: 120 });
  /** What direct computation over these patients' rows gives. */
  const directly = (consenting: readonly Patient[]): object => {
    const rows = consenting.flatMap((each) => each.rows);
    return { count: rows.length, 'sum(cost)': rows.reduce((sum, each) => sum + each, 0) };
  };

  beforeAll(async () => {
    const hospitals = HOSPITALS.map((id) => {
      const own = patients.filter(({ hospital }) => hospital === id);
      const file = join(folder, `${id}.csv`);
      // Two rows of nobody, which count in no cohort.
      const rows = [...own.flatMap(({ name, rows: costs }) => costs.map((cost) => `${name},${cost}`)), ',5', 'NA,7'];
      writeFileSync(file, ['mrn,cost', ...rows].join('\n') + '\n');
      const keys = join(folder, `${id}-keys.csv`);
      // The last patient has told the hospital no key.
      const told = own.slice(0, -1).map(({ name, identity }) => `${name},${identity.publicKey}`);
      writeFileSync(keys, ['patient,key', ...told].join('\n') + '\n');
      return { id, files: [file], consent: { patient: 'mrn', keys } };
    });
    consortium = await startConsortium({ folder: home, hospitals, schema });
  }, 300_000);
  afterAll(async () => {
    await consortium.stop();
    removeFolder(folder);
  });

  const consenting = patients.filter((_, at) => at % 2 === 0);

  it('is refused while no epoch is open', async () => {
    await expect(answer('HMB')).rejects.toMatchObject({ kind: 'Refusal', code: 'POLICY' });
  });

  it('counts the rows of those who consented before the epoch, and of nobody else', async () => {
    for (const patient of consenting) await say(patient, { purposes: ['HMB'] });
    // Whose key no hospital knows says it in vain.
    await say(of('anna', PATIENTS - 1), { purposes: ['HMB'] });
    await admin({ type: 'openConsentEpoch', period: month(2) });
    const first = await answer('HMB');
    expect(valuesOf(first)).toMatchObject(directly(consenting));
    expect(first.query.consentEpoch).toBe(month(2));
    expect(valuesOf(await answer('GRU'))).toMatchObject({ count: 0 });

    const out = join(folder, 'answer');
    await writeAnswer(out, first, consortium.ledger);
    const verified = await cli('verify', join(out, 'receipt.json'), '--ledger', join(out, 'ledger.json'));
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout + verified.stderr).toContain(`the epoch ${month(2)} (opt-in)`);
  });

  it('changes with the next epoch and not before, by purpose and by hospital', async () => {
    const before = directly(consenting);
    const [gone, elsewhere, added] = [of('anna', 0), of('bert', 2), of('carl', 1)];
    await say(gone, { decision: 'withdraw' });
    await say(elsewhere, { decision: 'withdraw', hospitals: ['anna'] });
    await say(added, { purposes: ['GRU'], hospitals: ['carl'] });
    await say(of('carl', 3), { purposes: ['GRU'], hospitals: ['bert'] });
    expect(valuesOf(await answer('HMB'))).toMatchObject(before);

    await admin({ type: 'openConsentEpoch', period: month(1) });
    const after = await answer('HMB');
    expect(valuesOf(after)).toMatchObject(directly(consenting.filter((each) => each !== gone)));
    expect(after.query.consentEpoch).toBe(month(1));
    expect(valuesOf(await answer('GRU'))).toMatchObject(directly([added]));
  });

  it('is ready for by what the doctor sees, in counts', async () => {
    const seen = await cli('doctor', '--config', join(home, 'anna.json'));
    const told = seen.stdout + seen.stderr;
    expect(told).toMatch(
      /11 patients have keys, 11 of them are among the 12 of the records; 2 of \d+ rows name no patient/,
    );
    expect(told).not.toContain('ZZPATIENT');
  });

  it('is denied by a hospital that has not mapped its patients', async () => {
    await consortium.processes.get('carl')!.stop();
    editConfig(join(home, 'carl.json'), (config) => {
      delete (config as { datasets: { visits: { consent?: unknown } } }).datasets.visits.consent;
    });
    await consortium.restart('carl');
    const id = await consortium.researcher.submit(query('HMB'));
    const denied = await until(
      'the denial',
      () => consortium.ledger.query(id)?.decisions.find(({ hospital }) => hospital === 'carl'),
      120,
    );
    expect(denied).toMatchObject({
      decision: 'denied',
      reason: expect.stringMatching(/^consent: the dataset is opt-in, and this hospital has not mapped/) as string,
    });
  });

  it('leaves no patient’s name on the ledger or in a log, and no key that said nothing', async () => {
    const silent = patients.filter((each) => consortium.ledger.patient(each.identity.publicKey) === undefined);
    expect(silent.length).toBeGreaterThan(5);
    const logs = readdirSync(join(home, 'logs')).map((name) => readFileSync(join(home, 'logs', name), 'utf8'));
    expect(logs.join('').length).toBeGreaterThan(1000);
    const everything = [JSON.stringify(await consortium.ledger.export()), ...logs].join('\n');
    expect(everything).not.toContain('ZZPATIENT');
    for (const { identity } of silent) expect(everything).not.toContain(identity.publicKey);
  });
});
