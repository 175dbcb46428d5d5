import { renameSync, rmSync, utimesSync } from 'node:fs';
import {
  Bool,
  Dictionary,
  Float32,
  Float64,
  Int32,
  RecordBatchStreamWriter,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
  Int64,
} from 'apache-arrow';
import { afterAll, describe, expect, it } from 'vitest';
import { datasetSchema } from '../../protocol/schema.ts';
import type { Cell } from './engine.ts';
import { openSource, type Source } from './source.ts';
import { PATIENTS, temporaryFolder, writeParquet, writeText } from './testing/files.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const NAMES = PATIENTS.columns.map((column) => column.name);
const EXPECTED: readonly Cell[][] = [
  ['p1', 'p2', 'p3'],
  [63n, null, 41n],
  [245n, 300n, null],
  ['F', 'M', null],
];

async function contents(source: Source): Promise<readonly (readonly Cell[])[]> {
  await source.verifyColumns(NAMES);
  return (await source.run(`SELECT id, age, bmi, sex FROM ${source.relation} ORDER BY id`)).columns;
}

async function readAll(file: string): Promise<readonly (readonly Cell[])[]> {
  const source = await openSource({ file, threads: 1 }, PATIENTS);
  try {
    return await contents(source);
  } finally {
    await source.close();
  }
}

const arrowTable = (): Table =>
  new Table({
    id: vectorFromArray(['p1', 'p2', 'p3'], new Utf8()),
    age: vectorFromArray([63, null, 41], new Int32()),
    bmi: vectorFromArray([24.5, 30, null], new Float64()),
    sex: vectorFromArray(['F', 'M', null], new Dictionary(new Utf8(), new Int32())),
    other: vectorFromArray([true, false, true], new Bool()),
  });

describe('the same rows', () => {
  it.each([
    ['plain.csv', 'id,age,bmi,sex\np1,63,24.5,F\np2,,30,M\np3,41,,\n'],
    ['dressed.csv', 'id,age,bmi,sex\np1,63.0, 24.50 ,F \np2,NA,3e1,M\np3,+41,?,NULL\n'],
    ['bom-crlf.csv', '\ufeffid,age,bmi,sex\r\np1,63,24.5,F\r\np2,,30,M\r\np3,41,,\r\n'],
    ['semicolon.csv', 'id;age;bmi;sex\np1;63;24.5;F\np2;;30;M\np3;41;;\n'],
    ['tabs.tsv', 'id\tage\tbmi\tsex\np1\t63\t24.5\tF\np2\t\t30\tM\np3\t41\t\t\n'],
    ['quoted.csv', 'note,"id",age,bmi,sex\n"a\nb, ""c""",p1,"63",24.5,"F"\nx,p2,"",30,M\ny,p3,41,,\n'],
    ['order.csv', 'SEX,Bmi,AGE,id\nF,24.5,63,p1\nM,30,,p2\n,,41,p3\n'],
    [
      'rows.ndjson',
      '{"id":"p1","age":63,"bmi":24.5,"sex":"F"}\n{"id":"p2","age":null,"bmi":"30.0","sex":"M"}\n{"id":"p3","age":"41","extra":{"a":1}}\n',
    ],
  ])('come out of %s', async (name, text) => {
    expect(await readAll(writeText(folder, name, text))).toEqual(EXPECTED);
  });

  it.each([
    [
      'narrow',
      `SELECT * FROM (VALUES ('p1', 63::TINYINT, 24.5::DOUBLE, 'F'), ('p2', NULL, 30, 'M'), ('p3', 41, 'nan', NULL)) t(id, age, bmi, sex)`,
    ],
    [
      'floats',
      `SELECT * FROM (VALUES ('p1', 63::DOUBLE, 24.5::FLOAT, 'F'), ('p2', NULL, 30, 'M'), ('p3', 41, NULL, '')) t(id, age, bmi, sex)`,
    ],
    [
      'decimals',
      `SELECT * FROM (VALUES ('p1', 63::DECIMAL(5,2), 24.50::DECIMAL(38,20), 'F '), ('p2', NULL, 30, 'M'), ('p3', 41, NULL, 'NA')) t(id, age, bmi, sex)`,
    ],
    [
      'texts',
      `SELECT * FROM (VALUES ('p1', '63.0', '24.5', 'F'), ('p2', 'NA', '30', 'M'), ('p3', '41', '', NULL)) t(id, age, bmi, sex)`,
    ],
    [
      'unsigned',
      `SELECT * FROM (VALUES ('p1', 63::UBIGINT, 24.5::DOUBLE, 'F'), ('p2', NULL, 30, 'M'), ('p3', 41, NULL, NULL)) t(id, age, bmi, sex)`,
    ],
  ])('come out of Parquet with %s', async (name, select) => {
    expect(await readAll(await writeParquet(folder, `${name}.parquet`, select))).toEqual(EXPECTED);
  });

  it('come out of Arrow files and streams', async () => {
    expect(await readAll(writeText(folder, 'rows.arrow', tableToIPC(arrowTable(), 'file')))).toEqual(EXPECTED);
    expect(await readAll(writeText(folder, 'rows.feather', tableToIPC(arrowTable(), 'stream')))).toEqual(EXPECTED);
    const narrow = new Table({
      id: vectorFromArray(['p1', 'p2', 'p3'], new Utf8()),
      age: vectorFromArray([63n, null, 41n], new Int64()),
      bmi: vectorFromArray([24.5, 30, null], new Float32()),
      sex: vectorFromArray(['F', 'M', ''], new Utf8()),
    });
    const writer = new RecordBatchStreamWriter({ autoDestroy: false });
    writer.writeAll(narrow).finish();
    expect(await readAll(writeText(folder, 'narrow.arrow', writer.toUint8Array(true)))).toEqual(EXPECTED);
  });

  it('come out of several files whose types differ, by a glob', async () => {
    const part = (name: string, select: string): Promise<string> => writeParquet(folder, name, select);
    await part('part-1.parquet', `SELECT 'p1' AS id, 63 AS age, 24.5::DOUBLE AS bmi, 'F' AS sex`);
    await part('part-2.parquet', `SELECT 'M' AS sex, 'p2' AS id, NULL::DOUBLE AS age, '30.0' AS bmi`);
    await part('part-3.parquet', `SELECT 'p3' AS id, 41::DOUBLE AS age, NULL::INTEGER AS bmi, 'NA' AS sex`);
    expect(await readAll(`${folder}/part-*.parquet`)).toEqual(EXPECTED);
  });
});

