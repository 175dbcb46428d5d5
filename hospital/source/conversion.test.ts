import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { datasetSchema, type Column, type DatasetSchema } from '../../protocol/schema.ts';
import { Engine, type Cell } from './engine.ts';
import { openSource } from './source.ts';
import { bounds, decimal, numberColumn, readWith as read } from './testing/numbers.ts';
import { literal } from './text.ts';

const folder = mkdtempSync(join(tmpdir(), 'healthchain-conversion-'));
afterAll(() => rmSync(folder, { recursive: true }));

const engine = await Engine.open({ threads: 1 });
afterAll(() => engine.close());

const dress = (text: string, form: number): string => {
  const negative = text.startsWith('-');
  const [whole, fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const sign = negative ? '-' : '';
  const forms = [
    text,
    ` ${text} `,
    `${sign}${whole}.${fraction}0`,
    `${sign}${whole}.${fraction}000000000000`,
    negative ? text : `+${text}`,
    `${sign}00${text.slice(sign.length)}`,
    fraction === '' ? `${text}.` : text,
    whole === '0' && fraction !== '' ? `${sign}.${fraction}` : text,
    `${sign}${whole}${fraction}e-${fraction.length}`,
  ];
  return forms[form % forms.length]!;
};

describe('numbers', () => {
  it('of any decimal, dressed as people write it, become exactly its integer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(decimal, fc.nat(8)), { minLength: 1, maxLength: 20 }), async (cases) => {
        const decimals = cases[0]![0].decimals;
        const same = cases.filter(([each]) => each.decimals === decimals);
        const texts = same.map(([each, form]) => literal(dress(each.text, form)));
        const column = numberColumn(decimals, ...bounds(decimals));
        expect(await read(engine, column, 'VARCHAR', texts)).toEqual(same.map(([each]) => each.scaled));
      }),
    );
  });

  it('of doubles and decimals become exactly their integer', async () => {
    await fc.assert(
      fc.asyncProperty(decimal, async ({ decimals, scaled, text }) => {
        const column = numberColumn(decimals, ...bounds(decimals));
        expect(await read(engine, column, 'DOUBLE', [literal(String(Number(text)))])).toEqual([scaled]);
        const wide = decimals <= 9 ? 'DECIMAL(25,9)' : 'DECIMAL(22,15)';
        expect(await read(engine, column, wide, [literal(text)])).toEqual([scaled]);
        expect(await read(engine, column, `DECIMAL(18,${decimals})`, [literal(text)])).toEqual([scaled]);
        if (decimals === 0) expect(await read(engine, column, 'BIGINT', [text])).toEqual([scaled]);
      }),
    );
  });

  it('with one decimal too many are refused, never rounded', async () => {
    await fc.assert(
      fc.asyncProperty(decimal, fc.integer({ min: 1, max: 9 }), async ({ decimals, text, scaled }, digit) => {
        if (decimals >= 9 || scaled % 10n ** BigInt(decimals) === 0n) return;
        const [whole, fraction = ''] = text.split('.');
        const longer = `${whole}.${fraction.padEnd(decimals, '0')}${digit}`;
        const column = numberColumn(decimals, ...bounds(decimals));
        const outcome = async (type: string): Promise<Cell[]> => read(engine, column, type, [literal(longer)]);
        expect(await outcome('VARCHAR')).toEqual(['decimals']);
        expect(await outcome('DECIMAL(28,10)')).toEqual(['decimals']);
        // A double of 15 digits or fewer tells such numbers apart.
        if (longer.replace(/[-.]/g, '').length <= 15) expect(await outcome('DOUBLE')).toEqual(['decimals']);
      }),
    );
  });

  it.each([
    ['1_000', 'number'],
    ['+-5', 'number'],
    ['0x1F', 'number'],
    ['inf', 'number'],
    ['1,5', 'number'],
    ['SENTINEL-7f3a', 'number'],
    ['1e400', 'number'],
    ['63.00000000000000000001', 'decimals'],
    ['1000000.5', 'bounds'],
    ['-1e9', 'bounds'],
    ['1.450000000000000e+02', 1450n],
    ['1e2', 1000n],
    [' .7\t', 7n],
    ['-0', 0n],
    ['NA', null],
    [' ? ', null],
    ['', null],
    ['NaN', null],
  ])('reads %j as %s', async (text, expected) => {
    expect(await read(engine, numberColumn(1), 'VARCHAR', [literal(text)])).toEqual([expected]);
  });

  it('of 32-bit floats count by their own digits', async () => {
    const values = ['0.1', '24.3', '0.15', '1e30', '998765.4', "'nan'", 'NULL'];
    const expected = [1n, 243n, 'decimals', 'bounds', 9_987_654n, null, null];
    expect(await read(engine, numberColumn(1), 'FLOAT', values)).toEqual(expected);
    expect(await read(engine, numberColumn(3), 'FLOAT', ['35623.5', '-0.001', '0.33333334'])).toEqual([
      35_623_500n,
      -1n,
      'decimals',
    ]);
  });

  it('outside bounds or code list are refused', async () => {
    const column = numberColumn(0, '0', '4', ['0', '1', '4']);
    expect(await read(engine, column, 'INTEGER', ['0', '1', '2', '4', '5', '-1', 'NULL'])).toEqual([
      0n, 1n, 'code', 4n, 'bounds', 'bounds', null,
    ]); // prettier-ignore
    expect(await read(engine, column, 'HUGEINT', ['4', '170141183460469231731687303715884105727'])).toEqual([
      4n,
      'bounds',
    ]);
  });

  it('take a factor exactly', async () => {
    const mapping = { columns: { x: { multiply: '88.4' } } };
    const column = numberColumn(2, '0', '5000');
    for (const type of ['VARCHAR', 'DOUBLE', 'DECIMAL(6,2)'])
      expect(await read(engine, column, type, ["'1.1'", "'0.05'"], mapping)).toEqual([9724n, 442n]);
    expect(await read(engine, column, 'VARCHAR', ["'0.001'", "'60'"], mapping)).toEqual(['decimals', 'bounds']);
    expect(await read(engine, column, 'INTEGER', ['2', '2000000000'], mapping)).toEqual([17680n, 'bounds']);
  });

  it('take markers that are numbers, and the decimal comma', async () => {
    const mapping = { decimalComma: true, columns: { x: { missing: ['-9', ''] } } };
    expect(await read(engine, numberColumn(1), 'VARCHAR', ["'1,5'", "'-9'", "''"], mapping)).toEqual([15n, null, null]);
    expect(await read(engine, numberColumn(1), 'VARCHAR', ["'-9,0'", "' -9,00'", "'-9,1'"], mapping)).toEqual([
      null,
      null,
      -91n,
    ]);
    expect(await read(engine, numberColumn(1), 'DOUBLE', ['-9', '2.5'], mapping)).toEqual([null, 25n]);
    expect(await read(engine, numberColumn(1), 'INTEGER', ['-9', '2'], mapping)).toEqual([null, 20n]);
  });

  it('of 0 and 1 are read from truth values too', async () => {
    const values = ["'TRUE'", "'false'", "' True '", "'1'", "'0.0'", "''", "'yes'", "'2'"];
    const read01 = [1n, 0n, 1n, 1n, 0n, null, 'number', 'bounds'];
    expect(await read(engine, numberColumn(0, '0', '1', ['0', '1']), 'VARCHAR', values)).toEqual(read01);
    expect(await read(engine, numberColumn(0, '0', '1'), 'BOOLEAN', ['true', 'false'])).toEqual([1n, 0n]);
    expect(await read(engine, numberColumn(0, '0', '2'), 'VARCHAR', ["'true'"])).toEqual(['number']);
    const mapping = { columns: { x: { codes: { yes: '1' } } } };
    expect(await read(engine, numberColumn(0, '0', '1'), 'VARCHAR', ["'yes'", "'true'"], mapping)).toEqual([
      1n,
      'number',
    ]);
  });

  it('of doubles take NaN for missing, and infinity for no number', async () => {
    expect(await read(engine, numberColumn(1), 'DOUBLE', ["'nan'", "'inf'"])).toEqual([null, 'number']);
  });
});

