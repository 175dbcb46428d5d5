import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReleasedGroup } from '../../analytics/index.ts';
import { inferSchema } from '../../hospital/source/index.ts';
import {
  allReleased,
  ask,
  expectNear,
  haveHeart,
  heartFile,
  heartReference,
  makeFolder,
  OPEN_RELEASE,
  pooled,
  removeFolder,
  SITES,
  startConsortium,
  valuesOf,
  type Consortium,
} from './world.ts';

interface Description {
  readonly n: number;
  readonly sum: number;
  readonly mean: number;
  readonly variance: number;
  readonly sd: number;
  readonly min: number;
  readonly max: number;
  readonly q25: number;
  readonly median: number;
  readonly q75: number;
}
interface Reference {
  readonly rows: number;
  readonly age_by_sex: Readonly<Record<string, Description>>;
  readonly cells_age_sex_disease: readonly { age: string; sex: number; disease: number; n: number }[];
  readonly pearson_age_thalach: { readonly r: number; readonly n: number };
}

const COLUMNS = ['age', 'thalach', 'trestbps', 'oldpeak'] as const;
const describing = (column: string): object[] => [
  { n: { column } },
  { sum: { column } },
  { mean: { column } },
  { variance: { column } },
  { sd: { column } },
];
const base = { dataset: 'heart', purpose: 'GRU', release: OPEN_RELEASE };

if (!haveHeart) console.warn(`skipped: no UCI heart data at ${heartReference}; set HEALTHCHAIN_DATA`);

