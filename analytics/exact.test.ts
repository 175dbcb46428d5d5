import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerRoot, ratio, rootOfRatio } from './exact.ts';

const positive = fc.bigInt({ min: 1n, max: 2n ** 200n });

/** The exact value of a double as a fraction. */
function fraction(value: number): [bigint, bigint] {
  let denominator = 1n;
  for (; !Number.isInteger(value); denominator *= 2n) value *= 2;
  return [BigInt(value), denominator];
}

/** The next doubles below and above a positive one. */
function neighbours(value: number): [number, number] {
  const view = new DataView(new ArrayBuffer(8));
  const step = (by: bigint): number => {
    view.setFloat64(0, value);
    view.setBigInt64(0, view.getBigInt64(0) + by);
    return view.getFloat64(0);
  };
  return [step(-1n), step(1n)];
}

describe('ratio', () => {
  it('is the nearest double', () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const result = ratio(a, b);
        const distance = (double: number): bigint => {
          const [p, q] = fraction(double);
          const difference = p * b - a * q;
          // Over a common denominator of all three doubles, so that distances compare as integers.
          return ((difference < 0n ? -difference : difference) * 2n ** 600n) / q;
        };
        for (const other of neighbours(result)) expect(distance(result) <= distance(other)).toBe(true);
      }),
    );
  });

  it.each([
    [0n, 7n, 0],
    [1n, 10n, 0.1],
    [-26n, 10n, -2.6],
    [2n ** 53n + 1n, 1n, 2 ** 53], // a tie goes to even
    [2n ** 54n + 2n, 2n, 2 ** 53],
    [(2n ** 53n + 1n) * 2n ** 80n + 1n, 2n ** 80n, 2 ** 53 + 2], // just above a tie
    [3n, 2n ** 100n, 3 / 2 ** 100],
  ])('%s / %s = %s', (a, b, expected) => expect(ratio(a, b)).toBe(expected));

  it('keeps the sign of negative values', () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        expect(ratio(-a, b)).toBe(-ratio(a, b));
      }),
    );
  });
});

describe('rootOfRatio', () => {
  it('brackets the exact root', () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const [below, above] = neighbours(rootOfRatio(a, b)).map(fraction) as [[bigint, bigint], [bigint, bigint]];
        expect(below[0] ** 2n * b < a * below[1] ** 2n).toBe(true);
        expect(above[0] ** 2n * b > a * above[1] ** 2n).toBe(true);
      }),
    );
  });

  it.each([
    [0n, 5n, 0],
    [2n, 1n, Math.SQRT2],
    [9n, 4n, 1.5],
    [10n ** 60n, 10n ** 60n, 1],
  ])('sqrt(%s / %s) = %s', (a, b, expected) => expect(rootOfRatio(a, b)).toBe(expected));
});

it('integerRoot is floor(sqrt)', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 300n }), (value) => {
      const root = integerRoot(value);
      expect(root * root <= value && (root + 1n) ** 2n > value).toBe(true);
    }),
  );
});
