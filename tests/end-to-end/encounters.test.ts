import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENCOUNTERS_SCHEMA, EXAMPLE_QUERY, generateEncounters } from '../../hospital/synthetic/index.ts';
import {
  allReleased,
  ask,
  cli,
  editConfig,
  expectNear,
  expectOneClearLine,
  makeFolder,
  OPEN_RELEASE,
  pooled,
  removeFolder,
  startConsortium,
  valuesOf,
  writeResearcherConfig,
  type Consortium,
  type Row,
} from './world.ts';

const base = { dataset: 'encounters', purpose: 'GRU', release: OPEN_RELEASE };
const names = Array.from({ length: 10 }, (_, i) => `hospital-${i + 1}`);
const [withParquet, withArrow, withLines, atTheBounds, withoutEmergencies] = names as [
  string,
  string,
  string,
  string,
  string,
];

const HEADER = ENCOUNTERS_SCHEMA.columns.map((column) => column.name);
/** Every number at its least and at its greatest value, and one row without any. */
const BOUNDS = ['minimum', 'maximum', 'missing'].map((which, i) =>
  ENCOUNTERS_SCHEMA.columns
    .map((column) => {
      if (column.type === 'identifier') return `edge-${i}`;
      if (column.type === 'category') return which === 'minimum' ? column.codes[0]! : column.codes.at(-1)!;
      return which === 'missing' ? '' : column[which as 'minimum' | 'maximum'];
    })
    .join(),
);

