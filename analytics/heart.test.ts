import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decode, planQuery, shownValues, type GroupResult, type ReleasedGroup } from './index.ts';
import { decideInTheClear } from './testing/decision.ts';
import { ask, cellsOf, createRelation, OPEN, openDatabase, prepare, schemaOf, type Row } from './testing/world.ts';

/** Four hospitals' heart data (UCI) against what R computes on the pooled files. */

const root = process.env['HEALTHCHAIN_DATA'] ?? join(import.meta.dirname, '../../shared/data');
const folder = join(root, 'uci-heart');
const isThere = existsSync(join(folder, 'reference.json'));
if (!isThere)
  process.stderr.write(
    `skipped: no heart data at ${folder}; set HEALTHCHAIN_DATA to the folder that holds uci-heart\n`,
  );

const SITES = ['cleveland', 'hungarian', 'switzerland', 'va'];
const schema = schemaOf([
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120', unit: 'years' },
  { name: 'sex', type: 'category', codes: ['0', '1'] },
  { name: 'cp', type: 'category', codes: ['1', '2', '3', '4'] },
  { name: 'trestbps', type: 'number', decimals: 0, minimum: '0', maximum: '300' },
  { name: 'thalach', type: 'number', decimals: 0, minimum: '50', maximum: '250' },
  { name: 'oldpeak', type: 'number', decimals: 1, minimum: '-3', maximum: '10' },
  { name: 'num', type: 'number', decimals: 0, minimum: '0', maximum: '4', codes: ['0', '1', '2', '3', '4'] },
]);

/** As a hospital's source would do it: "2.3" of a column with one decimal is 23, the code "1.0" is "1". */
function readSite(site: string): Row[] {
  const [header = '', ...lines] = readFileSync(join(folder, `${site}.csv`), 'utf8')
    .trim()
    .split(/\r?\n/);
  const names = header.split(',');
  return lines.map((line) => {
    const texts = line.split(',');
    const convert = (column: (typeof schema.columns)[number]): bigint | string | null => {
      const text = texts[names.indexOf(column.name)] ?? '';
      if (text === '') return null;
      return column.type === 'number' ? BigInt(Math.round(Number(text) * 10 ** column.decimals)) : String(Number(text));
    };
    return Object.fromEntries(schema.columns.map((column) => [column.name, convert(column)]));
  });
}

const described = z.object({ n: z.number(), sum: z.number(), mean: z.number(), variance: z.number(), sd: z.number() });
const referenceFile = z.object({
  rows: z.number(),
  age: described,
  thalach: described,
  trestbps: described,
  oldpeak: described,
  age_by_sex: z.object({ 0: described, 1: described }),
  cells_age_sex_disease: z.array(z.object({ age: z.string(), sex: z.number(), disease: z.number(), n: z.number() })),
  welch_thalach_by_disease: z.object({ lo: z.number(), hi: z.number() }),
  pearson_age_thalach: z.object({ r: z.number(), n: z.number() }),
});

