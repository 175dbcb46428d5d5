import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datasetSchema, decimalText, scaleDecimal, schemaDigest, schemaReference, unscaleDecimal } from './schema.ts';

const age = { name: 'age', type: 'number', decimals: 1, minimum: '0', maximum: '120' } as const;
const sex = { name: 'sex', type: 'category', codes: ['f', 'm'] } as const;
const schemaOf = (...columns: readonly object[]): object => ({ dataset: 'heart', version: 1, columns });
const issues = (document: object): string => {
  const checked = datasetSchema.safeParse(document);
  return checked.success ? '' : checked.error.issues.map((issue) => issue.message).join('; ');
};

describe('decimal text', () => {
  test.each(['0', '-1', '1.5', '-0.25', '999999999999999999', '1.000000001'])('%s is one', (text) =>
    expect(decimalText.safeParse(text).success).toBe(true),
  );
  test.each([
    '',
    '.5',
    '1.',
    '+1',
    '01',
    '1e3',
    '1,5',
    ' 1',
    '1\n',
    `0.${'1'.repeat(31)}`,
    '٣',
    '1000000000000000000',
    'NaN',
  ])('%j is none', (text) => expect(decimalText.safeParse(text).success).toBe(false));

  test('of any scaled integer comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
        fc.integer({ min: 0, max: 9 }),
        (scaled, decimals) => {
          const text = unscaleDecimal(scaled, decimals);
          expect(scaleDecimal(text, decimals)).toBe(scaled);
          expect(text).not.toMatch(/^-0$|\.\d*0$|\.$/);
        },
      ),
    );
  });
  test.each([
    ['1.5', 1, 15n],
    ['-0.25', 2, -25n],
    ['-0.5', 3, -500n],
    ['7', 0, 7n],
    ['1.50', 1, 15n],
    ['-0', 2, 0n],
  ])('%s at %i decimals is %s', (text, decimals, scaled) => expect(scaleDecimal(text, decimals)).toBe(scaled));
});

describe('a dataset schema', () => {
  test('with numbers, categories and an identifier is taken', () => {
    expect(issues(schemaOf(age, sex, { name: 'id', type: 'identifier' }))).toBe('');
  });

  const faults: readonly [string, object, RegExp][] = [
    ['a column twice', schemaOf(age, { ...sex, name: 'age' }), /named twice/],
    ['a code twice', schemaOf({ ...sex, codes: ['f', 'f'] }), /code is listed twice/],
    ['a code twice in other words', schemaOf({ ...age, codes: ['1', '1.0'] }), /canonical/],
    ['a code that is minus zero', schemaOf({ ...age, codes: ['-0'] }), /canonical/],
    ['too many decimals in a bound', schemaOf({ ...age, maximum: '1.25' }), /more than 1 decimals/],
    ['minimum above maximum', schemaOf({ ...age, minimum: '121' }), /minimum is above maximum/],
    ['a code below the bounds', schemaOf({ ...age, codes: ['-1'] }), /outside the bounds/],
    ['a code above the bounds', schemaOf({ ...age, codes: ['120.1'] }), /outside the bounds/],
    ['a bound of 2^50 steps', schemaOf({ ...age, decimals: 0, maximum: String(2n ** 50n) }), /2\^50/],
    ['a bound of -2^50 steps', schemaOf({ ...age, decimals: 0, minimum: String(-(2n ** 50n)) }), /2\^50/],
    ['no columns', schemaOf(), /./],
    ['a column of no type', schemaOf({ name: 'x' }), /./],
    ['an identifier with codes', schemaOf({ name: 'id', type: 'identifier', codes: ['a'] }), /./],
  ];
  test.each(faults)('with %s is refused', (_, document, why) => expect(issues(document)).toMatch(why));

  test.each([
    { minimum: 'abc' },
    { maximum: '' },
    { maximum: '1.x' },
    { codes: ['q'] },
    { minimum: '1e3', codes: ['0'] },
  ])('with %j for a decimal is refused, not a crash', (change) =>
    expect(issues(schemaOf({ ...age, ...change }))).toMatch(/expected a decimal number/),
  );

  test.each([1.5, -1, 16, 2 ** 31, 1e300])('with %d decimals is refused at once', (decimals) => {
    expect(issues(schemaOf({ ...age, decimals }))).not.toBe('');
  });

  test('just within 2^50 is taken', () => {
    expect(
      issues(schemaOf({ ...age, decimals: 0, minimum: String(1n - 2n ** 50n), maximum: String(2n ** 50n - 1n) })),
    ).toBe('');
  });
  test('trailing zeros of a bound do not count as decimals', () =>
    expect(issues(schemaOf({ ...age, maximum: '120.000' }))).toBe(''));
  test('has a reference, and a digest that changes with it', () => {
    const one = datasetSchema.parse(schemaOf(age));
    expect(schemaReference(one)).toBe('heart@1');
    expect(schemaDigest(one)).not.toBe(schemaDigest({ ...one, version: 2 }));
  });
});
