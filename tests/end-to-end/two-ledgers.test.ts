import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAnswer } from '../../cli/answer-files.ts';
import { RemoteLedger, type Member } from '../../ledger/index.ts';
import { signConsent, type ConsentStatement } from '../../protocol/consent.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import {
  ask,
  cli,
  makeFolder,
  monthsAgo,
  OPEN_RELEASE,
  removeFolder,
  startConsortium,
  until,
  valuesOf,
  type Consortium,
} from './world.ts';

const HOSPITALS = ['anna', 'bert', 'carl'] as const;
const PATIENTS = 6;
const [FIRST, SECOND, THIRD] = [monthsAgo(2), monthsAgo(1), monthsAgo(0)];
const SECONDS = 120;

const schema = datasetSchema.parse({
  dataset: 'visits',
  version: 1,
  columns: [{ name: 'cost', type: 'number', decimals: 0, minimum: '0', maximum: '100000' }],
  consent: { basis: 'opt-in' },
});
const QUERY = {
  ...{ dataset: 'visits', purpose: 'GRU', release: OPEN_RELEASE },
  statistics: [{ count: {} }, { sum: { column: 'cost' } }],
};

/** Queries on one ledger, what patients say on another, each in a process of its own, as is every member. */
describe('a consortium with a ledger for each tier', { timeout: 300_000 }, () => {
  const folder = makeFolder('two-ledgers');
  const home = join(folder, 'home');
  let consortium: Consortium;
  let open: RemoteLedger;
  let sequence = 0;
  const patients = HOSPITALS.flatMap((hospital, h) =>
    Array.from({ length: PATIENTS }, (_, at) => ({
      ...{ hospital, name: `${hospital}-${at}`, identity: Identity.generate(), cost: 1000 * (h + 1) + 37 * at },
    })),
  );
  type Patient = (typeof patients)[number];
  const consenting = patients.filter((_, at) => at % 2 === 0);
  const gone = consenting[0]!;
  const directly = (those: readonly Patient[]): object => ({
    count: those.length,
    'sum(cost)': those.reduce((sum, { cost }) => sum + cost, 0),
  });

  const admin = (): Member => ({
    organisation: 'consortium',
    identity: Identity.fromPem(readFileSync(join(home, 'consortium.pem'), 'utf8')),
  });
  const onPublic = (action: Action): Promise<unknown> => open.submit(admin(), action);
  const statement = (patient: Patient, ledger: string, decision: ConsentStatement['decision'] = 'grant'): Action => {
    const use = { dataset: 'visits', purposes: '*', hospitals: '*' } as const;
    const by = { consortium: ledger, patient: patient.identity.publicKey, sequence: ++sequence, decision };
    return { type: 'recordConsent', ...signConsent(patient.identity, { ...by, ...use }) };
  };
  const decisionsOn = (query: string) => consortium.ledger.query(query)?.decisions ?? [];
  const answered = (query: string) =>
    consortium.researcher.answer(query, { signal: AbortSignal.timeout(1000 * SECONDS) });

  beforeAll(async () => {
    const hospitals = HOSPITALS.map((id) => {
      const own = patients.filter(({ hospital }) => hospital === id);
      const [file, keys] = [join(folder, `${id}.csv`), join(folder, `${id}-keys.csv`)];
      writeFileSync(file, ['mrn,cost', ...own.map(({ name, cost }) => `${name},${cost}`)].join('\n') + '\n');
      const told = own.map(({ name, identity }) => `${name},${identity.publicKey}`);
      writeFileSync(keys, ['patient,key', ...told].join('\n') + '\n');
      return { id, files: [file], consent: { patient: 'mrn', keys } };
    });
    consortium = await startConsortium({ folder: home, hospitals, schema, publicLedger: true });
    const { publicLedger } = JSON.parse(readFileSync(join(home, 'anna.json'), 'utf8')) as {
      publicLedger: { url: string; consortium: string };
    };
    open = await RemoteLedger.connect(publicLedger);
  }, 300_000);
  afterAll(async () => {
    await open.close();
    await consortium.stop();
    removeFolder(folder);
  });

  it('keeps them apart: two consortium ids, and no statement among queries, or the other way round', async () => {
    expect([consortium.ledger.tier, open.tier]).toEqual(['consortium', 'public']);
    expect(consortium.ledger.consortium).not.toBe(open.consortium);
    const misplaced = consortium.ledger.submit(admin(), statement(gone, consortium.ledger.consortium));
    await expect(misplaced).rejects.toMatchObject({ kind: 'Refusal', code: 'POLICY' });
    await expect(onPublic({ type: 'registerSchema', schema })).rejects.toMatchObject({ code: 'POLICY' });
    await expect(ask(consortium, QUERY)).rejects.toMatchObject({ kind: 'Refusal', code: 'POLICY' });
  });

  it('answers by the epoch that is open on the public ledger', async () => {
    for (const patient of consenting) await onPublic(statement(patient, open.consortium));
    await onPublic({ type: 'openConsentEpoch', period: FIRST });
    const answer = await ask(consortium, QUERY, { seconds: SECONDS });
    expect(answer.query.consentEpoch).toBe(FIRST);
    expect(valuesOf(answer)).toMatchObject(directly(consenting));

    const out = join(folder, 'answer');
    await writeAnswer(out, answer, consortium.ledger);
    const verified = await cli('verify', join(out, 'receipt.json'), '--ledger', join(out, 'ledger.json'));
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout + verified.stderr).toContain(`the epoch ${FIRST} (opt-in)`);
    const exported = readFileSync(join(out, 'ledger.json'), 'utf8');
    for (const { identity } of consenting) expect(exported).not.toContain(identity.publicKey);
  });

  it('answers while the public ledger is down, from what the members have verified of it', async () => {
    const down = consortium.processes.get('public-ledger')!;
    down.kill();
    await until('its end', () => !down.running);
    const query = await consortium.researcher.submit(QUERY, { consentEpoch: FIRST });
    expect(valuesOf(await answered(query))).toMatchObject(directly(consenting));
    await consortium.restart('public-ledger');
  });

  it('waits for an epoch that the public ledger does not have yet, and goes on when it comes', async () => {
    await until('the public ledger', () => onPublic(statement(gone, open.consortium, 'withdraw')).then(() => true), 60);
    const query = await consortium.researcher.submit(QUERY, { consentEpoch: SECOND });
    const waits = /consent: the epoch .* is not open on the ledger that this hospital reads/;
    for (const id of HOSPITALS)
      await until(`${id} to wait`, () => waits.test(readFileSync(join(home, 'logs', `${id}.log`), 'utf8')), 60);
    expect(decisionsOn(query)).toEqual([]);
    await onPublic({ type: 'openConsentEpoch', period: SECOND });
    expect(valuesOf(await answered(query))).toMatchObject(directly(consenting.filter((each) => each !== gone)));
  });

  it('goes back behind no epoch that was in use, though the public ledger withdraws it', async () => {
    await onPublic({ type: 'openConsentEpoch', period: THIRD });
    expect(valuesOf(await ask(consortium, QUERY, { seconds: SECONDS }))).toMatchObject({
      count: consenting.length - 1,
    });
    await onPublic({ type: 'withdrawConsentEpoch', period: THIRD, reason: 'opened by mistake' });
    for (const [epoch, reason] of [
      [SECOND, new RegExp(`${SECOND} is over, since ${THIRD} was open`)],
      [THIRD, new RegExp(`${THIRD} was withdrawn`)],
    ] as const) {
      const query = await consortium.researcher.submit(QUERY, { consentEpoch: epoch });
      await until('the denial', () => consortium.ledger.query(query)?.status === 'denied', SECONDS);
      // With the second denial too few are left for the query, and the third hospital need not decide.
      expect(decisionsOn(query).length).toBeGreaterThanOrEqual(2);
      for (const each of decisionsOn(query))
        expect(each).toMatchObject({ decision: 'denied', reason: expect.stringMatching(reason) as string });
    }
  });
});
