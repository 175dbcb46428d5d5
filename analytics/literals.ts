import { badQuery } from './mistake.ts';
import type { NumberField } from './fields.ts';

/** Digits behind the point of a literal: a double as others print it has up to 17 that count, behind some zeros. */
const MOST_DIGITS = 30;

/** An exact decimal number: units * 10^-decimals, with as few decimals as can be. */
export interface Decimal {
  readonly units: bigint;
  readonly decimals: number;
}

const PLAIN = /^(-?)([0-9]{1,18})(?:\.([0-9]+))?$/;

/**
 * The decimal number that a query literal means. A JSON number means its shortest decimal text: 0.1 is one tenth,
 * not the double next to it.
 * Errors: BAD_QUERY for more than 18 digits before or 30 behind the point.
 */
export function readDecimal(literal: number | string, place: string): Decimal {
  const [, sign, whole, tail = ''] = PLAIN.exec(plainText(literal)) ?? [];
  const fraction = tail.replace(/0+$/, '');
  if (whole === undefined || fraction.length > MOST_DIGITS)
    throw badQuery(place, `expected a number of at most 18 digits before and ${MOST_DIGITS} behind the decimal point`);
  const units = BigInt(whole + fraction);
  return { units: sign === '-' ? -units : units, decimals: fraction.length };
}

/** What a literal stands for beside the values of a column: where these are rounded, so is it. Errors: as `readDecimal`. */
export function readBeside(
  { rounded, decimals }: Pick<NumberField, 'rounded' | 'decimals'>,
  literal: number | string,
  place: string,
): Decimal {
  const value = readDecimal(literal, place);
  return rounded && value.decimals > decimals ? { units: nearest(value, decimals), decimals } : value;
}

/**
 * By way of the double nearest to it, half a unit away from zero: in the steps of the engine that rounds the column, so that a value is
 * equal to itself. As doubles, 1.005 times 100 lies below 100.5.
 */
function nearest(value: Decimal, decimals: number): bigint {
  const size = BigInt(Math.round(Math.abs(Number(decimalToText(value))) * Number(10n ** BigInt(decimals))));
  return value.units < 0n ? -size : size;
}

/** Decimal text without an exponent: 1e-7 is "0.0000001". */
function plainText(literal: number | string): string {
  const text = String(literal);
  const [, sign, lead, fraction = '', exponent] = /^(-?)([0-9])(?:\.([0-9]+))?e-([0-9]+)$/.exec(text) ?? [];
  if (lead === undefined) return text;
  return `${sign ?? ''}0.${'0'.repeat(Number(exponent) - 1)}${lead}${fraction}`;
}

/** The one form of a number in a canonical query: a JSON number where that is exact and has no exponent, else text. */
export function canonicalNumber(literal: number | string, place: string): number | string {
  const text = decimalToText(readDecimal(literal, place));
  return String(Number(text)) === text ? Number(text) : text;
}

export function decimalToText({ units, decimals }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  return (units < 0n ? '-' : '') + digits.slice(0, point) + (decimals > 0 ? `.${digits.slice(point)}` : '');
}

/** value * 10^decimals where that is an integer, else undefined: no value of such a column equals the literal. */
export function onGrid(value: Decimal, decimals: number): bigint | undefined {
  return value.decimals > decimals ? undefined : value.units * 10n ** BigInt(decimals - value.decimals);
}

/** The greatest grid point at or below the value: `x <= 30.5` is `x <= 30` on whole numbers. */
export function floorToGrid(value: Decimal, decimals: number): bigint {
  const exact = onGrid(value, decimals);
  if (exact !== undefined) return exact;
  const step = 10n ** BigInt(value.decimals - decimals);
  const quotient = value.units / step;
  // BigInt division cuts towards zero; a value off the grid below zero lies under that.
  return value.units < 0n ? quotient - 1n : quotient;
}

/** The least grid point at or above the value. */
export function ceilToGrid(value: Decimal, decimals: number): bigint {
  return onGrid(value, decimals) ?? floorToGrid(value, decimals) + 1n;
}
