import { createRequire } from 'node:module';
import type studentTQuantile from '@stdlib/stats-base-dists-t-quantile';
import { powerOfTen, ratio } from '../exact.ts';
import { momentTerms } from './spread.ts';
import { standardError } from './se.ts';
import type { OfColumn, Planner } from './statistic.ts';

export const DEFAULT_LEVEL = 0.95;

/**
 * Confidence interval of the mean: mean -+ t(1 - (1 - level)/2; n - 1) * se. Null where n < 2.
 * Mean and se are rounded once; the ends carry the rounding of one product and one sum more.
 */
export const ci: Planner<OfColumn & { readonly level?: number | undefined }> = (request, scope, place) => {
  const { column, level = DEFAULT_LEVEL } = request;
  const scale = powerOfTen(scope.number(column, `${place}.column`).decimals);
  return {
    terms: momentTerms(column),
    names: () => [`n(${column})`, `ci.lower(${column})`, `ci.upper(${column})`],
    decode: ([n, x, xx]) => {
      if (n! < 2n) return [Number(n), null, null];
      const centre = ratio(x!, n! * scale);
      // The lower tail: 1 - (1 - level)/2 would round away what distinguishes levels close to one.
      const half = -loadQuantile()((1 - level) / 2, Number(n! - 1n)) * standardError({ n: n!, x: x!, xx: xx!, scale });
      return [Number(n), centre - half, centre + half];
    },
  };
};

/** Loaded at the first interval: it is some two hundred modules, which most commands never need. */
const loadQuantile = (): typeof studentTQuantile =>
  createRequire(import.meta.url)('@stdlib/stats-base-dists-t-quantile') as typeof studentTQuantile;
