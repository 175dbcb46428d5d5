import { badQuery } from '../mistake.ts';
import { countOf } from '../terms.ts';
import type { OfColumn, Planner } from './statistic.ts';

export const DEFAULT_BITS = 2 ** 14;

/**
 * An estimate of how many different values the column has at all hospitals together, and its standard error, by linear
 * counting (Whang, Vander-Zanden, Taylor, ACM TODS 1990): every value sets the one of m bits that a keyed hash chooses, and
 *
 *     -m ln(1 - set / m)        estimates t m different values, with standard error sqrt(m (e^t - t - 1))
 *
 * Null where all bits are set: then there are too many values for so few bits.
 */
export const distinct: Planner<OfColumn & { readonly bits?: number | undefined }> = (
  { column, bits = DEFAULT_BITS },
  scope,
  place,
  { minimumCell },
) => {
  scope.countable(column, `${place}.column`);
  if (minimumCell >= bits)
    throw badQuery(
      `${place}.bits`,
      `${bits} bits cannot tell ${minimumCell} values, the smallest cell of the release rule`,
    );
  return {
    terms: [countOf(column)],
    searches: [
      {
        column,
        target: { kind: 'distinct', bits },
        minimum: minimumCell,
        names: [`distinct(${column})`, `se(distinct(${column}))`],
        decode: (set) => linearCount(set, bits),
        ofNothing: [0, 0],
      },
    ],
    names: () => [`n(${column})`],
    decode: (cells) => cells.map(Number),
  };
};

/** Estimate and standard error from the number of set bits. */
function linearCount(set: number, bits: number): [number | null, number | null] {
  if (set === bits) return [null, null];
  const load = -Math.log1p(-set / bits);
  return [bits * load, Math.sqrt(bits * (Math.expm1(load) - load))];
}
