import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { HealthchainError } from '../../protocol/errors.ts';
import type { SourceInput } from './config.ts';
import { inferSchema } from './infer.ts';
import { openSource } from './source.ts';
import { PATIENTS, SENTINELS, temporaryFolder, writeParquet, writeText } from './testing/files.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** One row of the columns Age and AGE, as pyarrow writes it; our engine writes no such file. */
const CAPITALS = [
  'UEFSMRUEFRAVEEwVAhUAEgAAAQAAAAAAAAAVABUSFRIsFQIVEBUGFQYcAAAAAgAAAAIBAQIAFQQVEBUQTBUCFQASAAACAAAAAAAAABUAFRIVEi',
  'wVAhUQFQYVBhwAAAACAAAAAgEBAgAVBBk8NQAYBnNjaGVtYRUEABUEJQIYA0FnZQAVBCUCGANBR0UAFgIZHBksJgAcFQQZNQAGEBkYA0FnZRUA',
  'FgIWZBZkJjQmCCksFQQVABUCABUAFRAVAgA8KQYZJgACAAAAJgAcFQQZNQAGEBkYA0FHRRUAFgIWZBZkJpgBJmwpLBUEFQAVAgAVABUQFQIAPC',
  'kGGSYAAgAAABbIARYCJggWyAEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAAAM4AAABQQVIx',
].join('');

const HEADER = 'id,age,bmi,sex\n';
const GOOD = 'p1,63,24.5,F\n';

/** The error of opening and verifying, with everything of it that could reach a log. */
async function failure(config: SourceInput): Promise<HealthchainError> {
  try {
    const source = await openSource(config, PATIENTS);
    try {
      await source.verifyColumns(PATIENTS.columns.map((column) => column.name));
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof HealthchainError)) throw error;
    const seen = [String(error), error.stack ?? '', JSON.stringify(error), error.hint ?? '', String(error.cause)].join(
      '\n',
    );
    for (const sentinel of SENTINELS) expect(seen).not.toContain(sentinel);
    expect(error.cause).toBeUndefined();
    return error;
  }
  throw new Error('expected a failure');
}

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

