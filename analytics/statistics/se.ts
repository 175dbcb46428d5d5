import { rootOfRatio } from '../exact.ts';
import { ofSpread, sampleVariance, type Moments } from './spread.ts';

/** Standard error of the mean, sqrt(variance / n); null where n < 2. */
export const se = ofSpread('se', (moments) => standardError(moments));

export function standardError(moments: Moments): number {
  const { numerator, denominator } = sampleVariance(moments);
  return rootOfRatio(numerator, denominator * moments.n);
}
