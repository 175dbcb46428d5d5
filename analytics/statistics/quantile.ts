import type { NumberField } from '../fields.ts';
import { requireGrid, gridValue } from '../grid.ts';
import { readDecimal } from '../literals.ts';
import type { Proportion, Search } from '../search.ts';
import { badQuery } from '../mistake.ts';
import { countOf } from '../terms.ts';
import type { OfColumn, Planner } from './statistic.ts';

/** Counts are compared with less than this. */
const MOST_BEHIND = 2 ** 30;

/**
 * Quantiles of type 1 (Hyndman, Fan, American Statistician 1996; R's `quantile(type = 1)`): the smallest point g of the
 * column's grid with F(g) >= p n, which is one of the values. Null where n = 0.
 */
export const quantile: Planner<OfColumn & { readonly p: number | readonly number[] }> = (
  { column, p },
  scope,
  place,
  rule,
) => {
  const field = scope.number(column, `${place}.column`);
  requireGrid(field, `${place}.column`, rule);
  return {
    terms: [countOf(column)],
    searches: [p].flat().map((each) => {
      const search = quantileOf(field, each, rule.minimumCell, `quantile(${column},${each})`);
      if (search.minimum < MOST_BEHIND) return search;
      throw badQuery(
        `${place}.p`,
        `under this release rule the quantile at ${each} would need ${search.minimum.toLocaleString('en-US')} values`,
      );
    }),
    names: () => [`n(${column})`],
    decode: (cells) => cells.map(Number),
  };
};

/** The search for one quantile. */
export function quantileOf(field: NumberField, p: number, minimumCell: number, name: string): Search {
  const probability = proportionOf(p);
  return {
    column: field.name,
    target: { kind: 'quantile', probability },
    minimum: Math.max(minimumCell, valuesBehind(probability, minimumCell)),
    names: [name],
    decode: (answer) => [gridValue(field, answer)],
    ofNothing: [null],
  };
}

/**
 * ceil(k / (4 min(p, 1-p))): beyond the quartiles, so many values that a fourth of k lies on either side of the quantile.
 * From k = 5 on neither the smallest nor the largest value is ever shown.
 */
function valuesBehind({ numerator, denominator }: Proportion, k: number): number {
  const tail = Number(numerator < denominator - numerator ? numerator : denominator - numerator);
  return Math.ceil((k * Number(denominator)) / (4 * tail));
}

/** In lowest terms: the numbers compared on shares are as small as can be. */
function proportionOf(p: number): Proportion {
  const { units, decimals } = readDecimal(p, '');
  const denominator = 10n ** BigInt(decimals);
  const divisor = greatestCommonDivisor(units, denominator);
  return { numerator: units / divisor, denominator: denominator / divisor };
}

const greatestCommonDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestCommonDivisor(b, a % b));