describe('a run', () => {
  const csv = (): string => writeText(folder, 'run.csv', 'id,age,bmi,sex\np1,63,24.5,F\np2,,30,M\np3,41,,\n');

  it('binds parameters and returns integers of any width', async () => {
    const source = await openSource({ file: csv() }, PATIENTS);
    await source.verifyColumns(['age']);
    const result = await source.run(
      'SELECT sum(age), count(*), 170141183460469231731687303715884105727, $2, bool_or(age > $1) FROM records',
      [50n, 'x'],
    );
    expect(result.columns).toEqual([[104n], [3n], [2n ** 127n - 1n], ['x'], [1n]]);
    await source.close();
  });

  it('reaches no other file, no setting, and no statement but SELECT', async () => {
    const other = writeText(folder, 'other.csv', 'SENTINEL-7f3a\n1\n');
    const source = await openSource({ file: csv() }, PATIENTS);
    for (const sql of [
      `SELECT count(*) FROM '${other}'`,
      `SELECT count(*) FROM read_text('/etc/passwd')`,
      `COPY (SELECT 1) TO '${folder}/out.csv'`,
      `SET enable_external_access = true`,
      `INSTALL httpfs`,
      `DROP VIEW records`,
      `SELECT 1; SELECT 2`,
    ]) {
      const error = await source.run(sql).catch((caught: unknown) => caught);
      expect(error, sql).toMatchObject({ kind: expect.stringMatching(/Fault|Misuse/) as string });
      expect(String(error)).not.toContain('7f3a');
    }
    await source.close();
  });

  it('fails when a file changed since it was verified, and works again after', async () => {
    const file = csv();
    const source = await openSource({ file }, PATIENTS);
    await source.verifyColumns(NAMES);
    writeText(folder, 'next.csv', 'id,age,bmi,sex\np1,63,24.5,F\np9,130,30,M\n');
    renameSync(`${folder}/next.csv`, file);
    await expect(source.run('SELECT count(*) FROM records')).rejects.toMatchObject({
      code: 'DATA',
      message: expect.stringContaining('changed') as string,
    });
    await expect(source.verifyColumns(NAMES)).rejects.toThrow('run.csv, data row 2: age lies outside');
    csv();
    expect(await contents(source)).toEqual(EXPECTED);
    await source.close();
  });

  it('knows of Parquet which columns lack no value, and of which files', async () => {
    const rows = (age: string): string =>
      `SELECT * FROM (VALUES ('p1', 63, 'F'), ('p2', ${age}, NULL)) AS t(id, age, sex)`;
    const file = await writeParquet(folder, 'complete.parquet', rows('41'));
    const source = await openSource({ file }, PATIENTS);
    await source.verifyColumns(['id', 'age', 'sex']);
    const complete = new Set(source.complete);
    expect([...complete].sort()).toEqual(['age', 'id']);
    const ages: unknown[] = [];
    const count = () => source.scan('SELECT count(*) FROM records', [], (rows) => ages.push(rows), new Set(['age']));
    await count();
    await writeParquet(folder, 'next.parquet', rows('NULL'));
    renameSync(`${folder}/next.parquet`, file);
    // Another query opens the changed files; a statement made before it must not run over them.
    await source.verifyColumns(['id', 'age', 'sex']);
    expect([...source.complete]).toEqual(['id']);
    expect([...complete].sort()).toEqual(['age', 'id']);
    await expect(count()).rejects.toMatchObject({
      code: 'DATA',
      message: expect.stringContaining('changed') as string,
    });
    expect(ages).toHaveLength(1);
    await source.close();
  });

  it('takes no column of a text file for complete', async () => {
    const source = await openSource({ file: csv() }, PATIENTS);
    await source.verifyColumns(['id', 'age']);
    expect(source.complete.size).toBe(0);
    await source.close();
  });

  it('sees through a set-back modification time', async () => {
    const file = csv();
    const then = new Date(Date.now() - 60_000);
    utimesSync(file, then, then);
    const source = await openSource({ file }, PATIENTS);
    await source.verifyColumns(NAMES);
    writeText(folder, 'run.csv', 'id,age,bmi,sex\np1,64,24.5,F\np2,,30,M\np3,41,,\n');
    utimesSync(file, then, then);
    await expect(source.run('SELECT count(*) FROM records')).rejects.toMatchObject({ code: 'DATA' });
    await source.close();
  });

  it('of many columns verifies only those named', async () => {
    const file = writeText(folder, 'partly.csv', 'id,age,bmi,sex\np1,63,24.5,F\np2,999,30,M\n');
    const source = await openSource({ file }, PATIENTS);
    await source.verifyColumns(['bmi', 'sex']);
    expect((await source.run('SELECT sum(bmi) FROM records')).columns).toEqual([[545n]]);
    await expect(source.verifyColumns(['age'])).rejects.toMatchObject({ code: 'DATA' });
    await expect(source.run('SELECT sum(age) FROM records')).rejects.toMatchObject({ code: 'INTERNAL' });
    await source.close();
  });
});

describe('row numbers', () => {
  const wide = datasetSchema.parse({
    dataset: 'd',
    version: 1,
    columns: [{ name: 'x', type: 'number', decimals: 2, minimum: '0', maximum: '1000000' }],
  });

  it('are right deep in a large file of any format', async () => {
    const select = `SELECT CASE WHEN i = 432100 THEN 1.005 ELSE (i / 100)::DOUBLE END AS x FROM range(600000) t(i)`;
    const file = await writeParquet(folder, 'large.parquet', select);
    const text = writeText(
      folder,
      'large.csv',
      `x\n${Array.from({ length: 500_000 }, (_, i) => (i === 432_100 ? '1.005' : String(i / 100))).join('\n')}\n`,
    );
    for (const each of [file, text]) {
      const source = await openSource({ file: each }, wide);
      await expect(source.verifyColumns(['x'])).rejects.toThrow('data row 432101: x has more decimals');
      await source.close();
    }
  });
});
