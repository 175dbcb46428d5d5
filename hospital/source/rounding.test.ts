import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compileSql, normalizeQuery, planQuery, rowsToCells } from '../../analytics/index.ts';
import { datasetSchema, type Column } from '../../protocol/schema.ts';
import type { DatasetMapping } from './config.ts';
import { Engine } from './engine.ts';
import { openSource } from './source.ts';
import { temporaryFolder, writeText } from './testing/files.ts';
import { bounds, decimal, numberColumn, readWith as read } from './testing/numbers.ts';
import { literal } from './text.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const engine = await Engine.open({ threads: 1 });
afterAll(() => engine.close());

/** Halves go away from zero. */
const nearest = (value: number): bigint => {
  const size = BigInt(Math.round(Math.abs(value)));
  return value < 0 ? -size : size;
};

describe('numbers that a schema rounds', () => {
  it('come out rounded, whatever holds them, and exact where they need not be', async () => {
    const real = fc.oneof(
      fc.double({ min: -1e4, max: 1e4, noNaN: true }),
      fc.double({ min: -1e-6, max: 1e-6, noNaN: true }),
      fc.integer({ min: -20_000, max: 20_000 }).map((halves) => halves / 2),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(real, { minLength: 1, maxLength: 20 }), fc.nat(9), async (values, decimals) => {
        const column: Column = { ...numberColumn(decimals, '-10000', '10000'), rounded: true };
        const expected = values.map((value) => nearest(value * 10 ** decimals));
        const texts = values.map((value) => literal(String(value)));
        for (const type of ['VARCHAR', 'DOUBLE']) expect(await read(engine, column, type, texts)).toEqual(expected);
      }),
    );
    await fc.assert(
      fc.asyncProperty(decimal, async ({ decimals, scaled, text }) => {
        const column: Column = { ...numberColumn(decimals, ...bounds(decimals)), rounded: true };
        expect(await read(engine, column, 'VARCHAR', [literal(text)])).toEqual([scaled]);
      }),
    );
  });

  it.each([
    ['VARCHAR', ['2.345', '-2.345', '5.397605346934028e-79', '1e2', ' 7 ', 'NA', '']],
    ['DECIMAL(20,15)', ['2.345', '-2.345', '0.000000000000001', '100', '7', 'NULL', 'NULL']],
    ['FLOAT', ['2.345', '-2.345', '1e-38', '100', '7', 'NULL', "'nan'"]],
  ])('of %s go to the nearest, halves away from zero', async (type, values) => {
    const column: Column = { ...numberColumn(2), rounded: true };
    const written = type === 'VARCHAR' ? values.map(literal) : values;
    expect(await read(engine, column, type, written)).toEqual([235n, -235n, 0n, 10_000n, 700n, null, null]);
  });

  it('keep to bounds and codes, and are numbers', async () => {
    const column: Column = { ...numberColumn(1, '0', '3', ['0', '1.5', '3']), rounded: true };
    const values = ['1.549', '1.55', '3.04', '3.06', '-0.04', '-0.06', '1_0', '+-1', 'inf', '1e400', 'x'];
    expect(await read(engine, column, 'VARCHAR', values.map(literal))).toEqual([
      15n, 'code', 30n, 'bounds', 0n, 'bounds', 'number', 'number', 'number', 'number', 'number',
    ]); // prettier-ignore
  });

  it('equal the literals that they are written like', async () => {
    const texts = Array.from(
      { length: 990 },
      (_, i) => `${i % 2 === 0 ? '' : '-'}${Math.floor(i / 100)}.${String(i % 100).padStart(2, '0')}5`,
    );
    const file = writeText(folder, 'halves.csv', `x\n${texts.join('\n')}\n`);
    const schema = datasetSchema.parse({ dataset: 'd', version: 1, columns: [{ ...numberColumn(2), rounded: true }] });
    const source = await openSource({ file }, schema);
    await source.verifyColumns(['x']);
    const query = { dataset: 'd', purpose: 'GRU', cohort: { column: 'x', in: texts }, statistics: [{ count: {} }] };
    const plan = planQuery(normalizeQuery(query, () => schema), schema); // prettier-ignore
    const { sql, parameters } = compileSql(plan, source.relation);
    let count = 0n;
    rowsToCells(plan, (index, value) => (count += index === 0 ? value : 0n))(await source.run(sql, parameters));
    expect(count).toBe(990n);
    await source.close();
  });

  it('follow the mapping', async () => {
    const column: Column = { ...numberColumn(3), rounded: true };
    const mapping: DatasetMapping = {
      decimalComma: true,
      columns: { x: { multiply: '88.4', missing: ['-9'], codes: { none: '0' } } },
    };
    expect(await read(engine, column, 'VARCHAR', ['1,23456', '-9,0', 'none'].map(literal), mapping)).toEqual([
      109_135n,
      null,
      0n,
    ]);
  });
});
