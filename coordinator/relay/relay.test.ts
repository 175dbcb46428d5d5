import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame, MAX_FRAME, MAX_PAYLOAD, type Frame } from '../../protocol/frame.ts';
import type { TestHospital } from '../testing/hospital.ts';
import { HOSPITALS, pause, until, World } from '../testing/world.ts';

let world: World;
let session: string;
let hospitals: readonly TestHospital[];
const at = (organisation: (typeof HOSPITALS)[number]): TestHospital => hospitals[HOSPITALS.indexOf(organisation)]!;

beforeAll(async () => {
  world = await World.found();
  // Connections come and go in these tests; the session shall outlive them.
  await world.start({ deadlines: { dropOut: 60_000, join: 10 } });
  hospitals = await world.connectAll(HOSPITALS);
  session = await world.session(await world.approved());
});
afterAll(() => world.close());

/** A fresh connection of a hospital that has not been cut off. The session is torn for frames, not for the rules. */
const fresh = async (organisation: (typeof HOSPITALS)[number]): Promise<TestHospital> =>
  await world.connect(organisation);

describe('relaying', () => {
  it('passes frames on byte for byte, in order, to the named receiver alone', async () => {
    const payloads = [0, 1, 40, 1000, 70_000, MAX_PAYLOAD].map((length) => randomBytes(length));
    const sent: Frame[] = payloads.map((payload) => ({ type: 'relay', session, from: 1, to: 2, payload }));
    const raw: Buffer[] = [];
    at('south').socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary && data[0] === 0) raw.push(data);
    });
    at('north').sendAll(...sent);
    await until(() => (raw.length === sent.length ? true : undefined));
    raw.forEach((bytes, index) => expect(bytes.equals(encodeFrame(sent[index]!))).toBe(true));
    expect(at('west').frames.some((frame) => frame.type === 'relay')).toBe(false);
    expect(at('east').frames.some((frame) => frame.type === 'relay')).toBe(false);
    expect(await world.metric('healthchain_frames_total{type="relay"}')).toBe(sent.length);
  });

  it('relays between all pairs at once', async () => {
    hospitals.forEach((each) => each.frames.splice(0));
    hospitals.forEach((each, from) =>
      HOSPITALS.forEach((_, to) => {
        if (to !== from) for (let i = 0; i < 50; i++) each.relay(session, from, to, Buffer.from([from, to, i]));
      }),
    );
    await until(() => (hospitals.every((each) => each.frames.length === 150) ? true : undefined));
    for (const [to, each] of hospitals.entries()) {
      for (const from of [0, 1, 2, 3].filter((place) => place !== to)) {
        const got = each.frames.flatMap((frame) => (frame.type === 'relay' && frame.from === from ? [frame] : []));
        expect(got.map((frame) => [...frame.payload])).toEqual(Array.from({ length: 50 }, (_, i) => [from, to, i]));
      }
    }
  });
});

describe('violations', () => {
  const payload = Buffer.from('sealed');
  const relay = (of: Partial<Extract<Frame, { type: 'relay' }>>): Uint8Array =>
    encodeFrame({ type: 'relay', session, from: 0, to: 1, payload, ...of });

  it.each<[string, () => Uint8Array | string, number, string]>([
    ['another hospital as sender', () => relay({ from: 2 }), 1008, 'wrong sender'],
    ['a sender outside the roster', () => relay({ from: 9 }), 1008, 'wrong sender'],
    ['a receiver outside the roster', () => relay({ to: 9 }), 1008, 'wrong receiver'],
    ['itself as receiver', () => relay({ to: 0 }), 1008, 'wrong receiver'],
    ['a session that is not on the ledger', () => relay({ session: 'ab'.repeat(32) }), 1008, 'unknown session'],
    ['an unknown frame type', () => Buffer.from([99, 1, 2]), 1008, 'malformed'],
    ['a truncated frame', () => relay({}).subarray(0, 20), 1008, 'malformed'],
    ['an empty message', () => new Uint8Array(), 1008, 'malformed'],
    ['text', () => 'hello', 1008, 'text'],
    ['a chunk of no stream', () => encodeFrame({ type: 'chunk', stream: 7, payload }), 1008, 'unknown stream'],
    [
      'credit, which is not its to give',
      () => encodeFrame({ type: 'credit', stream: 1, chunks: 5 }),
      1008,
      'direction',
    ],
    ['an oversized message', () => Buffer.alloc(MAX_FRAME + 1), 1009, ''],
  ])('closes on %s', async (_, message, code, reason) => {
    const east = await fresh('east');
    east.socket.send(message());
    expect(await east.closed()).toEqual({ code, reason });
  });

  it('closes on frames and status of a hospital outside the roster', async () => {
    const three = await world.approved(['north', 'south', 'west']);
    const other = await world.session(three);
    const east = await fresh('east');
    east.relay(other, 0, 1, payload);
    expect(await east.closed()).toEqual({ code: 1008, reason: 'wrong sender' });
    const again = await fresh('east');
    again.status(other, 'opened');
    expect(await again.closed()).toEqual({ code: 1008, reason: 'not in the roster' });
  });

  it('forgives frames that cross the end of a session', async () => {
    const east = await fresh('east');
    const query = await world.approved(['east', 'north', 'south']);
    const over = await world.session(query);
    await world.act('relay', { type: 'abortSession', session: over, reason: 'EQUIVOCATION' });
    await east.next('notice', (frame) => frame.notice.kind === 'abort' && frame.notice.id === over);
    east.relay(over, 0, 1, payload);
    east.status(over, 'failed');
    await pause(100);
    expect(east.isOpen).toBe(true);
  });

  it('disconnects a hospital that floods with control frames', async () => {
    const east = await fresh('east');
    for (let i = 0; i < 5000; i++) east.status(session, 'joined');
    expect(await east.closed()).toEqual({ code: 1008, reason: 'rate' });
  });

  it('survives whatever a connected hospital sends', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // A right type and garbage behind it; a right header and garbage behind that.
      fc
        .tuple(fc.nat({ max: 8 }), fc.uint8Array({ maxLength: 300 }))
        .map(([type, rest]) => Buffer.from([type, ...rest])),
      fc
        .tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 50 }))
        .map(([from, to, rest]) => encodeFrame({ type: 'relay', session, from, to, payload: rest })),
      fc.string().map((text) => Buffer.concat([Buffer.from([2]), Buffer.from(`{"session":${JSON.stringify(text)}}`)])),
    );
    const samples = fc.sample(bytes, { numRuns: 400, seed: 42 });
    let west = await fresh('west');
    for (const sample of samples) {
      if (!west.isOpen) west = await fresh('west');
      west.socket.send(sample);
      await pause(0);
    }
    expect((await fetch(`${world.url}/health`)).status).toBe(200);
    expect(world.logged.some((line) => line.includes('"level":50'))).toBe(false);
  }, 30_000);
});
