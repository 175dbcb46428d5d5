import { rootOfRatio } from '../exact.ts';
import { ofSpread, sampleVariance } from './spread.ts';

/** Sample standard deviation (divisor n - 1); null where n < 2. */
export const sd = ofSpread('sd', (moments) => {
  const { numerator, denominator } = sampleVariance(moments);
  return rootOfRatio(numerator, denominator);
});
