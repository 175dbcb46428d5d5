import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planQuery, shownValues } from '../../../analytics/index.ts';
import { createRelation, openDatabase, prepare, schemaOf } from '../../../analytics/testing/world.ts';
import { answerOf, decideTogether, figuresOf } from '../testing/decision.ts';

/** Sums under the dominance rule, decided on shares, against the rule over the pooled rows. */

const schema = schemaOf([
  { name: 'ward', type: 'category', codes: ['a', 'b', 'c'] },
  { name: 'cost', type: 'number', decimals: 2, minimum: '-900000', maximum: '900000' },
  { name: 'days', type: 'number', decimals: 0, minimum: '0', maximum: '400' },
]);

/** Of sizes that differ by powers of two, so that some sums are dominated and some are not. */
const spread = (bits: number): fc.Arbitrary<bigint> =>
  fc.integer({ min: 0, max: bits }).chain((size) => fc.bigInt({ min: 0n, max: 2n ** BigInt(size) }));
const row = fc.record({
  ward: fc.constantFrom('a', 'b', 'c', null),
  cost: fc.option(
    fc.tuple(spread(26), fc.boolean()).map(([size, minus]) => (minus ? -size : size)),
    { freq: 8 },
  ),
  days: fc.option(spread(8), { freq: 8 }),
});
const setting = fc.record({
  hospitals: fc.array(fc.array(row, { maxLength: 25 }), { minLength: 2, maxLength: 3 }),
  percent: fc.integer({ min: 1, max: 100 }),
  seed: fc.string(),
});

/** Which statistic needs which sums to pass. */
const RESTS_ON = {
  'n(cost)': [],
  'sum(cost)': ['cost'],
  'variance(cost)': ['cost', 'cost²'],
  'mean(days)': ['days'],
  'covariance(cost,days)': ['pair.cost', 'pair.days', 'pair.product'],
} as const;

test('a sum that few values dominate is withheld with all that rests on it', async () => {
  const database: DuckDBConnection = await openDatabase();
  const seen = { shown: 0, withheld: 0 };
  await fc.assert(
    fc.asyncProperty(setting, async ({ hospitals, percent, seed }) => {
      const release = { minimumCell: 1, insiderRule: false, minimumHospitals: 2, dominance: { percent } };
      const statistics = [
        { count: {} },
        { n: { column: 'cost' } },
        { sum: { column: 'cost' } },
        { variance: { column: 'cost' } },
        { mean: { column: 'days' } },
        { covariance: { columns: ['cost', 'days'] } },
      ];
      const plan = planQuery(prepare({ groupBy: [{ column: 'ward' }], statistics, release }, schema), schema);
      for (const [i, rows] of hospitals.entries()) await createRelation(database, `h${i}`, schema, rows);
      const figures = [];
      for (const i of hospitals.keys()) figures.push(await figuresOf(database, plan, `h${i}`));
      for (const group of answerOf(plan, figures, await decideTogether(plan, figures, seed))) {
        const rows = hospitals.flat().filter(({ ward }) => ward === group.key['ward']);
        const pairs = rows.flatMap(({ cost, days }) => (cost === null || days === null ? [] : [{ cost, days }]));
        const costs = rows.flatMap(({ cost }) => cost ?? []);
        const values = {
          cost: costs,
          'cost²': costs.map((cost) => cost * cost),
          days: rows.flatMap(({ days }) => days ?? []),
          'pair.cost': pairs.map(({ cost }) => cost),
          'pair.days': pairs.map(({ days }) => days),
          'pair.product': pairs.map(({ cost, days }) => cost * days),
        };
        for (const [name, sums] of Object.entries(RESTS_ON)) {
          const passes = sums.every((sum) => isSpread(values[sum], percent));
          seen[passes ? 'shown' : 'withheld']++;
          expect(name in shownValues(group), `${name} of ${group.key['ward']}`).toBe(passes);
        }
      }
    }),
    { numRuns: 3 },
  );
  expect(Math.min(seen.shown, seen.withheld)).toBeGreaterThan(0);
}, 120_000);

/** 100 (T - M1 - M2) >= p M1, over sizes. */
function isSpread(values: readonly bigint[], percent: number): boolean {
  const sizes = values.map((value) => (value < 0n ? -value : value)).sort((a, b) => Number(b - a));
  const rest = sizes.slice(2).reduce((a, b) => a + b, 0n);
  return 100n * rest >= BigInt(percent) * (sizes[0] ?? 0n);
}
