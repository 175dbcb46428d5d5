import type { DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../protocol/errors.ts';
import { compileSql, planQuery, rowsToCells } from './index.ts';
import { ask, cellsOf, createRelation, OPEN, openDatabase, prepare, schemaOf, type Row } from './testing/world.ts';

let database: DuckDBConnection;
beforeAll(async () => {
  database = await openDatabase();
});

const number = (name: string, minimum: string, maximum: string, decimals = 0): object => ({
  name,
  type: 'number',
  decimals,
  minimum,
  maximum,
});

/** Values of one query over one relation, by group. */
async function values(columns: object[], rows: Row[], input: object): Promise<Record<string, number | null>[]> {
  const schema = schemaOf(columns);
  await createRelation(database, 'data', schema, rows);
  return (await ask(database, prepare({ ...input, release: OPEN }, schema), schema, ['data'])).map(
    (group) => group.values,
  );
}

describe('literals', () => {
  const EVIL = [`x' OR '1'='1`, `"; DROP TABLE data; --`, `$1`, `\\'; SELECT 1; --`, `codes", 1) FROM data --`];

  it('are bound, never written into the statement', () => {
    const schema = schemaOf([{ name: 'evil', type: 'category', codes: EVIL }, number('x', '0', '100000')]);
    const cohort = {
      all: [
        { column: 'evil', in: EVIL },
        { column: 'x', gte: 12345, lt: 54321 },
      ],
    };
    const query = prepare(
      { cohort, groupBy: [{ column: 'x', bins: [777, 888] }], statistics: [{ count: {} }] },
      schema,
    );
    const { sql, parameters } = compileSql(planQuery(query, schema), 'data');
    for (const text of [...EVIL, '12345', '54320', '777', '888']) if (text !== '$1') expect(sql).not.toContain(text);
    expect(new Set(parameters)).toEqual(new Set([...EVIL, 12345n, 54320n, 777n, 888n]));
  });

  it('that look like SQL are only codes', async () => {
    const rows = EVIL.map((code) => ({ evil: code }));
    const found = await values([{ name: 'evil', type: 'category', codes: EVIL }], rows, {
      cohort: { column: 'evil', ne: EVIL[1] },
      groupBy: [{ column: 'evil' }],
      statistics: [{ count: {} }],
    });
    expect(found.map((each) => each['count'])).toEqual([1, 0, 1, 1, 1]);
    expect((await database.runAndReadAll('SELECT count(*) FROM data')).getRows()).toEqual([[5n]]);
  });

  it('column names are quoted, keywords and aliases of our own among them', async () => {
    const names = ['select', 'a0', 'v0', 'd', 's', 'r', 'group.by', 'x-1', 'one'];
    const found = await values(
      names.map((name) => number(name, '0', '9')),
      [Object.fromEntries(names.map((name, index) => [name, BigInt(index)]))],
      {
        derive: { g: { column: 'a0', gt: 0 }, from: { column: 'd', lt: 3 } },
        cohort: { all: [...names, 'g'].map((column) => ({ column, notNull: true })) },
        groupBy: [{ column: 'g' }, { column: 's', bins: [0, 5] }],
        statistics: [...names, 'from'].map((column) => ({ sum: { column } })),
      },
    );
    expect(names.map((name) => found[1]![`sum(${name})`])).toEqual(names.map((_, index) => index));
    expect(found[1]!['sum(from)']).toBe(0);
  });
});

describe('three-valued logic', () => {
  const columns = [number('x', '0', '9'), number('y', '0', '9')];
  const rows: Row[] = [
    { x: 1n, y: 1n },
    { x: 1n, y: null },
    { x: null, y: 1n },
    { x: null, y: null },
  ];
  const x = { column: 'x', eq: 1 };
  const y = { column: 'y', eq: 1 };

  it.each<[object, number]>([
    [x, 2],
    [{ not: x }, 0],
    [{ column: 'x', ne: 2 }, 2],
    [{ column: 'x', notIn: [2, 3] }, 2],
    [{ any: [x, y] }, 3],
    [{ all: [x, y] }, 1],
    [{ not: { all: [x, { not: y }] } }, 2], // rows where y is 1, and x or the whole is not unknown
    [{ column: 'x', eq: 0.5 }, 0],
    [{ not: { column: 'x', eq: 0.5 } }, 2],
    [{ column: 'x', ne: 0.5 }, 2],
    [{ column: 'x', lt: '99999999999999999' }, 2],
    [{ column: 'x', isNull: true }, 2],
    [{ any: [{ column: 'x', isNull: true }, y] }, 3],
  ])('%j holds for %s of four rows', async (cohort, expected) => {
    expect(await values(columns, rows, { cohort, statistics: [{ count: {} }] })).toEqual([{ count: expected }]);
  });

  it('makes a derived column missing where its predicate is unknown', async () => {
    const found = await values(columns, rows, {
      derive: { both: { all: [x, y] } },
      groupBy: [{ column: 'both', missing: 'group' }],
      statistics: [{ count: {} }, { n: { column: 'both' } }, { mean: { column: 'both' } }],
    });
    expect(found.map((each) => [each['count'], each['mean(both)']])).toEqual([
      [0, null],
      [1, 1],
      [3, null],
    ]);
  });
});

describe('comparisons with literals between the values of the column', () => {
  it.each([
    [{ gte: 0.5 }, 2],
    [{ gt: 0.5 }, 2],
    [{ gt: 1 }, 1],
    [{ lt: 1.5 }, 3],
    [{ lte: -0.5 }, 1],
    [{ lte: -1 }, 1],
    [{ lt: -1 }, 0],
    [{ gte: -0.5 }, 3],
    [{ between: [-0.5, 1.5] }, 2],
  ])('%j', async (test, expected) => {
    const rows = [-1n, 0n, 1n, 2n].map((x) => ({ x }));
    const input = { cohort: { column: 'x', ...test }, statistics: [{ count: {} }] };
    expect(await values([number('x', '-9', '9')], rows, input)).toEqual([{ count: expected }]);
  });
});

describe('bins', () => {
  const count = { statistics: [{ count: {} }] };
  // The same bins by the column's values and, for a column with too many of them, by a CASE.
  it.each([
    ['9', 'few'],
    ['900000', 'many'],
  ])('are closed below and open above (%s)', async (maximum) => {
    const rows = [-26n, -25n, 0n, 4n, 5n, 49n, 50n, null].map((x) => ({ x }));
    const columns = [number('x', '-2.6', maximum, 1)];
    const counts = async (missing: string): Promise<unknown[]> =>
      (await values(columns, rows, { ...count, groupBy: [{ column: 'x', bins: [-2.5, 0, 0.5, 5], missing }] })).map(
        (each) => each['count'],
      );
    expect(await counts('drop')).toEqual([1, 2, 2]);
    expect(await counts('group')).toEqual([1, 2, 2, 1]);
  });
});

describe('sums', () => {
  it('are exact at the bounds, whatever the width of the products', async () => {
    for (const size of [46_340n, 46_341n, 2n ** 31n, 3_037_000_500n, 2n ** 39n]) {
      const rows = [
        { x: size, y: -size },
        { x: -size, y: size },
        { x: size, y: null },
      ];
      const columns = [number('x', String(-size), String(size)), number('y', String(-size), String(size))];
      const schema = schemaOf(columns);
      await createRelation(database, 'data', schema, rows);
      const query = prepare(
        { statistics: [{ variance: { column: 'x' } }, { covariance: { columns: ['x', 'y'] } }], release: OPEN },
        schema,
      );
      const cells = await cellsOf(database, planQuery(query, schema), 'data');
      expect(cells).toEqual([3n, size, 3n * size * size, 2n, 0n, 0n, -2n * size * size]);
    }
  });

  it('fail rather than wrap when data break the bounds of the schema', async () => {
    const schema = schemaOf([number('x', '0', '100')]);
    await createRelation(database, 'data', schema, [{ x: 2n ** 40n }]);
    const query = prepare({ statistics: [{ variance: { column: 'x' } }] }, schema);
    await expect(cellsOf(database, planQuery(query, schema), 'data')).rejects.toThrow();
  });

  it('of no rows are zero, and what needs values is null', async () => {
    const statistics = [
      { count: {} },
      { sum: { column: 'x' } },
      { mean: { column: 'x' } },
      { ci: { column: 'x' } },
      { correlation: { columns: ['x', 'x'] } },
    ];
    expect(await values([number('x', '0', '9')], [], { statistics })).toEqual([
      {
        count: 0,
        'n(x)': 0,
        'sum(x)': 0,
        'mean(x)': null,
        'ci.lower(x)': null,
        'ci.upper(x)': null,
        'correlation(x,x)': null,
      },
    ]);
    const [one] = await values([number('x', '0', '9')], [{ x: 3n }], {
      statistics: [{ mean: { column: 'x' } }, { sd: { column: 'x' } }],
    });
    expect(one).toEqual({ 'n(x)': 1, 'mean(x)': 3, 'sd(x)': null });
    const same = await values([number('x', '0', '9')], [{ x: 3n }, { x: 3n }], {
      statistics: [{ variance: { column: 'x' } }, { correlation: { columns: ['x', 'x'] } }],
    });
    expect(same).toEqual([{ 'n(x)': 2, 'variance(x)': 0, 'correlation(x,x)': null }]);
  });
});

describe('rows that cannot be', () => {
  const schema = schemaOf([{ name: 'sex', type: 'category', codes: ['f', 'm'] }]);
  const plan = planQuery(prepare({ groupBy: [{ column: 'sex' }], statistics: [{ count: {} }] }, schema), schema);
  const ignore = (): void => undefined;

  it('a code outside the schema is a Fault that does not tell it', async () => {
    await createRelation(database, 'data', schema, [{ sex: 'secret' }]);
    const failed = await cellsOf(database, plan, 'data').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Fault);
    expect((failed as Fault).code).toBe('DATA');
    expect((failed as Fault).message).toBe('column "sex" holds a code that heart@1 does not list');
  });

  it('another query’s columns are refused', () => {
    const take = rowsToCells(plan, ignore);
    expect(() => take({ rowCount: 1, columns: [['f']] })).toThrow('not those of this plan');
    expect(() => take({ rowCount: 1, columns: [['f'], [1.5]] })).toThrow('not those of this plan');
  });

  it('rows may come in parts', () => {
    const seen: [number, bigint][] = [];
    const take = rowsToCells(plan, (index, value) => seen.push([index, value]));
    take({ rowCount: 1, columns: [['m'], [7n]] });
    take({ rowCount: 0, columns: [] });
    const columns = [
      ['f', 'm'],
      [2n, 3n],
    ];
    take({ rowCount: 2, columns });
    expect(seen).toEqual([
      [1, 7n],
      [0, 2n],
      [1, 3n],
    ]);
  });
});
