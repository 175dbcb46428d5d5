import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeDocument } from '../../protocol/canonical.ts';
import { queryInput } from '../../protocol/query.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import { openSource } from '../source/index.ts';
import { ENCOUNTERS_SCHEMA, generateEncounters } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'healthchain-synthetic-'));
afterAll(() => rmSync(folder, { recursive: true }));
const out = (name: string): string => join(folder, name);

describe('generateEncounters', () => {
  it('writes files that fit the schema it writes, and a query', async () => {
    const made = await generateEncounters({ hospitals: 2, rows: 3000, seed: 1, out: out('a') });
    const schema = decodeDocument(datasetSchema, readFileSync(made.schema), { what: 'schema' });
    expect(schema).toEqual(ENCOUNTERS_SCHEMA);
    decodeDocument(queryInput, readFileSync(made.query), { what: 'query' });
    const source = await openSource({ files: [...made.files] }, schema);
    const report = await source.checkMapping();
    expect(report).toMatchObject({ rows: 6000, fits: true });
    const missing = (name: string): number => report.columns.find((column) => column.column === name)!.missing / 6000;
    expect(missing('hba1c')).toBeGreaterThan(0.4);
    expect(missing('systolic')).toBeLessThan(0.05);
    expect(missing('age')).toBe(0);
    await source.close();
  });

  it('is the same for the same seed, differs by seed and hospital, and holds the same rows in either format', async () => {
    const request = { hospitals: 2, rows: 500, seed: 42 };
    const [one, same, other] = [
      await generateEncounters({ ...request, out: out('b') }),
      await generateEncounters({ ...request, out: out('c') }),
      await generateEncounters({ ...request, seed: 43, out: out('d') }),
    ];
    const read = (files: readonly string[]): string[] => files.map((file) => readFileSync(file, 'utf8'));
    expect(read(one.files)).toEqual(read(same.files));
    expect(read(one.files)).not.toEqual(read(other.files));
    const withoutId = read(one.files).map((text) => text.replaceAll(/^h\d/gm, ''));
    expect(withoutId[0]).not.toEqual(withoutId[1]);

    const parquet = await generateEncounters({ ...request, out: out('e'), format: 'parquet' });
    const contents = async (files: readonly string[]): Promise<unknown> => {
      const source = await openSource({ files: [...files] }, ENCOUNTERS_SCHEMA);
      await source.verifyColumns(ENCOUNTERS_SCHEMA.columns.map((column) => column.name));
      const rows = await source.run('SELECT * FROM records ORDER BY patient_id');
      await source.close();
      return rows.columns;
    };
    expect(await contents(parquet.files)).toEqual(await contents(one.files));
  });

  it('correlates as in a hospital', async () => {
    const { files } = await generateEncounters({
      hospitals: 1,
      rows: 20_000,
      seed: 3,
      out: out('f'),
      format: 'parquet',
    });
    const source = await openSource({ files: [...files] }, ENCOUNTERS_SCHEMA);
    await source.verifyColumns(ENCOUNTERS_SCHEMA.columns.map((column) => column.name));
    const { columns } = await source.run(
      `SELECT round(100 * corr(age, systolic))::INTEGER, round(100 * corr(diabetic, hba1c))::INTEGER,
         round(100 * corr(bmi, diabetic))::INTEGER, round(100 * corr(age, died_30d))::INTEGER,
         round(1000 * avg(died_30d))::INTEGER, round(100 * avg(diabetic))::INTEGER FROM records`,
    );
    const [pressure, sugar, weight, death, deaths, diabetics] = columns.map((column) => Number(column[0]));
    expect(pressure).toBeGreaterThan(30);
    expect(sugar).toBeGreaterThan(60);
    expect(weight).toBeGreaterThan(8);
    expect(death).toBeGreaterThan(5);
    expect(deaths).toBeGreaterThan(10);
    expect(deaths).toBeLessThan(80);
    expect(diabetics).toBeGreaterThan(10);
    expect(diabetics).toBeLessThan(30);
    await source.close();
  });

  it('refuses what it cannot make, and a folder it cannot write', async () => {
    await expect(generateEncounters({ hospitals: 0, rows: 1, seed: 1, out: folder })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
    });
    await expect(generateEncounters({ hospitals: 1, rows: 1, seed: 1, out: '/dev/null/x' })).rejects.toMatchObject({
      code: 'DISK',
    });
  });
});