describe('categories', () => {
  const category = (...codes: string[]): Column => ({ name: 'x', type: 'category', codes });

  it('take numbers in any dress where the codes are numbers', async () => {
    const column = category('0', '1', '2.5');
    const texts = ['1.0', '+1', ' 1 ', '01', '.0', '-0', '2.50', '3', 'NA'].map(literal);
    expect(await read(engine, column, 'VARCHAR', texts)).toEqual([
      '1',
      '1',
      '1',
      'code',
      '0',
      '0',
      '2.5',
      'code',
      null,
    ]);
    expect(await read(engine, column, 'DOUBLE', ['1', '2.5', '3'])).toEqual(['1', '2.5', 'code']);
    expect(await read(engine, column, 'INTEGER', ['1', '0', '3'])).toEqual(['1', '0', 'code']);
    expect(await read(engine, column, 'BOOLEAN', ['true', 'false', 'NULL'])).toEqual(['1', '0', null]);
  });

  it('keep every code that is a number, however long, and whatever stands beside it', async () => {
    const long = category('1', '9007199254740993');
    for (const type of ['BIGINT', 'HUGEINT', 'UBIGINT', 'VARCHAR'])
      expect(await read(engine, long, type, ['9007199254740993', '1', '2'])).toEqual(['9007199254740993', '1', 'code']);
    const far = ['5', '1e20', '0.12345678901234567'];
    expect(await read(engine, category('5', '1e+20', '0.12345678901234568'), 'DOUBLE', far)).toEqual([
      '5',
      '1e+20',
      '0.12345678901234568',
    ]);
    const map = { columns: { x: { codes: { '1000000000000000': 'new', '2': 'old' }, missing: ['-9'] } } };
    expect(await read(engine, category('new', 'old'), 'BIGINT', ['1000000000000000', '2', '-9', 'NULL'], map)).toEqual([
      'new',
      'old',
      null,
      null,
    ]);
    for (const codes of [
      ['1', '2', 'A'],
      ['1', '2', '007'],
    ])
      expect(await read(engine, category(...codes), 'DOUBLE', ['1', '2', '3', 'NULL'])).toEqual([
        '1',
        '2',
        'code',
        null,
      ]);
    expect(await read(engine, category('1.0', '2.0'), 'DOUBLE', ['1', '2'])).toEqual(['1.0', '2.0']);
    expect(await read(engine, category('1', 'A'), 'VARCHAR', ["'1.0'", "'A'", "'B'"])).toEqual(['1', 'A', 'code']);
    expect(await read(engine, category('1', '007'), 'VARCHAR', ["'1.0'", "'007'"])).toEqual(['code', '007']);
  });

  it('take a map, keep what it does not name, and let a code win over a marker', async () => {
    const mapping = { columns: { x: { codes: { M: '1', F: '0' } } } };
    const texts = ['M', ' F', '1', 'm'].map(literal);
    expect(await read(engine, category('0', '1'), 'VARCHAR', texts, mapping)).toEqual(['1', '0', '1', 'code']);
    expect(await read(engine, category('NA', 'EU'), 'VARCHAR', ["'NA'", "'?'"])).toEqual(['NA', null]);
    const numeric = { columns: { x: { codes: { '1': 'male', '2': 'female' } } } };
    for (const type of ['INTEGER', 'DOUBLE', 'VARCHAR'])
      expect(await read(engine, category('male', 'female'), type, ['1', '2', '3'], numeric)).toEqual([
        'male',
        'female',
        'code',
      ]);
  });
});

describe('a CSV file', () => {
  it('with a code that looks like a missing marker keeps it', async () => {
    const schema: DatasetSchema = datasetSchema.parse({
      dataset: 'd',
      version: 1,
      columns: [
        { name: 'x', type: 'category', codes: ['NA', 'EU'] },
        { name: 'y', type: 'number', decimals: 0, minimum: '0', maximum: '9' },
      ],
    });
    const file = join(folder, 'codes.csv');
    writeFileSync(file, 'x,y\nNA,1\nEU,NA\n?,2\n');
    const source = await openSource({ file }, schema);
    await source.verifyColumns(['x', 'y']);
    expect((await source.run('SELECT x, y FROM records')).columns).toEqual([['NA', 'EU', null], [1n, null, 2n]]); // prettier-ignore
    await source.close();
  });
});
