import { Misuse } from '../protocol/errors.ts';

/** Numbers of the command line. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value))
    throw new Misuse('BAD_CONFIG', `expected a whole number, not ${text}`);
  return value;
}

/** As long as a timer can be set for. */
const LONGEST = 2 ** 31 / 1000;

export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < LONGEST))
    throw new Misuse('BAD_CONFIG', `expected seconds, more than 0 and less than ${Math.floor(LONGEST)}, not ${text}`);
  return value;
}
