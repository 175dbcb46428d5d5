import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Column } from '../../protocol/schema.ts';
import { inferSchema } from './infer.ts';
import { openSource } from './source.ts';
import { temporaryFolder, writeParquet, writeText } from './testing.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const columnsOf = async (...files: string[]): Promise<Column[]> => (await inferSchema(files, { dataset: 'd' })).columns;

async function ofText(...texts: string[]): Promise<Column[]> {
  return columnsOf(...texts.map((text, index) => writeText(folder, `part-${index + 1}.csv`, text)));
}

describe('inferSchema', () => {
  it('finds decimals, bounds and small code lists over all files together', async () => {
    expect(await ofText('a,b\n1.50,3\n2,-7\n', 'a,b\n.125,NA\n,12.0\n')).toEqual([
      { name: 'a', type: 'number', decimals: 3, minimum: '0.125', maximum: '2' },
      { name: 'b', type: 'number', decimals: 0, minimum: '-7', maximum: '12', codes: ['-7', '3', '12'] },
    ]);
  });

  it('lists no codes of many or far-apart numbers', async () => {
    const [many, far] = await ofText(
      `a,b\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 2 === 0 ? 0 : 1001}`).join('\n')}\n`,
    );
    expect(many).not.toHaveProperty('codes');
    expect(far).not.toHaveProperty('codes');
  });

  it('takes texts as categories, many texts and identifiers by name as identifiers', async () => {
    const rows = Array.from(
      { length: 300 },
      (_, i) => `${i},x${i},${i % 2 === 0 ? 'no ' : 'a'},2024-01-0${(i % 3) + 1},0${i % 10}`,
    );
    expect(await ofText(`patient_id,note,answer,day,ward\n${rows.join('\n')}\n`)).toEqual([
      { name: 'patient_id', type: 'identifier' },
      { name: 'note', type: 'identifier' },
      { name: 'answer', type: 'category', codes: ['a', 'no'] },
      { name: 'day', type: 'category', codes: ['2024-01-01', '2024-01-02', '2024-01-03'] },
      { name: 'ward', type: 'category', codes: Array.from({ length: 10 }, (_, i) => `0${i}`) },
    ]);
  });

  it('takes an empty column for a number, unless another file fills it', async () => {
    expect(await ofText('a,b\n1,\n', 'a,b\n1,\n')).toMatchObject([{}, { type: 'number', minimum: '0', maximum: '0' }]);
    expect(await ofText('a,b\n1,\n', 'a,b\n1,x\n')).toMatchObject([{}, { type: 'category', codes: ['x'] }]);
  });

  it('takes types of Parquet', async () => {
    const file = await writeParquet(
      folder,
      'types.parquet',
      `SELECT 0.1::FLOAT AS f, 2.50::DECIMAL(9,4) AS d, true AS b, DATE '2024-02-29' AS day, 9007199254740993 AS long, 12::UTINYINT AS i`,
    );
    expect(await columnsOf(file)).toEqual([
      { name: 'f', type: 'number', decimals: 1, minimum: '0.1', maximum: '0.1' },
      { name: 'd', type: 'number', decimals: 1, minimum: '2.5', maximum: '2.5' },
      { name: 'b', type: 'category', codes: ['true'] },
      { name: 'day', type: 'category', codes: ['2024-02-29'] },
      { name: 'long', type: 'category', codes: ['9007199254740993'] },
      { name: 'i', type: 'number', decimals: 0, minimum: '12', maximum: '12', codes: ['12'] },
    ]);
  });

  it.each([
    [['a,b\n1,2\n', 'a\n1\n'], 'SCHEMA MISMATCH: part-1.csv has a column b, part-2.csv has not'],
    [['a\n1\n', 'a,b\n1,2\n'], 'SCHEMA MISMATCH: part-2.csv has a column b, part-1.csv has not'],
    [['a\n1\n', 'a\nx\n'], 'SCHEMA MISMATCH: a is a number in part-1.csv and text in part-2.csv'],
    [['a\n0.12345678901\n'], 'a has numbers of too many digits for exact sums'],
    [['1,2\n3,4\n'], 'part-1.csv: the first line holds numbers and not names'],
  ])('refuses %j', async (texts, message) => {
    await expect(ofText(...texts)).rejects.toThrow(message);
  });

  it('gives a schema that the same files fit', async () => {
    const file = writeText(folder, 'round.csv', 'x,y,z\n1e-3,a, \n-2.5,b,7\n');
    const schema = await inferSchema([file], { dataset: 'round', version: 1 });
    const source = await openSource({ file }, schema);
    expect(await source.checkMapping()).toMatchObject({ fits: true, rows: 2 });
    await source.close();
  });
});

const heart = join(
  resolve(process.env['HEALTHCHAIN_DATA'] ?? join(import.meta.dirname, '../../../shared/data')),
  'uci-heart',
);
const names = ['cleveland', 'hungarian', 'switzerland', 'va'];

describe.skipIf(!existsSync(heart))('the four heart files (skipped without HEALTHCHAIN_DATA)', () => {
  it('have one schema, and sums as published', async () => {
    const files = names.map((name) => join(heart, `${name}.csv`));
    const schema = await inferSchema(files, { dataset: 'heart' });
    expect(schema.columns.every((column) => column.type === 'number')).toBe(true);
    expect(schema.columns).toContainEqual({
      name: 'oldpeak',
      type: 'number',
      decimals: 1,
      minimum: '-2.6',
      maximum: '6.2',
    });
    expect(schema.columns).toContainEqual(expect.objectContaining({ name: 'cp', codes: ['1', '2', '3', '4'] }));
    expect(schema.columns).toContainEqual(expect.objectContaining({ name: 'trestbps', minimum: '0', maximum: '200' }));
    const source = await openSource({ files }, schema);
    await source.verifyColumns(schema.columns.map((column) => column.name));
    const sums = 'SELECT count(*), sum(age), sum(trestbps), count(oldpeak), sum(oldpeak), sum(thalach) FROM records';
    expect((await source.run(sums)).columns).toEqual([[920n], [49_230n], [113_766n], [858n], [7540n], [118_977n]]);
    await source.close();
  });
});
