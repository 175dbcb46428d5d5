import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Identity } from '../../protocol/identity.ts';
import { challenge, encodeFrame, welcome } from '../../protocol/frame.ts';
import { decodeDocument } from '../../protocol/canonical.ts';
import type { Member } from '../../ledger/ledger.ts';
import { answerTo, dial } from '../testing/hospital.ts';
import { pause, until, World } from '../testing/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.found();
  await world.start({ deadlines: { handshake: 300 } });
});
afterAll(() => world.close());

/** The code that an answer to the challenge is refused with. */
async function refusal(answer: (asked: { consortium: string; nonce: string }) => string | Buffer): Promise<string> {
  const { socket, next } = dial(world.url);
  const asked = decodeDocument(challenge, await next(), { what: 'challenge' });
  socket.send(answer(asked));
  const reply = decodeDocument(welcome, await next(), { what: 'welcome' });
  expect(reply.type).toBe('refused');
  await until(() => (socket.readyState === WebSocket.CLOSED ? true : undefined));
  return reply.type === 'refused' ? reply.error.code : '';
}
const refusalOf = (member: Member): Promise<string> => refusal((asked) => JSON.stringify(answerTo(asked, member)));

describe('connecting', () => {
  it('welcomes a hospital with its key on the ledger', async () => {
    const hospital = await world.connect('north');
    expect(hospital.socket.protocol).toBe('healthchain.1');
    expect(await world.metric('healthchain_connections')).toBe(1);
    hospital.socket.close(1000);
    expect((await hospital.closed()).code).toBe(1000);
    await until(async () => ((await world.metric('healthchain_connections')) === 0 ? true : undefined));
  });

  it('refuses a key that the ledger does not list', async () => {
    expect(await refusalOf({ organisation: 'north', identity: Identity.generate() })).toBe('BAD_SIGNATURE');
  });

  it('refuses a signature by another key than the one named', async () => {
    const forged = { organisation: 'north', identity: Identity.generate() };
    const { publicKey } = world.member('north').identity;
    expect(await refusal((asked) => JSON.stringify({ ...answerTo(asked, forged), publicKey }))).toBe('BAD_SIGNATURE');
  });

  it('refuses the answer to an earlier challenge', async () => {
    const { socket, next } = dial(world.url);
    const asked = decodeDocument(challenge, await next(), { what: 'challenge' });
    const answer = JSON.stringify(answerTo(asked, world.member('south')));
    socket.send(answer);
    expect(JSON.parse(await next())).toEqual({ type: 'welcome' });
    socket.terminate();
    expect(await refusal(() => answer)).toBe('BAD_SIGNATURE');
  });

  it('refuses members that are no hospitals, and strangers', async () => {
    expect(await refusalOf(world.member('rita'))).toBe('NOT_AUTHORIZED');
    expect(await refusalOf({ organisation: 'nobody', identity: Identity.generate() })).toBe('UNKNOWN');
  });

  it.each([
    ['not JSON', '{'],
    ['unknown keys', JSON.stringify({ type: 'connect', organisation: 'north', role: 'admin' })],
    ['too long', JSON.stringify({ type: 'connect', organisation: 'n'.repeat(10_000) })],
  ])('refuses an answer that does not decode: %s', async (_, text) => {
    expect(await refusal(() => text)).toBe('MALFORMED');
  });

  it('refuses a frame in the place of the answer', async () => {
    const frame = Buffer.from(encodeFrame({ type: 'end', stream: 1 }));
    expect(await refusal(() => frame)).toBe('BAD_SIGNATURE');
  });

  it('gives up on those who do not answer', async () => {
    const { next } = dial(world.url);
    await next();
    expect(JSON.parse(await next())).toMatchObject({ type: 'refused', error: { code: 'DEADLINE' } });
  });

  it.each([
    ['without the subprotocol', '/v1/connect', undefined, 400],
    ['on another path', '/v1/other', 'healthchain.1', 404],
  ])('refuses an upgrade %s', async (_, path, protocol, status) => {
    const socket = new WebSocket(world.url.replace('http', 'ws') + path, protocol);
    const got = await new Promise((resolve) => {
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode);
        request.destroy();
      });
    });
    expect(got).toBe(status);
  });

  it('lets a new connection replace the old one', async () => {
    const first = await world.connect('west');
    const second = await world.connect('west');
    expect(await first.closed()).toEqual({ code: 4000, reason: 'replaced' });
    expect(second.isOpen).toBe(true);
    expect(await world.metric('healthchain_connections')).toBe(1);
  });

  it('learns of a hospital that was registered a moment ago, and shows out one whose key is revoked', async () => {
    const identity = Identity.generate();
    const late = { organisation: 'late', identity };
    const organisation = { id: 'late', name: 'Late', roles: ['hospital' as const], publicKey: identity.publicKey };
    await world.act('board', { type: 'registerOrganisation', organisation });
    const { socket, next } = dial(world.url);
    const asked = decodeDocument(challenge, await next(), { what: 'challenge' });
    socket.send(JSON.stringify(answerTo(asked, late)));
    expect(JSON.parse(await next())).toEqual({ type: 'welcome' });
    const closed = new Promise((resolve) => socket.on('close', (code, why) => resolve([code, why.toString()])));
    await world.act('board', {
      type: 'revokeKey',
      organisation: 'late',
      publicKey: identity.publicKey,
      reason: 'lost',
    });
    expect(await closed).toEqual([1008, 'key revoked']);
    expect(await refusalOf(late)).toBe('BAD_SIGNATURE');
  });

  it('drops a peer that answers no pings', async () => {
    await world.kill();
    await world.start({ deadlines: { heartbeat: 60 } });
    const alive = await world.connect('north');
    const dead = await world.connect('south');
    // A paused socket reads no ping and sends no pong: to the other side it is as good as gone.
    dead.socket.pause();
    await until(async () => ((await world.metric('healthchain_connections')) === 1 ? true : undefined));
    await pause(200);
    expect(alive.isOpen).toBe(true);
    expect(await world.metric('healthchain_closed_total{cause="silent"}')).toBe(1);
  });
});
