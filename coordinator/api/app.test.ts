import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signAction } from '../../ledger/index.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import { HOSPITALS, until, World } from '../testing/world.ts';
import { AddressLimit } from './address-limit.ts';

let world: World;
let query: string;
let session: string;
beforeAll(async () => {
  world = await World.found();
  const forward = (signed: SignedAction) =>
    signed.action.type === 'approveQuery' ? Promise.resolve({ index: 7, id: '' }) : Promise.reject(new Error('secret'));
  await world.start({ forward, publicUrl: 'https://relay.example/hc' });
  await world.connectAll(HOSPITALS);
  query = await world.approved();
  session = await world.session(query);
});
afterAll(() => world.close());

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
  components: { schemas: Record<string, unknown> };
}
const read = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(world.url + path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('open reads', () => {
  it('show what is on the ledger', async () => {
    const { body: consortium } = await read('/v1/consortium');
    expect(consortium['id']).toBe(world.ledger.consortium);
    expect(consortium['organisations']).toEqual(JSON.parse(JSON.stringify(world.ledger.organisations())));
    expect((await read('/v1/schemas')).body['schemas']).toHaveLength(1);
    expect((await read('/v1/schemas/heart@1')).body).toEqual(world.ledger.schema('heart@1'));
    const { body: listed } = await read('/v1/queries?status=running');
    expect(listed['queries']).toEqual([
      {
        ...{ id: query, researcher: 'rita', dataset: 'heart@1', purpose: 'GRU', title: 'Mean age', status: 'running' },
        ...{ hospitals: 4, approved: 4, denied: 0, sessions: 1 },
      },
    ]);
    expect((await read('/v1/queries?status=denied')).body['queries']).toEqual([]);
    expect((await read(`/v1/queries/${query}`)).body).toEqual(JSON.parse(JSON.stringify(world.ledger.query(query))));
    expect((await read(`/v1/sessions/${session}`)).body).toMatchObject({ id: session, status: 'open' });
    expect((await read('/v1/ledger/head')).body).toEqual(world.ledger.head());
  });

  it('show a receipt once there is one', async () => {
    expect((await read(`/v1/receipts/${session}`)).status).toBe(404);
    for (const hospital of HOSPITALS) await world.commit(hospital, session);
    await world.receipt(session, 0, false);
    await until(async () => ((await read(`/v1/receipts/${session}`)).status === 200 ? true : undefined));
    const { body } = await read(`/v1/receipts/${session}`);
    expect(body).toMatchObject({ session, query, final: false, roster: [...HOSPITALS] });
    expect(body['receipts']).toHaveLength(1);
  });

  it.each([
    ['/v1/queries/xyz', 400, 'MALFORMED'],
    [`/v1/queries/${'ab'.repeat(32)}`, 404, 'UNKNOWN'],
    [`/v1/queries/${'ab'.repeat(32)}/events`, 404, 'UNKNOWN'],
    [`/v1/sessions/${'ab'.repeat(32)}`, 404, 'UNKNOWN'],
    ['/v1/schemas/heart@2', 404, 'UNKNOWN'],
    ['/v1/queries?status=nonsense', 400, 'MALFORMED'],
    ['/v1/nothing', 404, 'UNKNOWN'],
  ])('answer %s with an error record', async (path, status, code) => {
    const response = await read(path);
    expect(response.status).toBe(status);
    expect(response.body).toMatchObject({ code });
    expect(typeof response.body['message']).toBe('string');
  });
});

describe('forwarding actions', () => {
  const post = (signed: unknown): Promise<Response> =>
    fetch(`${world.url}/v1/actions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signed),
    });
  const sign = (
    who = 'north',
    consortium = world.ledger.consortium,
    type: 'approveQuery' | 'denyQuery' = 'approveQuery',
  ) =>
    signAction(world.member(who), consortium, type === 'approveQuery' ? { type, query } : { type, query, reason: 'x' });

  it('hands a well-signed action on', async () => {
    const response = await post(sign());
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ index: 7, id: '' });
  });

  it('refuses what the ledger would refuse for its form', async () => {
    expect((await post({ ...sign(), signature: 'ab'.repeat(64) })).status).toBe(401);
    expect((await post(sign('north', 'ab'.repeat(32)))).status).toBe(409);
    expect((await post({ hello: 1 })).status).toBe(400);
    const { publicKey } = world.member('south').identity;
    expect((await post({ ...sign(), caller: { organisation: 'north', publicKey } })).status).toBe(401);
  });

  it('passes no foreign error text on', async () => {
    const response = await post(sign('north', world.ledger.consortium, 'denyQuery'));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('operations', () => {
  it('describe every route in the OpenAPI document, with schemas that resolve', async () => {
    const text = await (await fetch(`${world.url}/openapi.json`)).text();
    const document = JSON.parse(text) as Document;
    expect(document.openapi).toBe('3.1.0');
    expect(document).toMatchObject({ servers: [{ url: 'https://relay.example/hc' }] });
    const routes = Object.entries(document.paths).flatMap(([path, of]) =>
      Object.keys(of).map((each) => `${each} ${path}`),
    );
    expect(routes.sort()).toEqual([
      'get /health',
      'get /metrics',
      'get /v1/consent',
      'get /v1/consent/patients/{key}',
      'get /v1/consortium',
      'get /v1/datasets',
      'get /v1/ledger/head',
      'get /v1/publications',
      'get /v1/queries',
      'get /v1/queries/{id}',
      'get /v1/queries/{id}/events',
      'get /v1/receipts/{session}',
      'get /v1/schemas',
      'get /v1/schemas/{reference}',
      'get /v1/sessions/{id}',
      'get /v1/sessions/{id}/shares/{hospital}',
      'post /v1/actions',
      'post /v1/consent/statements',
      'post /v1/sessions/{id}/pull/{hospital}',
    ]);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
    expect([...text.matchAll(/"\$ref":"([^"]+)"/g)].every(([, at]) => at!.startsWith('#/components/'))).toBe(true);
    expect(document.components.schemas['Query']).toMatchObject({
      type: 'object',
      required: expect.anything() as unknown,
    });
    for (const of of Object.values(document.paths)) {
      for (const route of Object.values(of)) expect(Object.keys(route.responses)).toContain('200');
    }
  });

  it('list the endpoints for people, without outside assets', async () => {
    const response = await fetch(world.url);
    expect(response.headers.get('content-type')).toContain('text/html');
    const page = await response.text();
    expect(page).toContain('/v1/queries/{id}/events');
    expect(page).not.toMatch(/src=|https?:/);
  });

  it('tell who is connected', async () => {
    const { status, body } = await read('/health');
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ok',
      ledger: 'reachable',
      hospitals: HOSPITALS.map((id) => ({ id, connected: true })),
    });
  });

  it('count, in text that Prometheus reads', async () => {
    const response = await fetch(`${world.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of lines)
      expect(line).toMatch(/^healthchain_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+$/);
    for (const name of [
      'connections',
      'relayed_bytes_total',
      'stream_bytes_total',
      'event_loop_lag_seconds',
      'sessions',
    ]) {
      expect(lines.some((line) => line.startsWith(`healthchain_${name}`))).toBe(true);
    }
  });

  it('log ids and codes, never a query', () => {
    const log = world.logged.join('');
    expect(log).toContain(session);
    expect(log).not.toMatch(/Mean age|GRU|"age"|cohort|signature/);
  });
});

describe('the limit of an address', () => {
  it('lets a burst through, then a rate; IPv6 counts by network', () => {
    let now = 1000;
    const limit = new AddressLimit(10, () => now);
    const admitted = (address: string): number =>
      Array.from({ length: 50 }, () => limit.admits(address)).filter(Boolean).length;
    expect(admitted('192.0.2.1')).toBe(20);
    expect(admitted('192.0.2.2')).toBe(20);
    now += 500;
    expect(admitted('192.0.2.1')).toBe(5);
    expect(admitted('2001:db8:1:2::1')).toBe(20);
    expect(admitted('2001:db8:1:2::2')).toBe(0);
    expect(admitted('2001:db8:1:3::1')).toBe(20);
  });

  it('answers 429 over HTTP', async () => {
    await world.kill();
    await world.start({ limits: { requestsPerSecond: 0.5 } });
    const statuses = await Promise.all(Array.from({ length: 20 }, () => fetch(world.url).then((each) => each.status)));
    // Some more pass on a slow machine: the bucket fills while they come in.
    expect(statuses.filter((each) => each === 429).length).toBeGreaterThan(10);
  });
});
