import { describe, expect, test } from 'vitest';
import { EVERYBODY, type Factors } from '../boolean/holders.ts';
import type { StockDemand } from '../boolean/stock.ts';
import { combineBits, xorAll } from '../testing/combine.ts';
import { dealSetups } from '../testing/rosters.ts';
import { corrupt, World } from '../testing/world.ts';
import { planBatches } from './bucket.ts';
import type { PreparedStock } from './prepared-stock.ts';
import { prepareStock } from './prepare.ts';
import { RosterSetup } from './setup.ts';

interface Sent {
  rounds: Set<string>;
  bytes: Map<string, number>;
}

async function prepare(
  world: World,
  need: StockDemand,
  setups = dealSetups(world.roster, world.seed),
): Promise<{ stocks: PreparedStock[]; sent: Sent[]; setups: RosterSetup[] }> {
  const sent = world.roster.map((): Sent => ({ rounds: new Set(), bytes: new Map() }));
  const stocks = await Promise.all(
    world.roster.map(async (party, i) => {
      const channel = corrupt(await world.channel(party), (to, round, message) => {
        sent[i]!.rounds.add(round);
        sent[i]!.bytes.set(to, (sent[i]!.bytes.get(to) ?? 0) + message.length);
        return message;
      });
      return prepareStock(channel, setups[i]!, world.random(`${party}/prepare`), need);
    }),
  );
  return { stocks, sent, setups };
}

const ones = (bytes: Uint8Array): number => {
  let count = 0;
  for (let byte of bytes) for (; byte > 0; byte &= byte - 1) count++;
  return count;
};

/** True if `count` fair coins show so many ones; false with probability below 2^-40. */
const fair = (found: number, count: number): boolean => Math.abs(found - count / 2) <= 3.75 * Math.sqrt(count);

function triplesOf(
  stocks: readonly PreparedStock[],
  count: number,
  factors?: Factors,
): [Uint8Array, Uint8Array, Uint8Array] {
  const taken = stocks.map((stock) => stock.triples(count, factors));
  const keys = stocks.map(({ keyShare }) => keyShare);
  const values = (which: 'a' | 'b' | 'c'): Uint8Array =>
    combineBits(
      taken.map((triples) => triples[which]),
      keys,
    );
  return [values('a'), values('b'), values('c')];
}