describe('ten hospitals with generated encounters, each file of its own kind', () => {
  const folder = makeFolder('encounters');
  const files = new Map(names.map((name) => [name, join(folder, 'data', `${name}.csv`)]));
  let consortium: Consortium;

  /** Rows of some hospitals' files together, from the CSV that each was made of. */
  const rowsOf = (hospitals: readonly string[], select: string): Promise<Row[]> =>
    pooled((sql) => {
      const list = hospitals.map((name) => `'${join(folder, 'data', `${name}.csv`)}'`).join();
      return sql(`WITH rows AS (SELECT * FROM read_csv([${list}], union_by_name = true)) ${select}`);
    });

  beforeAll(async () => {
    await generateEncounters({ hospitals: 10, rows: 300, seed: 20, out: join(folder, 'data') });
    const csv = (name: string): string => join(folder, 'data', `${name}.csv`);
    writeFileSync(csv(atTheBounds), [HEADER.join(), ...BOUNDS].join('\n') + '\n');
    const calm = readFileSync(csv(withoutEmergencies), 'utf8').replaceAll('emergency', 'elective');
    writeFileSync(csv(withoutEmergencies), calm);
    await pooled(async (sql) => {
      const as = (name: string, extension: string): string => {
        files.set(name, join(folder, 'data', `${name}.${extension}`));
        return files.get(name)!;
      };
      await sql(`COPY (FROM '${csv(withParquet)}') TO '${as(withParquet, 'parquet')}' (FORMAT parquet)`);
      await sql(`COPY (FROM '${csv(withLines)}') TO '${as(withLines, 'ndjson')}' (FORMAT json)`);
      const rows = await sql(`FROM '${csv(withArrow)}'`);
      const column = (name: string): unknown[] =>
        rows.map((row) => (typeof row[name] === 'bigint' ? Number(row[name]) : row[name]));
      const table = tableFromArrays(Object.fromEntries(HEADER.map((name) => [name, column(name)])));
      writeFileSync(as(withArrow, 'arrow'), tableToIPC(table, 'file'));
    });
    consortium = await startConsortium({
      folder: join(folder, 'consortium'),
      hospitals: names.map((id) => ({ id, files: [files.get(id)!] })),
      schema: ENCOUNTERS_SCHEMA,
    });
  }, 120_000);
  afterAll(async () => {
    await consortium.stop();
    removeFolder(folder);
  });

  const numbers = `SELECT count(*) AS count, count(creatinine) AS n, sum(creatinine::DECIMAL(9,2))::VARCHAR AS sum,
    count(hba1c) AS n2, sum(hba1c::DECIMAL(9,1))::VARCHAR AS sum2, avg(bmi) AS bmi, stddev_samp(systolic) AS sd,
    corr(age, systolic) AS r, count(*) FILTER (died_30d = 1 AND smoker = 0) AS cell FROM rows`;

  test.each([2, 3, 10])('%i hospitals answer as their pooled rows do', async (n) => {
    const hospitals = names.slice(0, n);
    const answer = await ask(
      consortium,
      {
        ...base,
        statistics: [
          { count: {} },
          { sum: { column: 'creatinine' } },
          { n: { column: 'creatinine' } },
          { sum: { column: 'hba1c' } },
          { n: { column: 'hba1c' } },
          { mean: { column: 'bmi' } },
          { sd: { column: 'systolic' } },
          { correlation: { columns: ['age', 'systolic'] } },
          { table: { columns: ['died_30d', 'smoker'] } },
        ],
      },
      { hospitals },
    );
    const values = valuesOf(answer);
    const [row] = await rowsOf(hospitals, numbers);
    expect(answer.result.hospitals).toEqual(hospitals.toSorted());
    expect(values['count']).toBe(Number(row!['count']));
    expect(values['n(creatinine)']).toBe(Number(row!['n']));
    expect(values['sum(creatinine)']).toBe(Number(row!['sum']));
    expect(values['n(hba1c)']).toBe(Number(row!['n2']));
    expect(values['sum(hba1c)']).toBe(Number(row!['sum2']));
    expect(values['table(died_30d=1,smoker=0)']).toBe(Number(row!['cell']));
    expect(values['mean(bmi)']).toBeCloseTo(row!['bmi'] as number, 10);
    expect(values['sd(systolic)']).toBeCloseTo(row!['sd'] as number, 10);
    expect(values['correlation(age,systolic)']).toBeCloseTo(row!['r'] as number, 12);
  });

  test('two queries at once, one of them the example with groups, bins, cohort and eight statistics', async () => {
    const [example, other] = await Promise.all([
      ask(consortium, { ...EXAMPLE_QUERY, release: base.release }),
      ask(consortium, { ...base, groupBy: [{ column: 'diagnosis_group' }], statistics: [{ count: {} }] }),
    ]);
    const byChapter = await rowsOf(names, 'SELECT diagnosis_group AS key, count(*) AS count FROM rows GROUP BY ALL');
    const counts = new Map(byChapter.map((row) => [row['key'], Number(row['count'])]));
    for (const { key, values } of allReleased(other))
      expect(values['count'], JSON.stringify(key)).toBe(counts.get(key['diagnosis_group']) ?? 0);

    const bySexAndAge = await rowsOf(
      names,
      `SELECT sex, CASE WHEN age < 40 THEN '[18,40)' WHEN age < 55 THEN '[40,55)' WHEN age < 70 THEN '[55,70)'
         WHEN age < 85 THEN '[70,85)' ELSE '[85,100)' END AS age, count(*) AS count, avg(systolic) AS mean,
         avg(died_30d) AS died
       FROM rows WHERE admission_type <> 'transfer' AND age IS NOT NULL GROUP BY ALL`,
    );
    const expected = new Map(bySexAndAge.map((row) => [`${String(row['sex'])} ${String(row['age'])}`, row]));
    expect(example.groups).toHaveLength(10);
    for (const { key, values } of allReleased(example)) {
      const row = expected.get(`${key['sex']} ${key['age']}`)!;
      expect(values['count'], JSON.stringify(key)).toBe(Number(row['count']));
      expect(values['mean(systolic)']).toBeCloseTo(row['mean'] as number, 10);
      expect(values['mean(died_30d)']).toBeCloseTo(row['died'] as number, 12);
    }
  });

  test('a hospital without a matching row, and values at the bounds of the schema', async () => {
    const hospitals = [atTheBounds, withoutEmergencies];
    const emergencies = { column: 'admission_type', in: ['emergency', 'transfer'] };
    const answer = await ask(
      consortium,
      {
        ...base,
        cohort: {
          all: [{ column: 'age', gte: 99 }, { not: { column: 'admission_type', eq: 'elective' } }, emergencies],
        },
        statistics: ['creatinine', 'systolic', 'length_of_stay'].flatMap((column) => [
          { sum: { column } },
          { variance: { column } },
        ]),
      },
      { hospitals },
    );
    const values = valuesOf(answer);
    expect(values['sum(creatinine)']).toBe(20);
    expect(values['sum(systolic)']).toBe(260);
    expect(values['sum(length_of_stay)']).toBe(180);
    expect(values['variance(creatinine)']).toBeNull();
  });

  test('an empty cohort counts zero, and what is undefined is null', async () => {
    const answer = await ask(
      consortium,
      {
        ...base,
        cohort: {
          all: [
            { column: 'age', lt: 20 },
            { column: 'age', gt: 90 },
          ],
        },
        statistics: [{ count: {} }, { sum: { column: 'bmi' } }, { mean: { column: 'bmi' } }, { sd: { column: 'bmi' } }],
      },
      { hospitals: [withParquet, withArrow, withLines] },
    );
    expect(valuesOf(answer)).toEqual({
      count: 0,
      'sum(bmi)': 0,
      'n(bmi)': 0,
      'mean(bmi)': null,
      'sd(bmi)': null,
    });
  });

  test('a hundred thousand cells', async () => {
    const edges = Array.from({ length: 1001 }, (_, i) => (20 + 2 * i) / 100);
    const ages = Array.from({ length: 51 }, (_, i) => 18 + 2 * i);
    const hospitals = [withParquet, atTheBounds];
    const answer = await ask(
      consortium,
      {
        ...base,
        groupBy: [{ column: 'sex' }, { column: 'age', bins: ages }],
        statistics: [{ histogram: { column: 'creatinine', bins: edges } }],
      },
      { hospitals },
    );
    expect(answer.receipt.steps[0]!.cells).toHaveLength(100_000);
    const rows = await rowsOf(
      hospitals,
      `SELECT sex, 18 + 2 * floor((age - 18) / 2)::INTEGER AS age,
         (20 + 2 * floor((round(creatinine * 100) - 20) / 2))::INTEGER AS bin, count(*) AS count
       FROM rows WHERE creatinine IS NOT NULL AND age IS NOT NULL GROUP BY ALL`,
    );
    const label = (low: number, high: number): string => `[${low},${high})`;
    const expected = new Map(
      rows.map((row) => {
        const [age, bin] = [Number(row['age']), Number(row['bin'])];
        const place = [row['sex'], label(age, age + 2), label(bin / 100, (bin + 2) / 100)];
        return [place.join(' '), Number(row['count'])];
      }),
    );
    const found = new Map<string, number>();
    for (const { key, values } of allReleased(answer))
      for (const [name, count] of Object.entries(values))
        if (count !== 0)
          found.set(`${key['sex']} ${key['age']} ${name.replace('histogram(creatinine)', '')}`, Number(count));
    expect(found).toEqual(expected);
  });

  describe('with a person who decides', () => {
    const config = (name: string): string => join(folder, 'consortium', `${name}.json`);
    const query = join(folder, 'query.json');
    const careful = [withParquet, withArrow];

    beforeAll(async () => {
      writeFileSync(query, JSON.stringify({ ...base, statistics: [{ mean: { column: 'age' } }] }));
      const open = JSON.parse(readFileSync(config('policy'), 'utf8')) as object;
      writeFileSync(config('person'), JSON.stringify({ ...open, approval: 'person' }));
      writeResearcherConfig(join(folder, 'consortium'), withParquet);
      for (const name of careful) {
        editConfig(config(name), (file) => (file['policyFile'] = 'person.json'));
        await consortium.processes.get(name)!.stop();
        await consortium.restart(name);
      }
    });

    const submit = async (): Promise<string> => {
      const ran = await cli(
        'query',
        'submit',
        '--config',
        config('researcher'),
        '--query',
        query,
        '--hospital',
        ...careful,
      );
      expect(ran.code, ran.stderr).toBe(0);
      return ran.stdout.trim();
    };

    test('waits for both, answers, and the files verify', async () => {
      const id = await submit();
      const pending = await cli('hospital', 'pending', '--config', config(withParquet));
      expect(pending.stdout).toContain(id.slice(0, 12));
      expect(pending.stdout).toContain('mean of age');
      expect(consortium.ledger.query(id)?.decisions ?? []).toEqual([]);
      for (const name of careful) {
        const approved = await cli('hospital', 'approve', id.slice(0, 12), '--config', config(name));
        expect(approved, approved.stderr).toMatchObject({ code: 0 });
      }
      const out = join(folder, 'out');
      const result = await cli(
        'query',
        'result',
        id,
        '--config',
        config('researcher'),
        '--out',
        out,
        '--timeout',
        '40',
      );
      expect(result, result.stderr).toMatchObject({ code: 0 });
      for (const name of ['result.json', 'result.csv', 'result.arrow', 'receipt.json', 'ledger.json'])
        expect(existsSync(join(out, name)), name).toBe(true);
      const [row] = await rowsOf(careful, 'SELECT sum(age) / count(age) AS mean FROM rows');
      const { groups } = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as {
        groups: { values: Record<string, number> }[];
      };
      expectNear(groups[0]!.values['mean(age)'], Number(row!['mean']), 'mean(age)');
    });

    test('ends with the reason of the one who denies', async () => {
      const id = await submit();
      await cli('hospital', 'approve', id.slice(0, 12), '--config', config(withParquet));
      const denied = await cli(
        'hospital',
        'deny',
        id,
        '--config',
        config(withArrow),
        '--reason',
        'Not without ethics vote 12',
      );
      expect(denied, denied.stderr).toMatchObject({ code: 0 });
      const again = await cli('hospital', 'approve', id, '--config', config(withArrow));
      expectOneClearLine(again, 'Refusal', /ALREADY_DONE|STALE/);
      const result = await cli('query', 'result', id, '--config', config('researcher'), '--out', join(folder, 'none'));
      expectOneClearLine(result, 'NOT_APPROVED', /Not without ethics vote 12/);
      expect(existsSync(join(folder, 'none'))).toBe(false);
    });
  });
});
