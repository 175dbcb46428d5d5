import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { World } from '../../mpc/testing/world.ts';
import type { Channel } from '../../mpc/session/channel.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { decodeFrame, encodeFrame, MAX_PAYLOAD, type Frame } from '../../protocol/frame.ts';
import { openHello } from '../../protocol/session.ts';
import { agreed, receive, sealed, type Agreed } from '../adversary/shares.ts';
import { mutations, total } from './mutate.ts';

const session = '6'.repeat(64);
const uint32 = fc.nat(2 ** 32 - 1);
const payload = fc.uint8Array({ maxLength: 64 });
const step = fc.nat(999);
const anError = { kind: 'Fault', code: 'PEER_GONE', message: 'gone' } as const;

const request = { roster: ['anna', 'bert'], size: 3, nonce: session };

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('relay' as const), session: fc.constant(session), from: uint32, to: uint32, payload }),
  fc.record({
    type: fc.constant('notice' as const),
    notice: fc.record({ kind: fc.constantFrom('query', 'session', 'abort'), id: fc.constant(session) }),
  }),
  fc.record({
    type: fc.constant('status' as const),
    status: fc.record({ session: fc.constant(session), step, stage: fc.constantFrom('joined', 'agreed', 'failed') }),
  }),
  fc.record({
    type: fc.constant('pull' as const),
    stream: uint32,
    request: fc.record({ kind: fc.constantFrom('share', 'statement'), session: fc.constant(session), step }),
  }),
  fc.record({ type: fc.constant('credit' as const), stream: uint32, chunks: uint32 }),
  fc.record({ type: fc.constant('cancel' as const), stream: uint32, error: fc.constantFrom(undefined, anError) }),
  fc.record({ type: fc.constant('chunk' as const), stream: uint32, payload }),
  fc.record({ type: fc.constant('end' as const), stream: uint32 }),
  fc.record({ type: fc.constant('prepare' as const), request: fc.constant(request) }),
  fc.record({
    type: fc.constant('notice' as const),
    notice: fc.record({
      kind: fc.constant('preparation' as const),
      id: fc.constant(session),
      request: fc.constant(request),
    }),
  }),
  fc.record({
    type: fc.constant('over' as const),
    over: fc.record({
      session: fc.constant(session),
      outcome: fc.constantFrom('complete' as const, 'declined' as const, 'failed' as const),
    }),
  }),
);

describe('a frame of the relay', () => {
  test('comes back from its encoding as it was', () => {
    fc.assert(
      fc.property(frame, (each) => {
        expect(decodeFrame(encodeFrame(each))).toEqual(each);
      }),
    );
  });

  test('mutated decodes to what encodes to a frame again, or ends in one of our errors', () => {
    fc.assert(
      fc.property(
        frame.chain((each) => mutations([encodeFrame(each)])),
        (bytes) => {
          const decoded = total(() => decodeFrame(bytes));
          if ('value' in decoded) expect(decodeFrame(encodeFrame(decoded.value))).toEqual(decoded.value);
          else expect(decoded.error.kind).toBe('Misuse');
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each(['credit', 'end'] as const)('of type %s with a byte too many is refused', (type) => {
    const bytes = encodeFrame({ type, stream: 1, chunks: 1 });
    expect(total(() => decodeFrame(Buffer.concat([bytes, Buffer.alloc(1)])))).toMatchObject({
      error: { code: 'MALFORMED' },
    });
  });

  test('with a payload over the limit is refused, and at the limit read', () => {
    const of = (length: number): Uint8Array =>
      encodeFrame({ type: 'chunk', stream: 1, payload: new Uint8Array(length) });
    expect(total(() => decodeFrame(of(MAX_PAYLOAD)))).toHaveProperty('value');
    expect(total(() => decodeFrame(of(MAX_PAYLOAD + 1)))).toMatchObject({ error: { code: 'MALFORMED' } });
  });
});

describe('what a party or the researcher opens', () => {
  let three: Agreed;
  let chunks: readonly Uint8Array[];
  beforeAll(async () => {
    three = await agreed([[1n], [2n], [3n]]);
    chunks = sealed(three, 2);
  });

  test('a hello, mutated, is a forged hello', () => {
    const party = three.world.roster[0]!;
    const own = three.inputs[0]!.channel.hellos.get(party)!;
    const expected = { session: three.world.session, party, activeKeys: [own.publicKey] };
    const valid = canonicalBytes(own);
    fc.assert(
      fc.property(mutations([valid]), (bytes) => {
        const opened = total(() => openHello(bytes, expected));
        if ('value' in opened) expect(Buffer.from(bytes)).toEqual(valid);
        else expect(opened.error).toMatchObject({ kind: 'Abort', code: 'FORGED_HELLO', party });
      }),
      { numRuns: 1000 },
    );
  });

  test('a share with any chunk mutated is refused and its party named', () => {
    fc.assert(
      fc.property(
        fc.nat(2).chain((place) => fc.tuple(fc.constant(place), mutations([chunks[place]!]))),
        ([place, bytes]) => {
          const opened = total(() => receive(three, 2, chunks.with(place, bytes)));
          if ('value' in opened) expect(Buffer.from(bytes)).toEqual(Buffer.from(chunks[place]!));
          else {
            expect(opened.error).toBeInstanceOf(Abort);
            expect(['FORGED_SHARE', 'FORGED_HELLO']).toContain(opened.error.code);
            expect(opened.error.party).toBe(three.world.roster[2]);
          }
        },
      ),
      { numRuns: 800 },
    );
  });

  test('a share of chunks in any order but one is refused', () => {
    const order = fc.array(fc.nat(2), { maxLength: 6 });
    fc.assert(
      fc.property(order, (places) => {
        const opened = total(() =>
          receive(
            three,
            2,
            places.map((place) => chunks[place]!),
          ),
        );
        if ('value' in opened) expect(places).toEqual([0, 1, 2]);
        else expect(opened.error.party).toBe(three.world.roster[2]);
      }),
      { numRuns: 300 },
    );
  });

  test('a sealed message, mutated, is a forged frame', async () => {
    const kept: Uint8Array[] = [];
    const world = new World({
      parties: 2,
      deadline: 'idle',
      hook: ({ place, frame: each }) => {
        if (place === 0) return [each];
        kept.push(each);
        return [];
      },
    });
    const [sender, receiver] = (await Promise.all(world.roster.map((party) => world.channel(party)))) as [
      Channel,
      Channel,
    ];
    await sender.send(receiver.self, 'round', new Uint8Array(50).fill(1));
    await fc.assert(
      fc.asyncProperty(mutations(kept), async (bytes) => {
        if (Buffer.compare(bytes, kept[0]!) === 0) return;
        world.deliver(sender.self, receiver.self, bytes);
        await expect(receiver.receive(sender.self, 'round')).rejects.toMatchObject({
          kind: 'Abort',
          code: 'FORGED_FRAME',
          party: sender.self,
        });
      }),
      { numRuns: 600 },
    );
  });
});