describe.skipIf(!haveHeart)('four hospitals with the UCI heart data answer as the pooled rows do', () => {
  const folder = makeFolder('heart');
  let consortium: Consortium;
  let reference: Reference;
  let described: Record<(typeof COLUMNS)[number], Description>;

  beforeAll(async () => {
    reference = JSON.parse(readFileSync(heartReference, 'utf8')) as Reference;
    described = reference as unknown as typeof described;
    const schema = await inferSchema(SITES.map(heartFile), { dataset: 'heart' });
    const hospitals = SITES.map((id) => ({ id, files: [heartFile(id)] }));
    consortium = await startConsortium({ folder, hospitals, schema });
  });
  afterAll(async () => {
    await consortium.stop();
    removeFolder(folder);
  });

  test('count, sum, mean, variance and sd of four columns, and one correlation, as R has them', async () => {
    const correlation = { columns: ['age', 'thalach'] };
    const answer = await ask(consortium, {
      ...base,
      statistics: [{ count: {} }, ...COLUMNS.flatMap(describing), { n: correlation }, { correlation }],
    });
    const values = valuesOf(answer);
    expect(values['count']).toBe(reference.rows);
    for (const column of COLUMNS) {
      const { n, sum, mean, variance, sd } = described[column];
      expect(values[`n(${column})`]).toBe(n);
      expectNear(values[`sum(${column})`], sum, `sum(${column})`);
      expectNear(values[`mean(${column})`], mean, `mean(${column})`);
      expectNear(values[`variance(${column})`], variance, `variance(${column})`);
      expectNear(values[`sd(${column})`], sd, `sd(${column})`);
    }
    expect(values['n(age,thalach)']).toBe(reference.pearson_age_thalach.n);
    expectNear(values['correlation(age,thalach)'], reference.pearson_age_thalach.r, 'r');
    expect(answer.result.hospitals).toEqual([...SITES]);
  });

  test('age by sex', async () => {
    const answer = await ask(consortium, { ...base, groupBy: [{ column: 'sex' }], statistics: describing('age') });
    expect(answer.groups.map((group) => group.key['sex'])).toEqual(['0', '1']);
    for (const { key, values } of allReleased(answer)) {
      const expected = reference.age_by_sex[key['sex']!]!;
      for (const name of ['n', 'sum', 'mean', 'variance', 'sd'] as const)
        expectNear(values[`${name}(age)`], expected[name], `${name}(age) of sex ${key['sex']}`);
    }
  });

  test('quantiles, medians and extremes, found on shares, as R has them', async () => {
    // Material for the search is made on this machine for all hospitals at once.
    const patient = { seconds: 240 };
    const ordering = (column: string): object[] => [
      { quantile: { column, p: [0.25, 0.75] } },
      { median: { column } },
      { extremes: { column } },
    ];
    const expectOrdered = (values: ReleasedGroup['values'], column: string, expected: Description): void =>
      expect(values).toMatchObject({
        [`n(${column})`]: expected.n,
        [`quantile(${column},0.25)`]: expected.q25,
        [`quantile(${column},0.75)`]: expected.q75,
        [`median(${column})`]: expected.median,
        [`smallest(${column})`]: expected.min,
        [`largest(${column})`]: expected.max,
      });
    const all = valuesOf(await ask(consortium, { ...base, statistics: COLUMNS.flatMap(ordering) }, patient));
    for (const column of COLUMNS) expectOrdered(all, column, described[column]);
    const bySex = { ...base, groupBy: [{ column: 'sex' }], statistics: ordering('age') };
    for (const { key, values } of allReleased(await ask(consortium, bySex, patient)))
      expectOrdered(values, 'age', reference.age_by_sex[key['sex']!]!);
  }, 300_000);

  test('cells of age, sex and disease, a column derived from the diagnosis', async () => {
    const answer = await ask(consortium, {
      ...base,
      derive: { disease: { column: 'num', gte: 1 } },
      groupBy: [{ column: 'age', bins: [0, 40, 50, 60, 70, 120] }, { column: 'sex' }, { column: 'disease' }],
      statistics: [{ count: {} }],
    });
    const found = new Map(
      allReleased(answer).map(({ key, values }) => [
        [key['age'], key['sex'], key['disease']].join(' '),
        values['count'],
      ]),
    );
    expect(found.size).toBe(reference.cells_age_sex_disease.length);
    for (const { age, sex, disease, n } of reference.cells_age_sex_disease)
      expect(found.get([age, sex, disease].join(' ')), `${age} sex ${sex} disease ${disease}`).toBe(n);
  });

  test('a cohort, groups, bins with missing values and a table, against DuckDB on the pooled rows', async () => {
    const answer = await ask(consortium, {
      ...base,
      derive: { disease: { column: 'num', gte: 1 } },
      cohort: { all: [{ column: 'age', between: [35, 70] }, { not: { column: 'cp', eq: 1 } }] },
      groupBy: [{ column: 'disease' }, { column: 'chol', bins: [0, 1, 200, 300, 700], missing: 'group' }],
      statistics: [
        { count: {} },
        { mean: { column: 'thalach' } },
        { sd: { column: 'oldpeak' } },
        { covariance: { columns: ['trestbps', 'thalach'] } },
        { table: { columns: ['sex', 'cp'] } },
      ],
    });
    const rows = await pooled(async (sql) =>
      sql(`SELECT num >= 1 AS disease,
             CASE WHEN chol IS NULL THEN NULL WHEN chol < 1 THEN '[0,1)' WHEN chol < 200 THEN '[1,200)'
                  WHEN chol < 300 THEN '[200,300)' ELSE '[300,700)' END AS chol,
             count(*) AS count, avg(thalach) AS mean, stddev_samp(oldpeak) AS sd,
             covar_samp(trestbps, thalach) AS covariance, count(*) FILTER (sex = 1 AND cp = 4) AS cell
           FROM read_csv([${SITES.map((site) => `'${heartFile(site)}'`).join()}], union_by_name = true)
           WHERE age BETWEEN 35 AND 70 AND cp <> 1 GROUP BY ALL`),
    );
    const expected = new Map(rows.map((row) => [`${row['disease'] === true ? '1' : '0'} ${String(row['chol'])}`, row]));
    expect(answer.groups).toHaveLength(10);
    for (const { key, values } of allReleased(answer)) {
      const row = expected.get(`${key['disease']} ${key['chol']}`);
      expect(values['count'], JSON.stringify(key)).toBe(Number(row?.['count'] ?? 0));
      if (row === undefined) continue;
      expect(values['table(sex=1,cp=4)']).toBe(Number(row['cell']));
      // DuckDB adds doubles: it is the less exact of the two.
      expect(values['mean(thalach)']).toBeCloseTo(row['mean'] as number, 9);
      expect(values['sd(oldpeak)']).toBeCloseTo(row['sd'] as number, 9);
      expect(values['covariance(trestbps,thalach)']).toBeCloseTo(row['covariance'] as number, 8);
    }
  });
});
