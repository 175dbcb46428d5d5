import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Table, tableToIPC, TimestampSecond, vectorFromArray } from 'apache-arrow';
import { afterAll, describe, expect, it } from 'vitest';
import type { Column } from '../../protocol/schema.ts';
import { inferSchema } from './infer.ts';
import { openSource } from './source.ts';
import { temporaryFolder, writeParquet, writeText } from './testing/files.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const columnsOf = async (...files: string[]): Promise<Column[]> => (await inferSchema(files, { dataset: 'd' })).columns;

async function ofText(...texts: string[]): Promise<Column[]> {
  return columnsOf(...texts.map((text, index) => writeText(folder, `part-${index + 1}.csv`, text)));
}

/** One row of a column without a name and of age, as pyarrow writes it; our engine writes no such file. */
const NAMELESS = [
  'UEFSMRUEFQwVDEwVAhUAEgAAAgAAAHIxFQAVEhUSLBUCFRAVBhUGHAAAAAIAAAACAQECABUEFRAVEEwVAhUAEgAAQwAAAAAAAAAVABUSFRIsFQ',
  'IVEBUGFQYcAAAAAgAAAAIBAQIAFQQZPDUAGAZzY2hlbWEVBAAVDCUCGAAlAEwcAAAAFQQlAhgDYWdlABYCGRwZLCYAHBUMGTUABhAZGAAVABYC',
  'FmAWYCYwJggpLBUEFQAVAgAVABUQFQIAPBYEGQYZJgACAAAAJgAcFQQZNQAGEBkYA2FnZRUAFgIWZBZkJpQBJmgpLBUEFQAVAgAVABUQFQIAPC',
  'kGGSYAAgAAABbEARYCJggWxAEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAAANAAAABQQVIx',
].join('');

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
    [['a\n1e300\n0.5\n'], 'the files have no column that a schema can hold'],
    [['a b,a_b\n1,2\n'], 'part-1.csv: a schema would have one name, a_b, for the columns a b and a_b'],
    [['1,2\n3,4\n'], 'part-1.csv: the first line holds numbers and not names'],
    [[',""\na,2\n'], 'part-1.csv: the first line names no column'],
    [
      [`${Array.from({ length: 501 }, (_, i) => `c${i}`).join(',')}\n`],
      'the files have 501 columns, and a schema has at most 500',
    ],
  ])('refuses %j', async (texts, message) => {
    await expect(ofText(...texts)).rejects.toThrow(message);
  });

  const notesOf = async (...texts: string[]): Promise<{ columns: Column[]; notes: string[] }> => {
    const files = texts.map((text, index) => writeText(folder, `part-${index + 1}.csv`, text));
    const notes: string[] = [];
    const { columns } = await inferSchema(files, { dataset: 'd', note: (line) => notes.push(line) });
    return { columns, notes };
  };

  it('gives columns names that a schema can have, by which they are found again', async () => {
    const header = 'age, sex,Jitter(Abs),Größe [cm],2h glucose,年龄';
    const { columns, notes } = await notesOf(`${header}\n1,F,0.5,180,7,3\n`, `${header}\n2,M,0.25,170,8,4\n`);
    expect(columns.map(({ name }) => name)).toEqual(['age', 'sex', 'Jitter_Abs', 'Gro_e_cm', '_2h_glucose']);
    expect(notes).toEqual([
      'column Jitter(Abs) is called Jitter_Abs',
      'column Größe [cm] is called Gro_e_cm',
      'column 2h glucose is called _2h_glucose',
      "column 6 of part-1.csv is left out: a schema's names are of letters, digits, _, . and -; rename it",
    ]);
    const schema = { dataset: 'd', version: 1, columns };
    const source = await openSource({ files: join(folder, 'part-[12].csv') }, schema);
    await source.verifyColumns(columns.map(({ name }) => name));
    expect((await source.run('SELECT sum(Jitter_Abs), sum(Gro_e_cm), sum(_2h_glucose) FROM records')).columns).toEqual([
      [75n],
      [350n],
      [15n],
    ]);
    await source.close();
  });

  it('finds names again in capitals and with spaces around', async () => {
    expect(await ofText('Dist.,x\n1,2\n', ' DIST. ,X\n3,4\n')).toMatchObject([{ name: 'Dist.' }, { name: 'x' }]);
  });

  it('keeps as many decimals as it can, and rounds what has more, also where the double would fit', async () => {
    const { columns, notes } = await notesOf(
      'a,b,c,d,e,f\n0.12345678901,0.1000000000000000055,-97.21234567890123,5.397605346934028e-79,1e300,1.23e-10\n,,12,40000,0.5,4.5678e-12\n',
    );
    expect(columns).toEqual([
      { name: 'a', type: 'number', decimals: 11, minimum: '0.12345678901', maximum: '0.12345678901' },
      { name: 'b', type: 'number', decimals: 13, rounded: true, minimum: '0.1', maximum: '0.1' },
      { name: 'c', type: 'number', decimals: 10, rounded: true, minimum: '-97.2123456789', maximum: '12' },
      { name: 'd', type: 'number', decimals: 8, rounded: true, minimum: '0', maximum: '40000' },
    ]);
    expect(notes).toEqual([
      'b has numbers of more than 12 digits: they are rounded to 13 decimals',
      'c has numbers of more than 12 digits: they are rounded to 10 decimals',
      'd has numbers of more than 12 digits: they are rounded to 8 decimals',
      'e is left out: its numbers are too large or too small for a schema; another unit would do',
      'f is left out: its numbers are too large or too small for a schema; another unit would do',
    ]);
    const schema = { dataset: 'd', version: 1, columns };
    const source = await openSource({ file: join(folder, 'part-1.csv') }, schema);
    await source.verifyColumns(['a', 'b', 'c', 'd']);
    expect((await source.run('SELECT sum(a), sum(b), sum(c), sum(d) FROM records')).columns).toEqual([
      [12345678901n],
      [1_000_000_000_000n],
      [-852_123_456_789n],
      [4_000_000_000_000n],
    ]);
    await source.close();
  });

  it('says where a slip makes a text of a column of numbers', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => `${i};${i === 6 ? 'unknown' : i}.5;${i},5`);
    const { columns, notes } = await notesOf(`x;y;z\n${rows.join('\n')}\n`, 'x;y;z\n1;n/a;N/A\n');
    expect(columns.map(({ type }) => type)).toEqual(['number', 'identifier', 'identifier']);
    const heights = [...Array.from({ length: 9 }, (_, i) => `${60 + i}`), `5' 4`, '6ft', '"6,2"'].join('\n');
    expect((await notesOf(`height\n${heights}\n`)).notes).toEqual([
      'height is a category: 3 of 12 values are no numbers, the first in data row 10 of part-1.csv; if they mean that there is none, name them as "missing" in a mapping',
    ]);
    expect(notes).toEqual([
      'y is an identifier: 1 of 400 values are no numbers, the first in data row 7 of part-1.csv; if they mean that there is none, name them as "missing" in a mapping',
      'z is an identifier: 400 of 400 values are written with a decimal comma; set "decimalComma": true in a mapping',
    ]);
  });

  it('says where signs or separators make texts of numbers, and which may be a decimal comma', async () => {
    const rows = Array.from({ length: 9 }, (_, i) => `${i + 1}%;$ ${i};1,${i}00;1,${i}00.5;${i},5;n${i},${i}`);
    const { notes } = await notesOf(`a;b;c;d;e;f\n${rows.join('\n')}\n`);
    const signs =
      'is a category: 9 of 9 values are numbers with a sign or separator, as % or the comma of 1,000; write plain numbers in the files';
    expect(notes).toEqual([
      `a ${signs}`,
      `b ${signs}`,
      `c ${signs}; if it is a decimal comma, set "decimalComma": true in a mapping`,
      `d ${signs}`,
      'e is a category: 9 of 9 values are written with a decimal comma; set "decimalComma": true in a mapping',
    ]);
  });

  it('leaves out columns without a name, as R and pandas write row names', async () => {
    const columns = { '': vectorFromArray(['r1', 'r2']), age: vectorFromArray([60, 70]) };
    const files = [
      writeText(folder, 'rows.csv', '\ufeff"","age",""\r\n"r1",63,\r\n"r2",64,\r\n'),
      writeText(folder, 'rows.arrow', tableToIPC(new Table(columns), 'file')),
      await writeParquet(folder, 'rows.parquet', `SELECT 66 AS age`),
      writeText(folder, 'nameless.parquet', Buffer.from(NAMELESS, 'base64')),
    ];
    const notes: string[] = [];
    const schema = await inferSchema(files, { dataset: 'd', note: (line) => notes.push(line) });
    expect(schema.columns).toMatchObject([{ name: 'age', minimum: '60', maximum: '70' }]);
    expect(notes).toEqual([
      'column 1 of rows.csv is left out: it has no name',
      'column 3 of rows.csv is left out: it has no name',
    ]);
    const sums = [];
    for (const file of files) {
      const source = await openSource({ file }, schema);
      await source.verifyColumns(['age']);
      sums.push((await source.run('SELECT sum(age) FROM records')).columns[0]![0]);
      await source.close();
    }
    expect(sums).toEqual([127n, 130n, 66n, 67n]);
  });

  it('takes truth values for 0 and 1 where files write them in more than one way', async () => {
    const parquet = await writeParquet(folder, 'truth.parquet', 'SELECT true AS a, true AS b, 1 AS c, false AS d');
    const csv = writeText(folder, 'truth.csv', 'a,b,c,d\nTRUE,1,False,yes\nFALSE,0,True,no\nNA,,,\n');
    const notes: string[] = [];
    const schema = await inferSchema([parquet, csv], { dataset: 'd', note: (line) => notes.push(line) });
    const flag = { type: 'number', decimals: 0, minimum: '0', maximum: '1', codes: ['0', '1'] };
    expect(schema.columns).toEqual([
      ...['a', 'b', 'c'].map((name) => ({ name, ...flag })),
      { name: 'd', type: 'category', codes: ['false', 'no', 'yes'] },
    ]);
    expect(notes).toHaveLength(3);
    for (const file of [parquet, csv]) {
      const source = await openSource({ file }, schema);
      await source.verifyColumns(['a', 'b', 'c']);
      expect((await source.run('SELECT sum(a), sum(b), sum(c) FROM records')).columns).toEqual([[1n], [1n], [1n]]);
      await source.close();
    }
  });

  it('takes numbers in one file and texts in another for codes where the mapping says so', async () => {
    const files = [
      await writeParquet(folder, 'cylinders.parquet', 'SELECT unnest([4.0, 6.0, NULL]) AS cylinders'),
      writeText(folder, 'cylinders.csv', 'cylinders\n4\nrotary\n'),
    ];
    const mapping = { columns: { cylinders: { codes: { rotary: 'rotary' } } } };
    await expect(inferSchema(files, { dataset: 'd' })).rejects.toMatchObject({
      hint: expect.stringContaining('"columns": {"cylinders": {"codes": {"text": "text"}}}') as string,
    });
    const schema = await inferSchema(files, { dataset: 'd', mapping });
    expect(schema.columns).toEqual([{ name: 'cylinders', type: 'category', codes: ['4', '6', 'rotary'] }]);
    const found = [];
    for (const file of files) {
      const source = await openSource({ file, mapping }, schema);
      await source.verifyColumns(['cylinders']);
      found.push((await source.run('SELECT cylinders FROM records')).columns[0]);
      await source.close();
    }
    expect(found).toEqual([
      ['4', '6', null],
      ['4', 'rotary'],
    ]);
  });

  it('leaves out columns of an Arrow file that hold neither numbers nor texts', async () => {
    const table = new Table({
      age: vectorFromArray([60, 70]),
      seen: vectorFromArray([new Date(0), null], new TimestampSecond()),
    });
    const file = writeText(folder, 'times.arrow', tableToIPC(table, 'file'));
    const notes: string[] = [];
    const { columns } = await inferSchema([file], { dataset: 'd', note: (line) => notes.push(line) });
    expect(columns.map(({ name }) => name)).toEqual(['age']);
    expect(notes).toEqual(['seen is left out: in times.arrow it holds neither numbers nor texts']);
  });

  it('follows a mapping', async () => {
    const files = [
      writeText(folder, 'de.csv', '\ufeffAlter;Geschlecht;Krea [mg/dl]\r\n63;w;1,25\r\n-9,0;m;unbekannt\r\n'),
      await writeParquet(folder, 'other.parquet', `SELECT 'm' AS "Geschlecht", 70 AS "Alter", 0.5 AS "Krea [mg/dl]"`),
    ];
    const mapping = {
      decimalComma: true,
      missing: ['', 'unbekannt', '-9'],
      columns: { age: { column: 'Alter' }, sex: { column: 'Geschlecht', codes: { w: 'F', m: 'M' } } },
    };
    const { columns } = await inferSchema(files, { dataset: 'd', mapping });
    expect(columns).toEqual([
      { name: 'age', type: 'number', decimals: 0, minimum: '63', maximum: '70', codes: ['63', '70'] },
      { name: 'sex', type: 'category', codes: ['F', 'M'] },
      { name: 'Krea_mg_dl', type: 'number', decimals: 2, minimum: '0.5', maximum: '1.25' },
    ]);
    for (const file of files) {
      const source = await openSource({ file, mapping }, { dataset: 'd', version: 1, columns });
      expect(await source.checkMapping()).toMatchObject({ fits: true });
      await source.close();
    }
    await expect(
      inferSchema(files, { dataset: 'd', mapping: { columns: { years: { column: 'Jahre' } } } }),
    ).rejects.toThrow('the mapping names years, and the files have no such column');
  });

  it('calls files of one name by their folders too', async () => {
    for (const name of ['north', 'south']) mkdirSync(join(folder, name), { recursive: true });
    const files = [
      writeText(folder, 'north/data.csv', 'a,b\n1,2\n'),
      writeText(folder, 'south/data.csv', 'a,b\n1,x\n'),
    ];
    await expect(columnsOf(...files)).rejects.toThrow('b is a number in north/data.csv and text in south/data.csv');
  });

  it('knows identifiers by name, in capitals too', async () => {
    const names = ['ID', 'PATIENT_ID', 'Subject_Id', 'patientId', 'caseID', 'covid', 'paid'];
    const columns = await ofText(`${names.join(',')}\n${names.map(() => '1').join(',')}\n`);
    expect(columns.map(({ type }) => type === 'identifier')).toEqual(names.map((_, index) => index < 5));
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
