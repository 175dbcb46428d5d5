import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sitDown } from '../testing/boolean.ts';
import { seededRandom, World } from '../testing/world.ts';
import { findLargest, findQuantiles, findSmallest, quantileCost, rankCost, type QuantileSearch } from './quantile.ts';

/** values[hospital][group]: grid indices, 1 to 25 a hospital and group; some hospitals have none. */
function draw(hospitals: number, groups: number, gridSize: number, seed: string): number[][][] {
  const random = seededRandom(seed);
  const below = (n: number): number => Buffer.from(random(4)).readUInt32LE() % n;
  return Array.from({ length: hospitals }, (_, hospital) =>
    Array.from({ length: groups }, () =>
      Array.from({ length: hospital === 0 ? 1 + below(25) : below(25) }, () => below(gridSize)),
    ),
  );
}

const counts =
  (values: readonly (readonly number[])[], within: (value: number, probe: number) => boolean) =>
  (probes: readonly (number | undefined)[]): bigint[] =>
    probes.map((probe, j) => BigInt(probe === undefined ? 0 : values[j]!.filter((v) => within(v, probe)).length));
const atMost = (value: number, probe: number): boolean => value <= probe;
const atLeast = (value: number, probe: number): boolean => value >= probe;

const pooled = (values: number[][][], group: number): number[] =>
  values.flatMap((groups) => groups[group]!).sort((a, b) => a - b);

const setting = fc.record({
  n: fc.integer({ min: 2, max: 5 }),
  groups: fc.integer({ min: 1, max: 140 }),
  gridSize: fc.integer({ min: 1, max: 40 }),
  seed: fc.string(),
});

describe('a search on the grid', () => {
  test('finds type-1 quantiles of the pooled values', async () => {
    await fc.assert(
      fc.asyncProperty(
        setting,
        fc.integer({ min: 2, max: 100 }),
        async ({ n, groups, gridSize, seed }, denominator) => {
          const world = new World({ parties: n, seed, deadline: 'idle' });
          const values = draw(n, groups, gridSize, seed);
          const search: QuantileSearch = {
            probabilities: Array.from({ length: groups }, (_, j) => ({
              numerator: BigInt(1 + (j % (denominator - 1))),
              denominator: BigInt(denominator),
            })),
            gridSize,
            greatestCount: 25n,
          };
          const cost = quantileCost(world.roster, search);
          const { sessions, stocks } = await sitDown(world, cost.stock);
          const found = await Promise.all(
            sessions.map((session, i) => {
              const own = values[i]!.map((group) => BigInt(group.length));
              return findQuantiles(session, search, own, counts(values[i]!, atMost));
            }),
          );
          const expected = search.probabilities.map(({ numerator, denominator: of }, j) => {
            const all = pooled(values, j);
            // The smallest value with at least p n values at or below it.
            return all.find(
              (value) => of * BigInt(all.filter((v) => v <= value).length) >= numerator * BigInt(all.length),
            );
          });
          for (const each of found) expect(each).toEqual(expected);
          expect(sessions[0]!.rounds).toBe(cost.rounds);
          expect(stocks.map((stock) => stock.left)).toEqual(stocks.map(() => 0));
        },
      ),
      { numRuns: 15 },
    );
  }, 120_000);

  test('finds the k-th smallest and the k-th largest value', async () => {
    await fc.assert(
      fc.asyncProperty(setting, async ({ n, groups, gridSize, seed }) => {
        const world = new World({ parties: n, seed, deadline: 'idle' });
        const values = draw(n, groups, gridSize, seed);
        const ranks = Array.from({ length: groups }, (_, j) => BigInt(1 + (j % pooled(values, j).length)));
        const search = { ranks, gridSize, greatestCount: 25n };
        for (const [find, within, order] of [
          [findSmallest, atMost, (all: number[], k: number) => all[k - 1]],
          [findLargest, atLeast, (all: number[], k: number) => all.at(-k)],
        ] as const) {
          const { sessions, stocks } = await sitDown(
            new World({ parties: n, seed, deadline: 'idle' }),
            rankCost(world.roster, search).stock,
          );
          const found = await Promise.all(
            sessions.map((session, i) => find(session, search, counts(values[i]!, within))),
          );
          const expected = ranks.map((rank, j) => order(pooled(values, j), Number(rank)));
          for (const each of found) expect(each).toEqual(expected);
          expect(stocks.map((stock) => stock.left)).toEqual(stocks.map(() => 0));
        }
      }),
      { numRuns: 10 },
    );
  }, 120_000);

  test('takes rounds that do not depend on the groups, and logarithmic depth', () => {
    const roster = ['a', 'b', 'c'];
    const search = (groups: number): QuantileSearch => ({
      probabilities: Array.from({ length: groups }, () => ({ numerator: 1n, denominator: 2n })),
      gridSize: 1000,
      greatestCount: 1_000_000n,
    });
    const [one, many] = [quantileCost(roster, search(1)), quantileCost(roster, search(5000))];
    expect(one.rounds).toBe(many.rounds);
    // Ten steps: inputs, six layers for three numbers of 23 bits, check and opening.
    expect(one.rounds).toBe(10 * (1 + 6 + 3 + 4));
  });

  test('asks for no counts before the last step’s bit was checked', async () => {
    const world = new World({ parties: 2, seed: 'order', deadline: 'idle' });
    const search = { ranks: [1n], gridSize: 16, greatestCount: 5n };
    const { sessions } = await sitDown(world, rankCost(world.roster, search).stock);
    const rounds: number[] = [];
    await Promise.all(
      sessions.map((session, i) =>
        findSmallest(session, search, () => {
          if (i === 0) rounds.push(session.rounds);
          return [1n];
        }),
      ),
    );
    const step = rankCost(world.roster, search).rounds / 4;
    expect(rounds).toEqual([0, step, 2 * step, 3 * step]);
  });

  test('refuses probabilities, ranks and counts out of range', async () => {
    const roster = ['a', 'b'];
    const half = { numerator: 1n, denominator: 2n };
    for (const probability of [
      { numerator: 0n, denominator: 2n },
      { numerator: 2n, denominator: 2n },
    ]) {
      expect(() => quantileCost(roster, { probabilities: [probability], gridSize: 4, greatestCount: 5n })).toThrow(
        /between 0 and 1/,
      );
    }
    expect(() => quantileCost(roster, { probabilities: [half], gridSize: 0, greatestCount: 5n })).toThrow(/grid/);
    expect(() => rankCost(roster, { ranks: [0n], gridSize: 4, greatestCount: 5n })).toThrow(/from 1/);
    const world = new World({ parties: 2, seed: 'range', deadline: 'idle' });
    const search = { probabilities: [half], gridSize: 4, greatestCount: 5n };
    const { sessions } = await sitDown(world, quantileCost(world.roster, search).stock);
    expect(() => findQuantiles(sessions[0]!, search, [6n], () => [0n])).toThrow(/bound/);
  });
});
