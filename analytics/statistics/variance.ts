import { ratio } from '../exact.ts';
import { ofSpread, sampleVariance } from './spread.ts';

/** Sample variance (divisor n - 1), in squared units; null where n < 2. */
export const variance = ofSpread('variance', (moments) => {
  const { numerator, denominator } = sampleVariance(moments);
  return ratio(numerator, denominator);
});
