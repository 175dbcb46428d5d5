import { powerOfTen, ratio } from '../exact.ts';
import { numberPair, pairTerms } from './pair.ts';
import type { OfPair, Planner } from './statistic.ts';

/** Sample covariance over complete pairs, (n sum xy - sum x sum y) / (n (n-1)); null where n < 2. */
export const covariance: Planner<OfPair> = (request, scope, place) => {
  const { names, decimals } = numberPair(request, scope, place);
  const scale = powerOfTen(decimals);
  return {
    terms: pairTerms(request.columns),
    names: () => [`covariance(${names})`],
    decode: ([n, x, y, xy]) => [n! >= 2n ? ratio(n! * xy! - x! * y!, n! * (n! - 1n) * scale) : null],
  };
};
