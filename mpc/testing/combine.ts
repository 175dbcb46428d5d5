import type { AuthenticatedBits } from '../boolean/bits.ts';
import { TAG_BYTES } from '../boolean/bits.ts';

/** XOR of byte strings of one length. */
export function xorAll(parts: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(parts[0]!.length);
  for (const part of parts) for (let i = 0; i < sum.length; i++) sum[i]! ^= part[i]!;
  return sum;
}

/** The values of shared bits, of which all shares are at hand. Throws unless every tag is value times the global key. */
export function combineBits(shares: readonly AuthenticatedBits[], keyShares: readonly Uint8Array[]): Uint8Array {
  const values = xorAll(shares.map(({ bits }) => bits));
  const tags = xorAll(shares.map((share) => share.tags));
  const key = xorAll(keyShares);
  for (let t = 0; t < 8 * values.length; t++) {
    const value = (values[t >> 3]! >> (t & 7)) & 1;
    for (let i = 0; i < TAG_BYTES; i++) {
      if (tags[TAG_BYTES * t + i] !== value * key[i]!) throw new Error(`the tag of bit ${t} is not that of ${value}`);
    }
  }
  return values;
}
