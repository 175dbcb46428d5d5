import { randomBytes } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { proveRequest, PROOF_HEADER } from '../../protocol/request.ts';
import type { TestHospital } from '../testing/hospital.ts';
import { HOSPITALS, pause, until, World } from '../testing/world.ts';

let world: World;
let session: string;
let north: TestHospital;
const target = (hospital = 'north', step = 0): string => `/v1/sessions/${session}/shares/${hospital}?step=${step}`;

beforeAll(async () => {
  world = await World.found();
  await world.start({
    deadlines: { stream: 1500, dropOut: 60_000 },
    limits: { streamsPerResearcher: 8, controlPerSecond: 1000 },
  });
  await world.connectAll(HOSPITALS);
  session = await world.session(await world.approved());
});
beforeEach(async () => {
  north = await world.connect('north');
});
afterAll(() => world.close());

/** The number of the stream that the next pull opens. */
const nextPull = async (): Promise<number> => (await north.next('pull')).stream;

/** Splits a whole body; the last chunk of a body that is complete is empty. */
function chunksOf(body: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at + 4 <= body.length;) {
    const length = body.readUInt32BE(at);
    chunks.push(body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return chunks;
}

/** A request whose body is read by hand, as slowly as one likes. */
function slowGet(): Promise<IncomingMessage> {
  const proof = proveRequest(
    world.member('rita'),
    { method: 'GET', target: target(), body: Buffer.alloc(0) },
    Date.now(),
  );
  return new Promise((resolve, reject) => {
    get(world.url + target(), { headers: { [PROOF_HEADER]: proof } }, resolve).on('error', reject);
  });
}

/** Serves a stream as a hospital does: a chunk for each credit. */
function serve(stream: number, chunks: readonly Uint8Array[]): { sent: () => number; stop: () => void } {
  let next = 0;
  let credit = 0;
  let seen = 0;
  const timer = setInterval(() => {
    const credits = north.frames.filter((frame) => frame.type === 'credit' && frame.stream === stream);
    for (const each of credits.slice(seen)) if (each.type === 'credit') credit += each.chunks;
    seen = credits.length;
    for (; credit > 0 && next < chunks.length; credit--)
      north.send({ type: 'chunk', stream, payload: chunks[next++]! });
    if (next < chunks.length) return;
    north.send({ type: 'end', stream });
    clearInterval(timer);
  }, 1);
  return { sent: () => next, stop: () => clearInterval(timer) };
}

describe('fetching a share', () => {
  it('streams chunks with their lengths, and marks the end', async () => {
    const chunks = Array.from({ length: 100 }, (_, i) => randomBytes(1 + i * 997));
    const answer = world.request('rita', target('north', 3));
    const { stream, request } = await north.next('pull');
    expect(request).toEqual({ kind: 'share', session, step: 3 });
    expect((await north.next('credit')).chunks).toBe(8);
    serve(stream, chunks);
    const response = await answer;
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/vnd.healthchain.share');
    const got = chunksOf(Buffer.from(await response.arrayBuffer()));
    expect(got.pop()).toHaveLength(0);
    expect(got.map((each) => each.toString('hex'))).toEqual(chunks.map((each) => each.toString('hex')));
  });

  it('gives credit as fast as the reader reads, and no faster', async () => {
    const chunks = Array.from({ length: 400 }, () => Buffer.alloc(256 * 1024, 5));
    const answer = slowGet();
    const stream = await nextPull();
    const serving = serve(stream, chunks);
    const response = await answer;
    response.pause();
    await pause(400);
    const ahead = serving.sent();
    // The kernel's buffers take some; after that nothing moves.
    expect(ahead).toBeLessThan(100);
    await pause(200);
    expect(serving.sent()).toBe(ahead);
    let bytes = 0;
    for await (const part of response) bytes += (part as Buffer).length;
    expect(bytes).toBe(400 * (256 * 1024 + 4) + 4);
  });

  it('lets a torn body show when the hospital fails in the middle', async () => {
    const answer = world.request('rita', target());
    const stream = await nextPull();
    north.send({ type: 'chunk', stream, payload: Buffer.from('half') });
    const response = await answer;
    expect(response.status).toBe(200);
    north.send({ type: 'cancel', stream, error: { kind: 'Fault', code: 'DISK', message: 'disk' } });
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  it('lets a torn body show when the hospital goes away in the middle', async () => {
    const answer = world.request('rita', target());
    const stream = await nextPull();
    north.send({ type: 'chunk', stream, payload: Buffer.from('half') });
    const response = await answer;
    north.kill();
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  it('passes on why the hospital cannot serve it', async () => {
    const answer = world.request('rita', target());
    const error = { kind: 'Refusal' as const, code: 'STALE', message: 'not opened yet', hint: 'wait' };
    north.send({ type: 'cancel', stream: await nextPull(), error });
    const response = await answer;
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual(error);
  });

  it('says when the hospital is not there, or goes before its first word', async () => {
    const answer = world.request('rita', target());
    await nextPull();
    north.kill();
    expect((await answer).status).toBe(503);
    await until(async () => ((await world.metric('healthchain_connections')) === 3 ? true : undefined));
    const response = await world.request('rita', target());
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ kind: 'Fault', code: 'PEER_GONE', party: 'north' });
  });

  it('tells the hospital when the reader goes away', async () => {
    for (const begun of [false, true]) {
      const gone = new AbortController();
      const answer = world.request('rita', target(), { signal: gone.signal });
      const stream = begun ? (await north.next('pull', (frame) => frame.stream > 1)).stream : await nextPull();
      if (begun) north.send({ type: 'chunk', stream, payload: Buffer.from('x') });
      if (begun) await answer;
      gone.abort();
      if (!begun) await expect(answer).rejects.toThrow();
      expect(await north.next('cancel', (frame) => frame.stream === stream)).toMatchObject({ error: undefined });
      // What was under way is no violation.
      north.send({ type: 'chunk', stream, payload: Buffer.from('late') });
      north.send({ type: 'end', stream });
    }
    await pause(50);
    expect(north.isOpen).toBe(true);
    expect(await world.metric('healthchain_streams')).toBe(0);
  });

  it('ends in DEADLINE when the hospital says nothing', async () => {
    const response = await world.request('rita', target());
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'DEADLINE' });
    expect(await north.next('cancel')).toMatchObject({ error: { code: 'DEADLINE' } });
  });

  it('disconnects a hospital that sends more than it was asked for', async () => {
    // Torn, or not even begun: the coordinator may end it before the first byte has left.
    const answer = slowGet().then(
      (response) => response.pause(),
      () => undefined,
    );
    const stream = await nextPull();
    for (let i = 0; i < 200; i++) north.send({ type: 'chunk', stream, payload: Buffer.alloc(1000) });
    expect(await north.closed()).toEqual({ code: 1008, reason: 'chunk without credit' });
    await answer;
  });

  it('disconnects a hospital that sends an empty chunk: it would read as the end', async () => {
    const answer = world.request('rita', target());
    north.send({ type: 'chunk', stream: await nextPull(), payload: Buffer.alloc(0) });
    expect(await north.closed()).toEqual({ code: 1008, reason: 'empty chunk' });
    expect((await answer).status).toBe(503);
  });

  it('limits the streams of one researcher', async () => {
    const gone = new AbortController();
    const open = Array.from({ length: 8 }, () => world.request('rita', target(), { signal: gone.signal }));
    await until(async () => ((await world.metric('healthchain_streams')) === 8 ? true : undefined));
    const response = await world.request('rita', target());
    expect(response.status).toBe(429);
    gone.abort();
    await Promise.allSettled(open);
    await until(async () => ((await world.metric('healthchain_streams')) === 0 ? true : undefined));
  });
});

describe('who may fetch', () => {
  it.each([
    ['another researcher', 'rob', () => target(), 403, 'NOT_AUTHORIZED'],
    ['a hospital', 'north', () => target(), 403, 'NOT_AUTHORIZED'],
    ['from a hospital outside the roster', 'rita', () => target('nowhere'), 404, 'UNKNOWN'],
    [
      'of a session that is not there',
      'rita',
      () => `/v1/sessions/${'ab'.repeat(32)}/shares/north?step=0`,
      404,
      'UNKNOWN',
    ],
    ['a step out of range', 'rita', () => target('north', 1000), 400, 'MALFORMED'],
  ])('not %s', async (_, who, where, status, code) => {
    const response = await world.request(who, where());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('not without a proof, with an old one, or with one used before', async () => {
    expect((await fetch(world.url + target())).status).toBe(401);
    const old = await world.request('rita', target(), { now: Date.now() - 400_000 });
    expect(await old.json()).toMatchObject({ code: 'REPLAY' });
    const signed = { method: 'GET', target: target(), body: Buffer.alloc(0) };
    const proof = proveRequest(world.member('rita'), signed, Date.now());
    const first = world.request('rita', target(), { proof });
    north.send({ type: 'end', stream: await nextPull() });
    expect((await first).status).toBe(200);
    const second = await world.request('rita', target(), { proof });
    expect(second.status).toBe(401);
    expect(await second.json()).toMatchObject({ code: 'REPLAY' });
    const elsewhere = await world.request('rita', target('south'), { proof });
    expect(await elsewhere.json()).toMatchObject({ code: 'BAD_SIGNATURE' });
  });
});

describe('pulling for blame', () => {
  const pull = (body: unknown): Promise<Response> =>
    world.request('rita', `/v1/sessions/${session}/pull/north`, { method: 'POST', body: JSON.stringify(body) });

  it('passes the request on and streams the answer', async () => {
    const request = { kind: 'seed', session, step: 0, peer: 'south', contradiction: 'e30=' };
    const answer = pull(request);
    const got = await north.next('pull');
    expect(got.request).toEqual(request);
    serve(got.stream, [Buffer.from('seed')]);
    const chunks = chunksOf(Buffer.from(await (await answer).arrayBuffer()));
    expect(chunks.map(String)).toEqual(['seed', '']);
  });

  it.each([
    ['another session', () => ({ kind: 'statement', session: 'ab'.repeat(32), step: 0 }), 400],
    ['a share', () => ({ kind: 'share', session, step: 0 }), 400],
    ['an unknown kind', () => ({ kind: 'data', session, step: 0 }), 400],
    ['more than a frame holds', () => seed('A'.repeat(300_000)), 400],
    ['more than a request may hold', () => seed('A'.repeat(500_000)), 413],
    ['what has no canonical form', () => seed('\ud800'), 400],
  ])('refuses %s', async (_, body, status) => {
    expect((await pull(body())).status).toBe(status);
    expect(north.frames.some((frame) => frame.type === 'pull')).toBe(false);
    expect(await world.metric('healthchain_streams')).toBe(0);
  });
  const seed = (contradiction: string) => ({ kind: 'seed', session, step: 0, peer: 'south', contradiction });
});
