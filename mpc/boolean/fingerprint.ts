import { TAG_BYTES, type AuthenticatedBits } from './bits.ts';
import { polynomialHash } from './universal-hash.ts';

/** Lanes at the end of fingerprinted bits that hide the others: one element of GF(2^128). */
export const PAD_LANES = 128;
export const FINGERPRINT_BYTES = 16;

/**
 * The fingerprint of bits s with a pad p of 128 bits behind them:
 *
 *     y = h_key(s) + p   over GF(2^128)
 *
 * where 128 packed lanes are one element. With p uniform and secret y says nothing of s. Two different (s, p) agree for a
 * random key chosen later with probability at most (lanes / 128 + 1) / 2^128 (`polynomialHash`).
 */
export function fingerprint(key: Uint8Array, padded: Uint8Array): Uint8Array {
  const end = padded.length - FINGERPRINT_BYTES;
  const sum = polynomialHash(key, padded.subarray(0, end));
  for (let i = 0; i < FINGERPRINT_BYTES; i++) sum[i]! ^= padded[end + i]!;
  return sum;
}

/** A share of a fingerprint y, and of its tag y * Delta. */
export interface FingerprintShare {
  readonly value: Uint8Array;
  readonly tag: Uint8Array;
}

/** A fingerprint is linear in the bits over GF(2^128), and so shares and tags of it are those of the bits, combined alike. */
export const shareOfFingerprint = (key: Uint8Array, { bits, tags }: AuthenticatedBits): FingerprintShare => ({
  value: fingerprint(key, bits),
  tag: fingerprint(key, packTags(tags)),
});

/**
 * The tags of elements, 128 lanes each: sum_k x^k m(k), with m(k) the tag of the lane that is coefficient k. GCM counts
 * coefficients from the most significant bit of each byte, lanes count from the least: lane k XOR 7.
 */
function packTags(tags: Uint8Array): Uint8Array {
  const packed = new Uint8Array(tags.length / PAD_LANES);
  const from = new DataView(tags.buffer, tags.byteOffset, tags.length);
  const to = new DataView(packed.buffer);
  for (let block = 0, at = 0; block < tags.length; block += TAG_BYTES * PAD_LANES, at += TAG_BYTES) {
    let [w0, w1, w2, w3] = [0, 0, 0, 0];
    for (let k = PAD_LANES - 1; k >= 0; k--) {
      const tag = block + TAG_BYTES * (k ^ 7);
      // Times x: one bit to the right, and what falls out comes back as x^128 = x^7 + x^2 + x + 1.
      const reduce = -(w3 & 1) & 0xe1000000;
      w3 = ((w3 >>> 1) | (w2 << 31)) ^ from.getInt32(tag + 12);
      w2 = ((w2 >>> 1) | (w1 << 31)) ^ from.getInt32(tag + 8);
      w1 = ((w1 >>> 1) | (w0 << 31)) ^ from.getInt32(tag + 4);
      w0 = (w0 >>> 1) ^ reduce ^ from.getInt32(tag);
    }
    to.setInt32(at, w0);
    to.setInt32(at + 4, w1);
    to.setInt32(at + 8, w2);
    to.setInt32(at + 12, w3);
  }
  return packed;
}
