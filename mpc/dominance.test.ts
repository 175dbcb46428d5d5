import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideDominance, dominanceCost, type DominanceRule } from './dominance.ts';
import { sitDown } from './testing/boolean.ts';
import { seededRandom, World } from './testing/world.ts';

const descending = (values: readonly bigint[]): bigint[] => values.toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0));
const total = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);

function figures(groups: readonly (readonly bigint[])[]) {
  const sorted = groups.map(descending);
  return {
    totals: groups.map(total),
    largest: sorted.map(([first = 0n]) => first),
    second: sorted.map(([, second = 0n]) => second),
  };
}

describe('the p%-rule', () => {
  test('decided on shares is the rule in the clear', async () => {
    const setting = fc.record({
      n: fc.integer({ min: 2, max: 5 }),
      percent: fc.integer({ min: 1, max: 100 }),
      seed: fc.string(),
    });
    await fc.assert(
      fc.asyncProperty(setting, async ({ n, percent, seed }) => {
        const guards = 150;
        const random = seededRandom(seed);
        const below = (limit: number): bigint => BigInt(Buffer.from(random(4)).readUInt32LE() % limit);
        // Few values, of sizes that differ by a power of two or more, so that both outcomes are common.
        const values = Array.from({ length: n }, () =>
          Array.from({ length: guards }, () =>
            Array.from({ length: Number(below(4)) }, () => below(1 << Number(1n + below(12)))),
          ),
        );
        const rule: DominanceRule = { percent, greatestTotal: 3n * 4096n, greatestValue: 4096n };
        const world = new World({ parties: n, seed, deadline: 'idle' });
        const cost = dominanceCost(world.roster, guards, rule);
        const { sessions, stocks } = await sitDown(world, cost.stock);
        const decided = await Promise.all(
          sessions.map((session, i) => decideDominance(session, figures(values[i]!), rule)),
        );
        const expected = Array.from({ length: guards }, (_, j) => {
          const all = descending(values.flatMap((groups) => groups[j]!));
          return 100n * total(all.slice(2)) >= BigInt(percent) * (all[0] ?? 0n);
        });
        expect(new Set(expected).size).toBe(2);
        for (const each of decided) expect(each).toEqual(expected);
        expect(sessions[0]!.rounds).toBe(cost.rounds);
        expect(stocks.map((stock) => stock.left)).toEqual(stocks.map(() => 0));
      }),
      { numRuns: 8 },
    );
  }, 120_000);

  test('holds at the bounds', async () => {
    const rule: DominanceRule = { percent: 100, greatestTotal: 255n, greatestValue: 255n };
    const world = new World({ parties: 3, seed: 'bounds', deadline: 'idle' });
    const groups = [
      [[255n], [255n], [255n]],
      [[255n], [255n], [254n]],
      [[255n], [], []],
      [[], [], []],
    ];
    const { sessions } = await sitDown(world, dominanceCost(world.roster, groups.length, rule).stock);
    const decided = await Promise.all(
      sessions.map((session, i) => decideDominance(session, figures(groups.map((group) => group[i]!)), rule)),
    );
    expect(decided[0]).toEqual([true, false, false, true]);
  });

  test('refuses figures out of range before anything leaves', async () => {
    const rule: DominanceRule = { percent: 15, greatestTotal: 100n, greatestValue: 50n };
    const world = new World({ parties: 2, seed: 'refuse', deadline: 'idle' });
    const { sessions } = await sitDown(world, dominanceCost(world.roster, 1, rule).stock);
    const ask = (totals: bigint, largest: bigint, second: bigint) =>
      decideDominance(sessions[0]!, { totals: [totals], largest: [largest], second: [second] }, rule);
    await expect(ask(101n, 1n, 1n)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(ask(100n, 51n, 1n)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(ask(100n, 1n, 2n)).rejects.toMatchObject({ code: 'MALFORMED' });
    await expect(ask(-1n, 0n, 0n)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(sessions[0]!.rounds).toBe(0);
    expect(() => dominanceCost(['a', 'b'], 1, { ...rule, percent: 0 })).toThrow(/percentage/);
    expect(() => dominanceCost(['a', 'b'], 1, { ...rule, greatestValue: 0n })).toThrow(/at least 1/);
    expect(() => dominanceCost(['a', 'b'], 1, { ...rule, greatestTotal: 49n })).toThrow(/at least 1/);
  });
});