describe('a file that cannot be used is named with what to do', () => {
  const S = 'SENTINEL-7f3a';
  const N = '98765.4321';
  it.each<[string, string, string | Uint8Array, string, RegExp]>([
    ['empty', 'a.csv', '', 'BAD_FILE', /a\.csv is empty/],
    ['header alone', 'b.csv', HEADER, 'DATA', /no rows/],
    ['no header', 'c.csv', `${S},63,24.5,F\np2,1,20,M\n`, 'BAD_FILE', /first line names none/],
    ['doubled header', 'd.csv', `id,age,bmi,sex,AGE\n${S},1,20,F,${N}\n`, 'BAD_FILE', /columns 2 and 5 .* same name/],
    ['no name for a column', 'e.csv', `id,age,,sex\n${S},1,20,F\n`, 'DATA', /e\.csv has no column bmi/],
    [
      'two kinds of line ends',
      'e2.csv',
      `${HEADER}${GOOD}${S},63,24.5,F\r\n`,
      'DATA',
      /do not all end in the same way/,
    ],
    ['binary junk', 'f.csv', bytes(HEADER, [0, 1, 2, 255], S), 'BAD_FILE', /not text/],
    ['gzip', 'g.csv', bytes([0x1f, 0x8b, 8, 0], S), 'BAD_FILE', /gzip/],
    ['UTF-16', 'h.csv', bytes([0xff, 0xfe], S), 'BAD_FILE', /UTF-16/],
    ['latin-1', 'i.csv', bytes(`${HEADER}${S}`, [0xe9], ',1,20,F\n'), 'BAD_FILE', /not UTF-8/],
    ['ragged, longer', 'j.csv', `${HEADER}${GOOD}${S},63,24.5,F,${N}\n`, 'DATA', /more or fewer fields.* line 3/],
    ['ragged, shorter', 'k.csv', `${HEADER}${GOOD}${S},${N}\n`, 'DATA', /more or fewer fields.* line 3/],
    ['open quote', 'l.csv', `${HEADER}${GOOD}"${S},63,24.5,F\n`, 'DATA', /quoted text does not end/],
    ['open quote in header', 'm.csv', `id,"age,bmi,sex\n${S},63,24.5,F\n`, 'BAD_FILE', /first line/],
    [
      'text for a number',
      'n.csv',
      `${HEADER}${GOOD}p2,${S},24.5,F\n`,
      'DATA',
      /^n\.csv, data row 2: age is not a number$/,
    ],
    ['decimals', 'o.csv', `${HEADER}${GOOD}${GOOD}p2,1,${N},F\n`, 'DATA', /^o\.csv, data row 3: bmi has more decimals/],
    ['bounds', 'p.csv', `${HEADER}p2,98765,20,F\n`, 'DATA', /^p\.csv, data row 1: age lies outside/],
    ['code', 'q.csv', `${HEADER}${GOOD}p2,1,20,${S}\n`, 'DATA', /^q\.csv, data row 2: sex is not one of the codes/],
    ['missing column', 'r.csv', `id,age,sex\n${S},1,F\n`, 'DATA', /r\.csv has no column bmi/],
    [
      'JSON junk',
      's.ndjson',
      `{"id":"${S}","age":1,"bmi":20,"sex":"F"}\n${S} ${N}\n`,
      'DATA',
      /not a JSON object|could not read/,
    ],
    ['JSON list', 't.ndjson', `[{"id":"${S}"}]`, 'BAD_FILE', /does not start with a JSON object/],
    [
      'JSON misfit',
      'u.ndjson',
      `{"id":"1","age":1,"bmi":${N},"sex":"F"}\n`,
      'DATA',
      /data row 1: bmi has more decimals/,
    ],
    [
      'JSON nesting',
      'v.ndjson',
      `{"id":"1","age":{"y":"${S}"},"bmi":20,"sex":"F"}\n`,
      'DATA',
      /neither numbers nor texts/,
    ],
    ['Parquet junk', 'w.parquet', `PAR1${S}`, 'BAD_FILE', /damaged Parquet/],
    ['no Parquet', 'x.parquet', S, 'BAD_FILE', /not a Parquet/],
    ['encrypted Parquet', 'y.parquet', `PARE${S}`, 'BAD_FILE', /encrypted/],
    ['Arrow junk', 'z.arrow', `ARROW1\0\0${S}${'x'.repeat(100)}`, 'BAD_FILE', /damaged Arrow/],
    ['no Arrow', 'aa.arrow', S, 'BAD_FILE', /not an Arrow/],
    ['old Feather', 'ab.feather', `FEA1${S}`, 'BAD_FILE', /old Feather/],
  ])('%s', async (_, name, content, code, message) => {
    const error = await failure({ file: writeText(folder, name, content) });
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
    expect(error.hint === undefined && !/encrypted|header|first line|not (a|an) /.test(error.message)).toBe(false);
  });

  it('latin-1 behind the header, found by the engine', async () => {
    const file = writeText(folder, 'late.csv', bytes(HEADER, GOOD.repeat(40_000), 'SENTINEL-7f3a,1,20,', [0xe9], '\n'));
    expect((await failure({ file })).message).toMatch(/not UTF-8/);
    const source = await openSource({ file, encoding: 'latin-1' }, PATIENTS);
    await source.verifyColumns(['id', 'age', 'bmi']);
    await expect(source.verifyColumns(['sex'])).rejects.toThrow(
      'late.csv, data row 40001: sex is not one of the codes',
    );
    expect((await source.run('SELECT count(*) FROM records')).columns).toEqual([[40_001n]]);
    await source.close();
  });

  it('Parquet with a misfit', async () => {
    const file = await writeParquet(
      folder,
      'misfit.parquet',
      `SELECT 'p' AS id, 1 AS age, 98765.4321::DOUBLE AS bmi, 'F' AS sex`,
    );
    expect((await failure({ file })).message).toBe(
      'misfit.parquet, data row 1: bmi has more decimals than the schema declares',
    );
    const code = await writeParquet(
      folder,
      'code.parquet',
      `SELECT 'p' AS id, 1 AS age, 20 AS bmi, unnest(['F', 'SENTINEL-7f3a']) AS sex`,
    );
    expect((await failure({ file: code })).message).toMatch(/^code\.parquet, data row 2: sex is not one/);
  });

  it('Parquet with columns that capitals alone tell apart', async () => {
    const file = writeText(folder, 'capitals.parquet', Buffer.from(CAPITALS, 'base64'));
    expect((await failure({ file })).message).toBe('capitals.parquet: two columns have the same name');
  });

  it('cut-off Parquet', async () => {
    const file = await writeParquet(folder, 'whole.parquet', `SELECT 'SENTINEL-7f3a' AS id FROM range(1000)`);
    const { readFileSync } = await import('node:fs');
    const cut = writeText(folder, 'cut.parquet', readFileSync(file).subarray(0, 200));
    expect((await failure({ file: cut })).code).toBe('BAD_FILE');
  });

  it('absent, a folder, not matched, not to be told', async () => {
    mkdirSync(`${folder}/dir.csv`);
    expect((await failure({ file: `${folder}/dir.csv` })).message).toBe('dir.csv is a folder');
    expect((await failure({ file: `${folder}/none.csv` })).message).toBe('none.csv does not exist');
    expect((await failure({ file: `${folder}/none-*.csv` })).message).toBe('no file matches none-*.csv');
    expect((await failure({ file: writeText(folder, 'rows.xlsx', 'PK') })).code).toBe('BAD_CONFIG');
    expect((await failure({ file: '/dev/null', format: 'csv' })).message).toBe('null is not a regular file');
    if (process.getuid?.() !== 0) {
      const locked = writeText(folder, 'locked.csv', HEADER + GOOD);
      chmodSync(locked, 0);
      expect((await failure({ file: locked })).message).toMatch(/no permission/);
    }
  });

  it('a configuration with mistakes', async () => {
    const file = writeText(folder, 'good.csv', HEADER + GOOD);
    const codes = await Promise.all(
      [
        { file, files: [file] },
        {},
        { file, memoryLimit: 'lots' },
        { file, mapping: { columns: { agee: { column: 'x' } } } },
        { file, mapping: { columns: { age: { multiply: '0.0' } } } },
        { file, mapping: { colums: {} } },
      ].map(async (config) => (await failure(config as SourceInput)).code),
    );
    expect(new Set(codes)).toEqual(new Set(['BAD_CONFIG']));
  });

  it('inference does not tell values either', async () => {
    const files = [
      writeText(folder, 'i1.csv', 'a,b\n1,98765.4321\n'),
      writeText(folder, 'i2.csv', 'a,b\n1,SENTINEL-7f3a\n'),
    ];
    const error = await inferSchema(files, { dataset: 'd' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'BAD_SCHEMA',
      message: 'SCHEMA MISMATCH: b is a number in i1.csv and text in i2.csv',
    });
  });
});