describe('a stock that the parties prepare', () => {
  test.each([2, 3, 4, 5])('among %i holds triples, random bits and masks under one global key', async (parties) => {
    const world = new World({ parties, seed: `prepare ${parties}` });
    const [first, second] = [world.roster[0]!, world.roster[1]!];
    const need = {
      triples: 300,
      random: 200,
      masks: new Map([
        [first, 100],
        [second, 300],
      ]),
    };
    const { stocks } = await prepare(world, need);
    const keys = stocks.map(({ keyShare }) => keyShare);
    expect(xorAll(keys)[0]! & 1).toBe(1);
    expect(stocks[0]!.left).toEqual({
      triples: 384,
      random: 256,
      masks: new Map([
        [first, 128],
        [second, 384],
      ]),
    });
    const [a, b, c] = triplesOf(stocks, 384);
    expect(c).toEqual(a.map((byte, i) => byte & b[i]!));
    for (const values of [a, b]) expect(fair(ones(values), 384)).toBe(true);
    expect(
      fair(
        ones(
          combineBits(
            stocks.map((stock) => stock.random(256)),
            keys,
          ),
        ),
        256,
      ),
    ).toBe(true);
    for (const [owner, count] of [
      [first, 128],
      [second, 384],
    ] as const) {
      const masks = stocks.map((stock) => stock.masks(owner, count));
      const values = combineBits(masks, keys);
      masks.forEach(({ bits }, i) => {
        expect(bits).toEqual(world.roster[i] === owner ? values : new Uint8Array(count / 8));
      });
      expect(fair(ones(values), count)).toBe(true);
    }
    for (const stock of stocks)
      expect(() => stock.triples(128)).toThrow(expect.objectContaining({ code: 'OUT_OF_STOCK' }));
  });

  test.each([2, 3, 5])(
    'among %i holds narrow triples for each kind of factors, and the others beside them',
    async (parties) => {
      const world = new World({ parties, seed: `narrow ${parties}` });
      const kinds: Factors[] = [
        { a: 0b10, b: EVERYBODY },
        { a: 0b01, b: 0b10 },
        { a: 0b11, b: 0b11 },
        { a: 0b01, b: 0b01 },
      ];
      const narrow = kinds.map((factors, i) => ({ factors, count: 128 * (i + 1) }));
      const { stocks } = await prepare(world, { triples: 1408, narrow, random: 0, masks: new Map() });
      for (const [i, factors] of kinds.entries()) {
        const [a, b, c] = triplesOf(stocks, 128 * (i + 1), factors);
        expect(c).toEqual(a.map((byte, at) => byte & b[at]!));
        for (const values of [a, b]) expect(fair(ones(values), 128 * (i + 1))).toBe(true);
        expect(a).not.toEqual(b);
        // No more were made; of two parties, sets of both are those of all, which have others.
        if (parties > 2 || i !== 2)
          expect(() => stocks[0]!.triples(128, factors)).toThrow(expect.objectContaining({ code: 'OUT_OF_STOCK' }));
      }
      // 1408 less 1280 narrow ones: a kind that was not asked for is served from those.
      const [a, b, c] = triplesOf(stocks, 128, { a: 0b10, b: 0b10 });
      expect(c).toEqual(a.map((byte, at) => byte & b[at]!));
      expect(() => stocks[0]!.triples(128)).toThrow(expect.objectContaining({ code: 'OUT_OF_STOCK' }));
    },
  );

  test('of narrow triples alone is made of wide ones', async () => {
    const world = new World({ parties: 3, seed: 'alone' });
    const factors = { a: 0b01, b: 0b10 };
    const { stocks } = await prepare(world, {
      triples: 256,
      narrow: [{ factors, count: 256 }],
      random: 0,
      masks: new Map(),
    });
    expect(stocks[0]!.left.triples).toBe(256);
    const [a, b, c] = triplesOf(stocks, 256, factors);
    expect(c).toEqual(a.map((byte, at) => byte & b[at]!));
  });

  test('of narrow triples costs the bytes of docs/preprocessing.md §8, exactly', async () => {
    const world = new World({ parties: 3, seed: 'narrow cost' });
    const narrow = [
      { factors: { a: 0b010, b: 0b101 }, count: 128 },
      { factors: { a: 0b100, b: EVERYBODY }, count: 128 },
    ];
    const { sent } = await prepare(world, { triples: 640, narrow, random: 0, masks: new Map() });
    const buckets = (count: number): { leaky: number; opened: number } => {
      const [batch] = planBatches(count);
      return { leaky: batch!.count * batch!.size, opened: (batch!.count * (batch!.size - 1)) / 8 };
    };
    const [wide, few] = [buckets(384), buckets(128)];
    const has = (set: number, place: number): number => (set >> place) & 1;
    const all = narrow.map(({ factors }) => factors);
    sent.forEach(({ rounds, bytes }, i) => {
      expect(rounds.size).toBe(3 + 5 + 13 + 1);
      for (const [to, total] of bytes) {
        const peer = world.roster.indexOf(to);
        const ofKinds = all.reduce(
          (sum, { a, b }) => sum + few.leaky * (8 * has(a, i) + 8 * has(b, i) + 16 * has(a, peer)) + few.opened,
          0,
        );
        expect(total).toBe(160 + 32 * wide.leaky + wide.opened + ofKinds + 2256 + 720 + 32);
      }
    });
  });

  test('of several blocks is right in all of them, and its shares look random at every party', async () => {
    const world = new World({ parties: 2, seed: 'blocks' });
    const count = 33_024;
    const { stocks } = await prepare(world, {
      triples: count,
      random: 140_000,
      masks: new Map([[world.roster[1]!, 140_000]]),
    });
    const [a, b, c] = triplesOf(stocks, count);
    expect(c).toEqual(a.map((byte, i) => byte & b[i]!));
    expect(fair(ones(a), count)).toBe(true);
    expect(fair(ones(b), count)).toBe(true);
    expect(Math.abs(ones(c) - count / 4)).toBeLessThan(3.75 * Math.sqrt(count));
    // Neither neighbours nor the two factors are correlated.
    expect(fair(ones(a.map((byte, i) => byte ^ b[i]!)), count)).toBe(true);
    expect(fair(ones(a.subarray(1).map((byte, i) => byte ^ a[i]!)), count - 8)).toBe(true);
    const keys = stocks.map(({ keyShare }) => keyShare);
    const random = stocks.map((stock) => stock.random(140_032));
    expect(fair(ones(combineBits(random, keys)), 140_032)).toBe(true);
    for (const { bits } of random) expect(fair(ones(bits), 140_032)).toBe(true);
    combineBits(
      stocks.map((stock) => stock.masks(world.roster[1]!, 140_032)),
      keys,
    );
  });

  test('gives each party its number of masks, though another has blocks of them more', async () => {
    const world = new World({ parties: 3, seed: 'unequal' });
    const counts = new Map([
      [world.roster[0]!, 256],
      [world.roster[1]!, 140_032],
      [world.roster[2]!, 131_072],
    ]);
    const { stocks } = await prepare(world, { triples: 0, random: 0, masks: counts });
    const keys = stocks.map(({ keyShare }) => keyShare);
    for (const [owner, count] of counts) {
      const masks = stocks.map((stock) => stock.masks(owner, count));
      const values = combineBits(masks, keys);
      masks.forEach(({ bits }, i) => {
        expect(bits).toEqual(world.roster[i] === owner ? values : new Uint8Array(count / 8));
      });
      expect(fair(ones(values), count)).toBe(true);
    }
  });

  test('of several batches is right where they meet', async () => {
    const world = new World({ parties: 2, seed: 'batches' });
    const batches = planBatches(741_632);
    expect(batches).toHaveLength(2);
    const { stocks } = await prepare(world, { triples: 741_632, random: 0, masks: new Map() });
    const keys = stocks.map(({ keyShare }) => keyShare);
    const all = stocks.map((stock) => stock.triples(741_632));
    for (const first of [0, batches[0]!.count - 128, batches[0]!.count, 741_632 - 128]) {
      const part = (which: 'a' | 'b' | 'c'): Uint8Array =>
        combineBits(
          all.map((triples) => triples[which].slice(first, 128)),
          keys,
        );
      expect(part('c')).toEqual(part('a').map((byte, i) => byte & part('b')[i]!));
    }
  });

  test('differs from one preparation to the next, even from setups restored from a backup and with the same local randomness', async () => {
    const need = { triples: 0, random: 128, masks: new Map<string, number>() };
    const world = new World({ parties: 2, seed: 'backup' });
    const { stocks, setups } = await prepare(world, need);
    const restored = setups.map((setup) => RosterSetup.decode(setup.encode()));
    const again = new World({ parties: 2, seed: 'backup, restored' });
    const second = await prepare(again, need, restored);
    const [before, after] = [stocks, second.stocks].map((made) => made.map((stock) => stock.random(128).tags));
    expect(after![0]).not.toEqual(before![0]);
    expect(after![1]).not.toEqual(before![1]);
  });

  test('costs the rounds and bytes of docs/preprocessing.md §8, exactly', async () => {
    const world = new World({ parties: 3, seed: 'cost' });
    const [first] = world.roster;
    const { sent } = await prepare(world, { triples: 512, random: 256, masks: new Map([[first!, 128]]) });
    const [batch] = planBatches(512);
    const leaky = batch!.count * batch!.size;
    const triples = 32 * leaky + 2256 + 720 + (batch!.count * (batch!.size - 1)) / 8;
    const random = 8 * 256 + 1232;
    const masks = (own: number): number => (own === 0 ? 0 : 8 * own + 1024) + 208;
    sent.forEach(({ rounds, bytes }, i) => {
      expect(rounds.size).toBe(3 + 5 + 13 + 4 + 4 + 1);
      for (const total of bytes.values()) expect(total).toBe(160 + triples + random + masks(i === 0 ? 128 : 0) + 32);
    });
  });

  test('is refused for a setup of another roster, or masks of a stranger', async () => {
    const world = new World({ parties: 2, seed: 'strangers' });
    const three = new World({ parties: 3, seed: 'strangers' });
    const channel = await Promise.all(world.roster.map((party) => world.channel(party)));
    const none = { triples: 0, random: 0, masks: new Map([['nobody', 1]]) };
    const random = world.random('x');
    const others = dealSetups(three.roster, 'x');
    await expect(prepareStock(channel[0]!, others[0]!, random, none)).rejects.toMatchObject({ code: 'OUT_OF_ORDER' });
    const own = dealSetups(world.roster, 'x');
    await expect(prepareStock(channel[0]!, own[0]!, random, none)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
  });
});
