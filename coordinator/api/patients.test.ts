import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actions } from '../../ledger/testing/world.ts';
import { signAccess, signConsent, type ConsentStatement } from '../../protocol/consent.ts';
import { Identity } from '../../protocol/identity.ts';
import { HOSPITALS, World } from '../testing/world.ts';

describe('patients at the open API', () => {
  let world: World;
  let url: string;
  const patient = Identity.generate();

  beforeAll(async () => {
    world = await World.found();
    const page = { path: '/patient', type: 'text/html; charset=utf-8', body: new Uint8Array(Buffer.from('<p>page')) };
    url = await world.start({ limits: { statementsPerSecond: 5 }, pages: [page] });
  });
  afterAll(() => world.close());

  const get = async (path: string): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(url + path);
    return { status: response.status, body: await response.json() };
  };
  const post = async (body: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${url}/v1/consent/statements`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const statement = (sequence: number, change: Partial<ConsentStatement> = {}): ConsentStatement => ({
    ...{ consortium: world.ledger.consortium, patient: patient.publicKey, sequence },
    ...{ decision: 'grant', dataset: 'heart', purposes: ['GRU'], hospitals: ['north'] },
    ...change,
  });
  const consent = (sequence: number, change: Partial<ConsentStatement> = {}): object => ({
    kind: 'consent',
    ...signConsent(patient, statement(sequence, change)),
  });
  /** The limit on statements gives five a second. */
  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1500));

  it('reads the ledger of statements, its hospitals, epochs and datasets', async () => {
    await world.act('audit', { type: 'openConsentEpoch', period: '2026-11' });
    await world.act('audit', actions.epoch('2099-01'));
    await world.act('audit', actions.withdrawEpoch('2099-01'));
    await world.ledger.refresh();
    await expect
      .poll(() => get('/v1/consent'), { timeout: 20_000 })
      .toMatchObject({
        status: 200,
        body: {
          consortium: world.ledger.consortium,
          hospitals: HOSPITALS.map((id) => ({ id, name: id })),
          epochs: [{ period: '2026-11', by: 'audit' }],
        },
      });
    expect(await get('/v1/datasets')).toMatchObject({
      body: { datasets: [{ dataset: 'heart', version: 1, consent: { basis: 'none', everyMonths: 1 } }] },
    });
    expect(await get('/v1/publications')).toEqual({ status: 200, body: { publications: [] } });
    expect(await get(`/v1/consent/patients/${patient.publicKey}`)).toMatchObject({ body: { code: 'UNKNOWN' } });
    expect((await get('/v1/consent/patients/nonsense')).status).toBe(400);
  });

  it('records what a patient signed, once, in the coordinator’s own name', async () => {
    expect(await post(consent(1))).toMatchObject({ status: 200 });
    expect(await post(consent(1))).toMatchObject({ body: { kind: 'Refusal', code: 'ALREADY_DONE' } });
    const access = signAccess(patient, {
      ...{ consortium: world.ledger.consortium, patient: patient.publicKey, sequence: 1 },
      ...{ decision: 'grant', doctor: 'd'.repeat(64), hospital: 'north', until: '2027-01-31' },
    });
    expect(await post({ kind: 'access', ...access })).toMatchObject({ status: 200 });
    await world.ledger.refresh();
    const recorded: string[] = [];
    const { size } = world.ledger.head();
    for await (const { index, signed } of world.ledger.entries(size - 2, AbortSignal.timeout(20_000))) {
      recorded.push(`${signed.action.type} by ${signed.caller.organisation}`);
      if (index + 1 === size) break;
    }
    expect(recorded).toEqual(['recordConsent by relay', 'recordAccess by relay']);
    expect(await get(`/v1/consent/patients/${patient.publicKey}`)).toMatchObject({
      status: 200,
      body: {
        consents: [{ sequence: 1, decision: 'grant', purposes: ['GRU'], epoch: '2026-11' }],
        accesses: [{ decision: 'grant', hospital: 'north' }],
      },
    });
    await rest();
  });

  it.each([
    ['a statement changed after signing', () => ({ ...consent(2), statement: statement(3) }), 'BAD_SIGNATURE'],
    ['one for another ledger', () => consent(2, { consortium: 'b'.repeat(64) }), 'UNKNOWN'],
    ['one about no hospital', () => consent(2, { hospitals: ['nowhere'] }), 'UNKNOWN'],
    ['one that is no statement', () => ({ kind: 'consent' }), 'MALFORMED'],
    ['what is no JSON', () => '{', 'MALFORMED'],
    ['one that is too large', () => ({ ...consent(2), more: 'x'.repeat(20_000) }), 'TOO_LARGE'],
  ])('refuses %s by name, and records nothing', async (_, body, code) => {
    await rest();
    const before = world.ledger.head().size;
    expect(await post(body())).toMatchObject({ body: { code } });
    await world.ledger.refresh();
    expect(world.ledger.head().size).toBe(before);
  });

  it('takes no more from one address than people sign', async () => {
    await rest();
    const forged = { ...consent(2), statement: statement(3) };
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(forged)));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(5);
  });

  it('is in the OpenAPI document', async () => {
    const { body } = await get('/openapi.json');
    const paths = [
      '/v1/consent',
      '/v1/consent/patients/{key}',
      '/v1/consent/statements',
      '/v1/datasets',
      '/v1/publications',
    ];
    expect(Object.keys((body as { paths: object }).paths)).toEqual(expect.arrayContaining(paths));
  });

  it('hands out the page so that it can load nothing else', async () => {
    const response = await fetch(`${url}/patient`);
    expect(await response.text()).toBe('<p>page');
    const policy = response.headers.get('content-security-policy')!;
    for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(part);
    }
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