const closeTo = (value: number | null | undefined, expected: number): void => {
  expect(Math.abs(value! - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
};

describe.skipIf(!isThere)('four hospitals with heart data', () => {
  let database: DuckDBConnection;
  let reference: z.infer<typeof referenceFile>;

  beforeAll(async () => {
    database = await openDatabase();
    reference = referenceFile.parse(JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')));
    for (const site of SITES) await createRelation(database, site, schema, readSite(site));
  });

  const answer = (input: object): Promise<ReleasedGroup[]> =>
    ask(database, prepare({ ...input, release: OPEN }, schema), schema, SITES);
  const descriptives = (column: string): object[] =>
    ['sum', 'mean', 'variance', 'sd', 'se'].map((kind) => ({ [kind]: { column } }));
  const expectDescribed = (
    values: ReleasedGroup['values'],
    column: string,
    expected: z.infer<typeof described>,
  ): void => {
    expect(values[`n(${column})`]).toBe(expected.n);
    for (const kind of ['sum', 'mean', 'variance', 'sd'] as const)
      closeTo(values[`${kind}(${column})`], expected[kind]);
    closeTo(values[`se(${column})`], expected.sd / Math.sqrt(expected.n));
  };

  it('agree with R on the descriptives', async () => {
    const columns = ['age', 'thalach', 'trestbps', 'oldpeak'] as const;
    const [all] = await answer({ statistics: [{ count: {} }, ...columns.flatMap(descriptives)] });
    expect(all!.values['count']).toBe(reference.rows);
    expect(all!.key).toEqual({});
    for (const column of columns) expectDescribed(all!.values, column, reference[column]);
    // A sum of tenths is the decimal number itself, not a sum of rounded tenths.
    expect(all!.values['sum(oldpeak)']).toBe(754);
  });

  it('agree with R on age by sex', async () => {
    const groups = await answer({ groupBy: [{ column: 'sex' }], statistics: descriptives('age') });
    expect(groups.map((group) => group.key)).toEqual([{ sex: '0' }, { sex: '1' }]);
    expectDescribed(groups[0]!.values, 'age', reference.age_by_sex[0]);
    expectDescribed(groups[1]!.values, 'age', reference.age_by_sex[1]);
  });

  const derive = { disease: { column: 'num', gt: 0 } };
  const bins = [0, 40, 50, 60, 70, 120];

  it('agree with R on counts by age band, sex and disease', async () => {
    const groupBy = [{ column: 'age', bins }, { column: 'sex' }, { column: 'disease' }];
    const groups = await answer({ derive, groupBy, statistics: [{ count: {} }] });
    expect(groups).toHaveLength(20);
    expect(groups[1]!.key).toEqual({ age: '[0,40)', sex: '0', disease: '1' });
    for (const { age, sex, disease, n } of reference.cells_age_sex_disease) {
      const group = groups.find(
        ({ key }) => key['age'] === age && key['sex'] === `${sex}` && key['disease'] === `${disease}`,
      );
      expect(group?.values).toEqual({ count: n });
    }
  });

  it('count the same in tables and histograms', async () => {
    const groups = await answer({
      derive,
      groupBy: [{ column: 'age', bins }],
      statistics: [{ table: { columns: ['sex', 'disease'] } }, { histogram: { column: 'sex' } }],
    });
    const { cells_age_sex_disease: cells } = reference;
    for (const { age, sex, disease, n } of cells)
      expect(groups.find(({ key }) => key['age'] === age)?.values[`table(sex=${sex},disease=${disease})`]).toBe(n);
    const [youngest] = groups;
    const women = cells
      .filter((cell) => cell.age === '[0,40)' && cell.sex === 0)
      .reduce((sum, cell) => sum + cell.n, 0);
    expect(youngest!.values['histogram(sex)[0]']).toBe(women);
    const [all] = await answer({ statistics: [{ histogram: { column: 'age', bins } }] });
    const under40 = cells.filter((cell) => cell.age === '[0,40)').reduce((sum, cell) => sum + cell.n, 0);
    expect(all!.values['histogram(age)[0,40)']).toBe(under40);
  });

  it('agree with R on a correlation over complete pairs', async () => {
    const [all] = await answer({
      statistics: [{ n: { columns: ['age', 'thalach'] } }, { correlation: { columns: ['age', 'thalach'] } }],
    });
    expect(all!.values['n(age,thalach)']).toBe(reference.pearson_age_thalach.n);
    closeTo(all!.values['correlation(age,thalach)'], reference.pearson_age_thalach.r);
  });

  /** The counts of each hospital, row by row from its file, and what the rule makes of them. */
  const countsBy = (chosen: (row: Row) => string | undefined): Map<string, bigint[]> => {
    const counts = new Map<string, bigint[]>();
    SITES.forEach((site, index) => {
      for (const row of readSite(site)) {
        const cell = chosen(row);
        if (cell === undefined) continue;
        const found = counts.get(cell) ?? SITES.map(() => 0n);
        found[index]! += 1n;
        counts.set(cell, found);
      }
    });
    return counts;
  };
  const isSmall = (count: bigint): boolean => count > 0n && count < 10n;
  const mayOpen = (counts: readonly bigint[] = []): boolean => {
    const total = counts.reduce((a, b) => a + b, 0n);
    return !isSmall(total) && counts.every((own) => !isSmall(total - own));
  };
  const decided = async (input: object): Promise<GroupResult[]> => {
    const plan = planQuery(prepare(input, schema), schema);
    const scanned = await Promise.all(SITES.map((site) => cellsOf(database, plan, site)));
    const released = decideInTheClear(plan, scanned);
    return decode(
      plan,
      (index) => scanned.reduce((sum, cells) => sum + cells[index]!, 0n),
      (index) => released[index] === 1,
    );
  };
  const decade = (row: Row): string | undefined => {
    const index = bins.findIndex((edge, k) => Number(row['age']) >= edge && Number(row['age']) < (bins[k + 1] ?? 0));
    return row['age'] === null || index < 0 ? undefined : `[${bins[index]!},${bins[index + 1]!})`;
  };
  const diseased = (row: Row): string => String(Number(row['num'] !== 0n));

  it('open by age, sex and disease what reaches ten rows without any hospital', async () => {
    const groupBy = [{ column: 'age', bins }, { column: 'sex' }, { column: 'disease' }];
    const counts = countsBy((row) => `${decade(row)} ${String(row['sex'])} ${diseased(row)}`);
    const groups = await decided({ derive, groupBy, statistics: [{ count: {} }, { mean: { column: 'thalach' } }] });
    const withheld = groups.filter(({ status }) => status === 'withheld');
    for (const group of groups) {
      const found = counts.get(`${group.key['age']!} ${group.key['sex']!} ${group.key['disease']!}`);
      expect(group.status, JSON.stringify(group.key)).toBe(mayOpen(found) ? 'released' : 'withheld');
    }
    expect([groups.length, withheld.length]).toEqual([20, 10]);
  });

  it('open of a table what its own rows, and what is left of it, allow', async () => {
    const counts = countsBy((row) => `${decade(row)} ${String(row['sex'])} ${diseased(row)}`);
    const groups = await decided({
      derive,
      groupBy: [{ column: 'age', bins }],
      statistics: [{ count: {} }, { table: { columns: ['sex', 'disease'] } }],
    });
    for (const group of groups) {
      const values = shownValues(group);
      const cells = ['0', '1'].flatMap((sex) => ['0', '1'].map((disease) => [sex, disease] as const));
      const hidden = cells.filter(([sex, disease]) => values[`table(sex=${sex},disease=${disease})`] === undefined);
      const found = cells.map(([sex, disease]) => counts.get(`${group.key['age']!} ${sex} ${disease}`));
      for (const [index, cell] of cells.entries()) if (!mayOpen(found[index])) expect(hidden).toContain(cell);
      const residual = SITES.map((_, site) =>
        cells.reduce((sum, cell, k) => sum + (hidden.includes(cell) ? (found[k]?.[site] ?? 0n) : 0n), 0n),
      );
      expect(hidden.length === 0 || mayOpen(residual), JSON.stringify(group.key)).toBe(true);
    }
  });

  it('give the interval that follows from mean, se and t', async () => {
    const [all] = await answer({ statistics: [{ ci: { column: 'thalach' } }] });
    const { n, mean, sd } = reference.thalach;
    // qt(0.975, 864), to 17 digits from the incomplete beta function in 40-digit arithmetic.
    const half = (1.9627134537962636 * sd) / Math.sqrt(n);
    expect(Object.keys(all!.values)).toEqual(['n(thalach)', 'ci.lower(thalach)', 'ci.upper(thalach)']);
    closeTo(all!.values['ci.lower(thalach)'], mean - half);
    closeTo(all!.values['ci.upper(thalach)'], mean + half);
  });

  it('answer the example of the documentation in its order', async () => {
    const groups = await answer({
      derive,
      cohort: {
        all: [
          { column: 'age', gte: 30, lt: 80 },
          { column: 'thalach', notNull: true },
        ],
      },
      groupBy: [{ column: 'sex' }, { column: 'age', bins }],
      statistics: [
        { count: {} },
        { mean: { column: 'thalach' } },
        { variance: { column: 'thalach' } },
        { correlation: { columns: ['age', 'thalach'] } },
      ],
    });
    expect(groups.map(({ key }) => `${key['sex']!} ${key['age']!}`).slice(3, 7)).toEqual([
      '0 [60,70)',
      '0 [70,120)',
      '1 [0,40)',
      '1 [40,50)',
    ]);
    for (const { values, status } of groups) {
      expect(status).toBe('released');
      expect(Object.keys(values)).toEqual([
        'count',
        'n(thalach)',
        'mean(thalach)',
        'variance(thalach)',
        'correlation(age,thalach)',
      ]);
      expect(values['n(thalach)']).toBe(values['count']);
    }
  });
});
