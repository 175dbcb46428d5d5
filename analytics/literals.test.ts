import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalNumber,
  ceilToGrid,
  decimalToText,
  floorToGrid,
  onGrid,
  readBeside,
  readDecimal,
} from './literals.ts';

describe('readDecimal', () => {
  it.each([
    [30, { units: 30n, decimals: 0 }],
    ['30.50', { units: 305n, decimals: 1 }],
    [-2.6, { units: -26n, decimals: 1 }],
    ['-0.5', { units: -5n, decimals: 1 }],
    [0.1, { units: 1n, decimals: 1 }],
    [1.5e-7, { units: 15n, decimals: 8 }],
    [-0, { units: 0n, decimals: 0 }],
    ['999999999999999999.999999999', { units: 10n ** 27n - 1n, decimals: 9 }],
    [5e-30, { units: 5n, decimals: 30 }],
  ])('reads %s', (literal, expected) => expect(readDecimal(literal, 'here')).toEqual(expected));

  it.each([1e21, 1e-31, `0.${'1'.repeat(31)}`, '1234567890123456789', 'x', ''])('refuses %s', (literal) =>
    expect(() => readDecimal(literal, 'cohort.gte')).toThrow(/^cohort\.gte: expected a number/),
  );
});

describe('the grid', () => {
  const decimal = fc
    .record({ units: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), decimals: fc.integer({ min: 0, max: 9 }) })
    .map((value) => readDecimal(decimalToText(value), ''));

  it('floors and ceils literals to values a column can have', () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 9 }), (value, decimals) => {
        const [floor, ceil] = [floorToGrid(value, decimals), ceilToGrid(value, decimals)];
        const compare = (units: bigint): bigint =>
          units * 10n ** BigInt(value.decimals) - value.units * 10n ** BigInt(decimals);
        expect(compare(floor) <= 0n && compare(floor + 1n) > 0n).toBe(true);
        expect(compare(ceil) >= 0n && compare(ceil - 1n) < 0n).toBe(true);
        expect(onGrid(value, decimals)).toBe(floor === ceil ? floor : undefined);
      }),
    );
  });

  it('rounds literals beside columns that are rounded, halves away from zero, and no others', () => {
    const beside = (literal: number | string, decimals: number, rounded = true) =>
      readBeside({ rounded, decimals }, literal, '');
    expect(beside(0.125, 2)).toEqual({ units: 13n, decimals: 2 });
    expect(beside('-0.125', 2)).toEqual({ units: -13n, decimals: 2 });
    expect(beside('-0.12499999999', 2)).toEqual({ units: -12n, decimals: 2 });
    expect(beside('1.005', 2)).toEqual({ units: 100n, decimals: 2 });
    expect(beside('18.384422415525', 11)).toEqual({ units: 1_838_442_241_552n, decimals: 11 });
    expect(beside(0.5, 2)).toEqual({ units: 5n, decimals: 1 });
    expect(beside(0.125, 2, false)).toEqual({ units: 125n, decimals: 3 });
  });

  it('has one form for a number', () => {
    expect([30, '30', '30.0'].map((each) => canonicalNumber(each, ''))).toEqual([30, 30, 30]);
    expect(canonicalNumber(1e-7, '')).toBe('0.0000001');
    expect(canonicalNumber('123456789012345678', '')).toBe('123456789012345678');
    fc.assert(
      fc.property(decimal, (value) => {
        const form = canonicalNumber(decimalToText(value), '');
        expect(readDecimal(form, '')).toEqual(value);
        expect(canonicalNumber(form, '')).toBe(form);
      }),
    );
  });
});
