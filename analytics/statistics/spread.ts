import { powerOfTen } from '../exact.ts';
import { countOf, sumOf, type Term } from '../terms.ts';
import type { OfColumn, Planner } from './statistic.ts';

/** n, sum x and sum x^2 over the rows where x is present, x scaled by `scale` = 10^decimals. */
export interface Moments {
  readonly n: bigint;
  readonly x: bigint;
  readonly xx: bigint;
  readonly scale: bigint;
}

/** An exact fraction; the denominator is positive. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const momentTerms = (column: string): Term[] => [countOf(column), sumOf([column]), sumOf([column, column])];

/** (n sum x^2 - (sum x)^2) / (n (n-1)), the sample variance; only for n >= 2. */
export const sampleVariance = ({ n, x, xx, scale }: Moments): Fraction => ({
  numerator: n * xx - x * x,
  denominator: n * (n - 1n) * scale * scale,
});

/** A statistic of one column that follows from its moments and is undefined for fewer than two values. */
export const ofSpread =
  (name: string, value: (moments: Moments) => number): Planner<OfColumn> =>
  ({ column }, scope, place) => {
    const scale = powerOfTen(scope.number(column, `${place}.column`).decimals);
    return {
      terms: momentTerms(column),
      names: () => [`n(${column})`, `${name}(${column})`],
      decode: ([n, x, xx]) => [Number(n), n! >= 2n ? value({ n: n!, x: x!, xx: xx!, scale }) : null],
    };
  };
