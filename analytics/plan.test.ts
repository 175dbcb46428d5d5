import { describe, expect, it } from 'vitest';
import { groupKey, planQuery, type Plan } from './plan.ts';
import { prepare, schemaOf } from './testing/world.ts';

const schema = schemaOf([
  { name: 'patient', type: 'identifier' },
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
  { name: 'weight', type: 'number', decimals: 1, minimum: '0', maximum: '400' },
  { name: 'sex', type: 'category', codes: ['f', 'm'] },
  { name: 'wide', type: 'number', decimals: 9, minimum: '-10000', maximum: '10000' },
  { name: 'dose', type: 'number', decimals: 2, rounded: true, minimum: '0', maximum: '10' },
]);
const plan = (input: object): Plan => planQuery(prepare(input, schema), schema);
const all = (column: string): object[] =>
  ['n', 'sum', 'mean', 'variance', 'sd', 'se', 'ci'].map((kind) => ({ [kind]: { column } }));

describe('cells', () => {
  it('are shared by all statistics of a column', () => {
    expect(plan({ statistics: all('age') }).cellsPerGroup).toBe(3);
    expect(plan({ statistics: [...all('age'), ...all('weight')] }).cellsPerGroup).toBe(6);
  });

  it('are shared where the cohort or the groups leave no missing values', () => {
    const statistics = [{ count: {} }, ...all('age'), { correlation: { columns: ['age', 'weight'] } }];
    // count, 3 of age, and n, x, y, xy, xx, yy over pairs.
    expect(plan({ statistics }).cellsPerGroup).toBe(1 + 3 + 6);
    const cohort = { all: [{ column: 'age', gte: 18 }, { not: { column: 'weight', isNull: true } }] };
    expect(plan({ statistics, cohort }).cellsPerGroup).toBe(1 + 2 + 3);
    const groupBy = [{ column: 'age', bins: [0, 50, 120] }];
    expect(plan({ statistics, groupBy, cohort: { column: 'weight', notNull: true } }).cellsPerGroup).toBe(6);
    expect(plan({ statistics, groupBy: [{ column: 'age', bins: [0, 50, 120], missing: 'group' }] }).cellsPerGroup).toBe(
      10,
    );
  });

  it('are not shared where one branch of the cohort admits missing values', () => {
    const statistics = [{ count: {} }, { n: { column: 'age' } }];
    const cells = (cohort: object): number => plan({ statistics, cohort }).cellsPerGroup;
    expect(
      cells({
        any: [
          { column: 'age', gte: 18 },
          { column: 'sex', eq: 'f' },
        ],
      }),
    ).toBe(2);
    expect(
      cells({
        any: [
          { column: 'age', gte: 18 },
          { column: 'age', lt: 5 },
        ],
      }),
    ).toBe(1);
    expect(
      cells({
        not: {
          all: [
            { column: 'age', gte: 18 },
            { column: 'sex', eq: 'f' },
          ],
        },
      }),
    ).toBe(2);
    expect(
      cells({
        not: {
          any: [
            { column: 'age', gte: 18 },
            { column: 'sex', eq: 'f' },
          ],
        },
      }),
    ).toBe(1);
    expect(cells({ column: 'age', isNull: true })).toBe(2);
  });

  it('of a histogram and a table follow the terms', () => {
    const planned = plan({
      groupBy: [{ column: 'sex' }],
      statistics: [
        { histogram: { column: 'age', bins: [0, 50, 100] } },
        { count: {} },
        { histogram: { column: 'sex' } },
      ],
    });
    expect(planned.statistics.map((each) => each.positions)).toEqual([[1, 2], [0], [3, 4]]);
    expect([planned.groups, planned.cellsPerGroup, planned.cells]).toEqual([2, 5, 10]);
  });
});

it('groups stand in domain order, the last column varying fastest', () => {
  const planned = plan({
    groupBy: [
      { column: 'sex', missing: 'group' },
      { column: 'weight', bins: [0, 62.5, 100] },
    ],
    statistics: [{ count: {} }],
  });
  const keys = Array.from({ length: planned.groups }, (_, group) => groupKey(planned, group));
  expect(keys.map((key) => [key['sex'], key['weight']])).toEqual(
    ['f', 'm', null].flatMap((sex) => ['[0,62.5)', '[62.5,100)'].map((weight) => [sex, weight])),
  );
});

it('is the same plan at every hospital', () => {
  const input = {
    derive: { old: { column: 'age', gt: 65 } },
    groupBy: [{ column: 'old' }],
    statistics: [...all('age'), { table: { columns: ['sex', 'old'] } }],
  };
  const text = (planned: Plan): string =>
    JSON.stringify({ ...planned, derived: [...planned.derived] }, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
  expect(text(plan(structuredClone(input)))).toBe(text(plan(input)));
});

it('reads no column but those the query names', () => {
  const derive = { old: { column: 'age', gt: 65 } };
  expect(
    plan({ derive, cohort: { column: 'weight', gt: 3 }, groupBy: [{ column: 'sex' }], statistics: [{ count: {} }] })
      .columns,
  ).toEqual(['age', 'weight', 'sex']);
  expect(plan({ statistics: [{ count: {} }] }).columns).toEqual([]);
});

it('rounds what a rounded column is compared with and cut at', () => {
  const { cohort, groupBy } = plan({
    cohort: {
      all: [
        { column: 'dose', gte: 0.12500001, lt: 9.994 },
        { column: 'dose', ne: 1.0049 },
      ],
    },
    groupBy: [{ column: 'dose', bins: [0, 0.005, 1] }],
    statistics: [{ count: {} }],
  });
  expect(JSON.stringify(cohort, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))).toBe(
    JSON.stringify({
      kind: 'all',
      of: [
        {
          kind: 'all',
          of: [
            { kind: 'range', column: 'dose', from: 13 },
            { kind: 'range', column: 'dose', to: 998 },
          ],
        },
        { kind: 'not', of: { kind: 'among', column: 'dose', values: [100] } },
      ],
    }),
  );
  expect(groupBy[0]!.labels).toEqual(['[0,0.01)', '[0.01,1)']);
});

it('refuses products that a sum over 2^34 rows could carry out of range', () => {
  expect(() => plan({ statistics: [{ variance: { column: 'wide' } }] })).toThrow(
    'statistics.0: products of wide and wide are too large to be summed exactly',
  );
  expect(plan({ statistics: [{ mean: { column: 'wide' } }, { covariance: { columns: ['wide', 'age'] } }] }).cells).toBe(
    6,
  );
});

it('refuses a query of another dataset or version', () => {
  const query = prepare({ statistics: [{ count: {} }] }, schema);
  expect(() => planQuery({ ...query, dataset: 'heart@2' }, schema)).toThrow(
    'dataset: is heart@2, but the schema is of heart@1',
  );
});
