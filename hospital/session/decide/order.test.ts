import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { planQuery, shownValues } from '../../../analytics/index.ts';
import { passesRule } from '../../../analytics/testing/decision.ts';
import { createRelation, openDatabase, prepare, schemaOf, type Row } from '../../../analytics/testing/world.ts';
import { needsDecision } from '../../../protocol/release.ts';
import { answerOf, decideTogether, figuresOf } from '../testing/decision.ts';

/** Quantiles and extremes found on shares against what sorting the pooled rows gives. */

const schema = schemaOf([
  { name: 'sex', type: 'category', codes: ['f', 'm'] },
  { name: 'age', type: 'number', decimals: 0, minimum: '-3', maximum: '60' },
  { name: 'dose', type: 'number', decimals: 1, minimum: '-0.5', maximum: '0.7' },
]);

const row = fc.record({
  sex: fc.constantFrom('f', 'm', 'm', null),
  age: fc.option(fc.bigInt({ min: -3n, max: 60n }), { freq: 5 }),
  dose: fc.option(fc.bigInt({ min: -5n, max: 7n }), { freq: 5 }),
});
const probability = fc.integer({ min: 1, max: 9999 }).map((p) => p / 10_000);

const setting = fc.record({
  hospitals: fc.array(fc.array(row, { maxLength: 40 }), { minLength: 2, maxLength: 4 }),
  p: fc.uniqueArray(probability, { minLength: 1, maxLength: 4 }),
  grouped: fc.boolean(),
  release: fc.record({
    minimumCell: fc.integer({ min: 1, max: 6 }),
    insiderRule: fc.boolean(),
    zeroCells: fc.constantFrom('open', 'withhold'),
  }),
  seed: fc.string(),
});

const WITHOUT_VALUES = {
  hospitals: [[], [{ sex: 'f' as const, age: null, dose: 3n }]],
  p: [0.5],
  grouped: true,
  release: { minimumCell: 2, insiderRule: true, zeroCells: 'open' as const },
  seed: 'empty',
};

describe('order statistics found on shares', () => {
  let database: DuckDBConnection;
  beforeAll(async () => {
    database = await openDatabase();
  });

  test('are those of the pooled rows, and withheld where few values stand behind them', async () => {
    const seen = { shown: 0, withheld: 0, undefined: 0 };
    await fc.assert(
      fc.asyncProperty(setting, async ({ hospitals, p, grouped, release, seed }) => {
        const query = prepare(
          {
            cohort: { not: { column: 'age', eq: 7 } },
            ...(grouped ? { groupBy: [{ column: 'sex' }] } : {}),
            statistics: [
              { count: {} },
              { quantile: { column: 'age', p } },
              { median: { column: 'dose' } },
              { extremes: { column: 'age' } },
            ],
            release,
          },
          schema,
        );
        const plan = planQuery(query, schema);
        for (const [i, rows] of hospitals.entries()) await createRelation(database, `h${i}`, schema, rows);
        const figures = [];
        for (const i of hospitals.keys()) figures.push(await figuresOf(database, plan, `h${i}`));
        const groups = answerOf(plan, figures, await decideTogether(plan, figures, seed));

        for (const group of groups) {
          const rows = hospitals.map((each) => each.filter((r) => inGroup(r, group.key['sex'])));
          const values = (column: 'age' | 'dose'): bigint[][] =>
            rows.map((each) => each.flatMap((r) => (r[column] === null ? [] : [r[column]])));
          const expectFound = (
            name: string,
            column: 'age' | 'dose',
            minimum: number,
            rank: (n: number) => number,
          ): void => {
            const own = values(column);
            const guarded = ([counts, least]: readonly [readonly unknown[][], number]): boolean =>
              passesRule(
                counts.map(({ length }) => BigInt(length)),
                least,
                query.release,
              );
            const shown = shownValues(group)[name];
            if (
              needsDecision(query.release) &&
              !(
                [
                  [rows, query.release.minimumCell],
                  [own, minimum],
                ] as const
              ).every(guarded)
            ) {
              seen.withheld++;
              return expect(shown, name).toBeUndefined();
            }
            const pooled = own.flat().sort((a, b) => Number(a - b));
            if (pooled.length === 0) {
              seen.undefined++;
              return expect(shown, name).toBeNull();
            }
            seen.shown++;
            expect(shown, name).toBe(Number(pooled[rank(pooled.length) - 1]) / (column === 'dose' ? 10 : 1));
          };
          const k = query.release.minimumCell;
          for (const each of p) {
            const units = Math.round(10_000 * each);
            const minimum = Math.max(k, Math.ceil((10_000 * k) / (4 * Math.min(units, 10_000 - units))));
            expectFound(`quantile(age,${each})`, 'age', minimum, (n) => Math.ceil((units * n) / 10_000));
          }
          expectFound('median(dose)', 'dose', k, (n) => Math.ceil(n / 2));
          expectFound('smallest(age)', 'age', 2 * k, () => k);
          expectFound('largest(age)', 'age', 2 * k, (n) => n + 1 - k);
        }
      }),
      { numRuns: 12, examples: [[WITHOUT_VALUES]] },
    );
    // The settings above meet every case.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
  }, 120_000);
});

const inGroup = (row: Row, sex: string | null | undefined): boolean =>
  row['age'] !== null && row['age'] !== 7n && (sex === undefined || row['sex'] === sex);
