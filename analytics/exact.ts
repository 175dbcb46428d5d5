/**
 * From exact integers to the nearest double. Everything before these functions is BigInt, so that the answer does not
 * depend on the number of hospitals, on their order, or on cancellation in n*sum(x^2) - sum(x)^2.
 */

/** Bits kept before the last rounding: 53 of the double, and enough below that one sticky bit rounds correctly. */
const KEPT_BITS = 80;

/** The double nearest to numerator / denominator. Denominator > 0; the quotient lies within the normal doubles. */
export function ratio(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -ratio(-numerator, denominator);
  if (numerator === 0n) return 0;
  const shift = KEPT_BITS - bitLength(numerator) + bitLength(denominator);
  const dividend = shift > 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift < 0 ? denominator << BigInt(-shift) : denominator;
  const quotient = dividend / divisor;
  // Number() of a BigInt rounds to nearest even; the sticky bit keeps a remainder from passing for a tie.
  const sticky = quotient * divisor === dividend ? 0n : 1n;
  return Number(quotient | sticky) * 2 ** -shift;
}

/** The double nearest to sqrt(numerator / denominator). Numerator >= 0, denominator > 0. */
export function rootOfRatio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const half = KEPT_BITS - ((bitLength(numerator) - bitLength(denominator)) >> 1);
  const dividend = half > 0 ? numerator << BigInt(2 * half) : numerator;
  const divisor = half < 0 ? denominator << BigInt(-2 * half) : denominator;
  const quotient = dividend / divisor;
  const root = integerRoot(quotient);
  const sticky = root * root === quotient && quotient * divisor === dividend ? 0n : 1n;
  return Number(root | sticky) * 2 ** -half;
}

/** 10^decimals */
export const powerOfTen = (decimals: number): bigint => 10n ** BigInt(decimals);

/** floor(sqrt(value)), value >= 0; Newton's iteration from above. */
export function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Bits of a value >= 0, within three of the truth from above: hexadecimal digits times four. */
const bitLength = (value: bigint): number => value.toString(16).length * 4;
