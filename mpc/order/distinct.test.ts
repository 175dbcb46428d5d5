import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sitDown } from '../testing/boolean.ts';
import { seededRandom, World } from '../testing/world.ts';
import { countDistinct, distinctCost } from './distinct.ts';

const onesIn = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);

test('set bits of the union are counted, and withheld below the minimum', async () => {
  const setting = fc.record({
    n: fc.integer({ min: 2, max: 4 }),
    groups: fc.integer({ min: 1, max: 9 }),
    bytes: fc.integer({ min: 1, max: 70 }),
    seed: fc.string(),
  });
  await fc.assert(
    fc.asyncProperty(setting, async ({ n, groups, bytes, seed }) => {
      const world = new World({ parties: n, seed, deadline: 'idle' });
      const random = seededRandom(`${seed}/bitmaps`);
      // Group j is dense or sparse, so that some lie below the minimum and some above.
      const sparse = (): Uint8Array => random(bytes).map((byte, i) => byte & (i % 3 === 0 ? 0x11 : 0));
      const bitmaps = Array.from({ length: n }, () =>
        Array.from({ length: groups }, (_, j) => (j % 2 === 0 ? random(bytes) : sparse())),
      );
      const sketch = { groups, bits: 8 * bytes, minimum: Math.max(1, 2 * bytes) };
      const cost = distinctCost(world.roster, sketch);
      const { sessions, stocks } = await sitDown(world, cost.stock);
      const counted = await Promise.all(sessions.map((session, i) => countDistinct(session, sketch, bitmaps[i]!)));
      const expected = Array.from({ length: groups }, (_, j) => {
        const union = bitmaps.map((own) => own[j]!).reduce((a, b) => a.map((byte, i) => byte | b[i]!));
        const ones = onesIn(union);
        return ones >= sketch.minimum ? ones : undefined;
      });
      for (const each of counted) expect(each).toEqual(expected);
      expect(sessions[0]!.rounds).toBe(cost.rounds);
      expect(stocks.map((stock) => stock.left)).toEqual(stocks.map(() => 0));
    }),
    { numRuns: 15 },
  );
}, 120_000);

test('a bit costs about n + 0.4 triples', () => {
  const roster = ['a', 'b', 'c'];
  const cost = distinctCost(roster, { groups: 1, bits: 65536, minimum: 10 });
  expect(cost.stock.triples / 65536).toBeLessThan(3.4);
});

test('a sketch of another shape is refused', async () => {
  const world = new World({ parties: 2, seed: 'shape', deadline: 'idle' });
  const sketch = { groups: 1, bits: 64, minimum: 1 };
  const { sessions } = await sitDown(world, distinctCost(world.roster, sketch).stock);
  await expect(countDistinct(sessions[0]!, sketch, [new Uint8Array(7)])).rejects.toMatchObject({ code: 'MALFORMED' });
  expect(() => distinctCost(world.roster, { ...sketch, minimum: 0 })).toThrow(/sketch/);
});
