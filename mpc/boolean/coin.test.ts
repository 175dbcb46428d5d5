import { describe, expect, test } from 'vitest';
import { corrupt, World } from '../testing/world.ts';
import { commitAndOpen, commitTo, rosterOf, tossCoin } from './coin.ts';

const world = (seed: string): World => new World({ parties: 3, seed, deadline: 'idle' });
type Twist = (round: string, message: Uint8Array, to: string) => Uint8Array;

async function toss(of: World, twist: Twist = (_, message) => message): Promise<PromiseSettledResult<Uint8Array>[]> {
  const channels = await Promise.all(of.roster.map((party) => of.channel(party)));
  corrupt(channels[2]!, (to, round, message) => twist(round, message, to));
  return Promise.allSettled(channels.map((channel, i) => tossCoin(channel, 'coin', of.random(of.roster[i]!))));
}

const change = (message: Uint8Array, at: number): Uint8Array => message.map((byte, i) => (i === at ? byte ^ 1 : byte));

describe('a coin', () => {
  test('is the same at all parties, and another in another session', async () => {
    const coins = await toss(world('a'));
    const [first] = coins;
    for (const coin of coins) expect(coin).toEqual(first);
    expect(await toss(world('b'))).not.toContainEqual(first);
  });

  test.each([
    ['message', 64],
    ['randomness', 32],
  ])('opened with another %s is refused by name', async (_, at) => {
    const coins = await toss(world('wrong'), (round, message) =>
      round === 'coin/open' ? change(message, at) : message,
    );
    for (const coin of coins.slice(0, 2)) {
      expect(coin).toMatchObject({ reason: { kind: 'Abort', code: 'COMMITMENT', party: 'hospital-002' } });
    }
  });

  test('committed to differently towards two parties is noticed by both', async () => {
    const of = world('two');
    const coins = await toss(of, (round, message, to) =>
      round === 'coin/commit' && to === of.roster[0] ? change(message, 0) : message,
    );
    for (const coin of coins.slice(0, 2)) expect(coin).toMatchObject({ reason: { code: 'EQUIVOCATION' } });
  });

  test.each([
    ['coin/commit', 31],
    ['coin/open', 95],
    ['coin/open', 97],
  ])('in a frame %s of %i bytes is refused by name', async (at, length) => {
    const coins = await toss(world('length'), (round, message) =>
      round === at ? Buffer.concat([message, Buffer.alloc(9)]).subarray(0, length) : message,
    );
    for (const coin of coins.slice(0, 2)) {
      expect(coin).toMatchObject({ reason: { code: 'FORGED_FRAME', party: 'hospital-002' } });
    }
  });
});

test('messages are opened in roster order, own included', async () => {
  const of = world('order');
  const channels = await Promise.all(of.roster.map((party) => of.channel(party)));
  const opened = await Promise.all(
    channels.map((channel, i) => commitAndOpen(channel, 'names', of.random(of.roster[i]!), Buffer.from(`party ${i}`))),
  );
  for (const messages of opened) {
    expect([...messages].map(([party, message]) => [party, Buffer.from(message).toString()])).toEqual(
      of.roster.map((party, i) => [party, `party ${i}`]),
    );
  }
  expect(rosterOf(channels[1]!)).toEqual(of.roster);
});

test('a commitment belongs to one session, round and party', () => {
  const [randomness, message] = [new Uint8Array(32), new Uint8Array(16)];
  const all = [
    commitTo('s', 'r', 'p', randomness, message),
    commitTo('t', 'r', 'p', randomness, message),
    commitTo('s', 'q', 'p', randomness, message),
    commitTo('s', 'r', 'o', randomness, message),
    commitTo('s', 'r', 'p', new Uint8Array(32).fill(1), message),
    commitTo('s', 'r', 'p', randomness, new Uint8Array(16).fill(1)),
    commitTo('sr', '', 'p', randomness, message),
  ];
  expect(new Set(all.map((commitment) => Buffer.from(commitment).toString('hex'))).size).toBe(all.length);
});
