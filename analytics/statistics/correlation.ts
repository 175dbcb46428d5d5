import { rootOfRatio } from '../exact.ts';
import { sumOf } from '../terms.ts';
import { numberPair, pairTerms } from './pair.ts';
import type { OfPair, Planner } from './statistic.ts';

/**
 * Pearson's r over complete pairs: S_xy / sqrt(S_xx S_yy) with S_ab = n sum ab - sum a sum b; the scales cancel.
 * Null where n < 2 or where one of the two does not vary.
 */
export const correlation: Planner<OfPair> = (request, scope, place) => {
  const { names } = numberPair(request, scope, place);
  const [x, y] = request.columns;
  return {
    terms: [...pairTerms(request.columns), sumOf([x, x], [y]), sumOf([y, y], [x])],
    names: () => [`correlation(${names})`],
    decode: ([n, sx, sy, sxy, sxx, syy]) => [
      pearson(n! * sxy! - sx! * sy!, n! * sxx! - sx! * sx!, n! * syy! - sy! * sy!),
    ],
  };
};

function pearson(xy: bigint, xx: bigint, yy: bigint): number | null {
  if (xx <= 0n || yy <= 0n) return null;
  // One root of an exact fraction, so that |r| = 1 comes out as exactly 1.
  const size = rootOfRatio(xy * xy, xx * yy);
  return xy < 0n ? -size : size;
}
