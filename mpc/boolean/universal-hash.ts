import { createCipheriv, type CipherGCM } from 'node:crypto';
import { Misuse } from '../../protocol/errors.ts';

const BLOCK = 16;
/** Any fixed nonce: the key makes one hash, and the mask that the nonce makes is taken off again. */
const NONCE = Buffer.alloc(12);

/**
 * The polynomial hash of `blocks` at a point that `key` (16 bytes) determines:
 *
 *     h(B_1 .. B_m) = sum_j B_j * H^(m - j + 2)   over GF(2^128),   H = AES_key(0)
 *
 * Linear in the blocks, so hashes of XOR shares XOR to the hash of what is shared. Lists of m blocks that differ
 * collide for at most m + 1 of the 2^128 points H (a polynomial of degree m + 1 has no more roots). `key` must be
 * chosen after the blocks are fixed; H is uniform for AES as ideal cipher.
 *
 * It is GHASH of NIST SP 800-38D, computed by the platform's AES-GCM as the tag over associated data: 4 GB/s and more.
 */
export function polynomialHash(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return new PolynomialHash(key).update(blocks).finish();
}

/** `polynomialHash` of a list that comes in pieces. */
export class PolynomialHash {
  readonly #key: Uint8Array;
  readonly #cipher: CipherGCM;
  #bytes = 0;

  constructor(key: Uint8Array) {
    if (key.length !== BLOCK) throw new Misuse('BAD_KEY', 'the key of a polynomial hash has 16 bytes');
    this.#key = key;
    this.#cipher = createCipheriv('aes-128-gcm', key, NONCE);
  }

  /** Whole blocks of 16 bytes. */
  update(blocks: Uint8Array): this {
    if (blocks.length % BLOCK !== 0) throw new Misuse('MALFORMED', 'a polynomial hash takes whole blocks of 16 bytes');
    // OpenSSL takes lengths as int; larger pieces are cut.
    for (let at = 0; at < blocks.length; at += 1 << 30) this.#cipher.setAAD(blocks.subarray(at, at + (1 << 30)));
    this.#bytes += blocks.length;
    return this;
  }

  /** The hash, 16 bytes. Ends this object's use. */
  finish(): Uint8Array {
    this.#cipher.final();
    const hash = new Uint8Array(this.#cipher.getAuthTag());
    // The tag is h(A) + length * H + AES(J0): what does not depend on the blocks comes off, which leaves a linear map.
    const ecb = createCipheriv('aes-128-ecb', this.#key, null);
    const counter = Buffer.alloc(BLOCK);
    counter[BLOCK - 1] = 1;
    const [point, mask] = [ecb.update(Buffer.alloc(BLOCK)), ecb.update(counter)];
    const length = Buffer.alloc(BLOCK);
    length.writeBigUInt64BE(8n * BigInt(this.#bytes));
    const lengthTerm = multiply(length, point);
    for (let i = 0; i < BLOCK; i++) hash[i]! ^= mask[i]! ^ lengthTerm[i]!;
    return hash;
  }
}

/** a * b in GF(2^128) as GCM writes it: bit 0 is the most significant bit of byte 0; x^128 = x^7 + x^2 + x + 1. */
export function multiply(a: Uint8Array, b: Uint8Array): Uint8Array {
  const product = new Uint8Array(BLOCK);
  const power = Uint8Array.from(b);
  for (let i = 0; i < 8 * BLOCK; i++) {
    const take = -((a[i >> 3]! >> (7 - (i & 7))) & 1);
    for (let j = 0; j < BLOCK; j++) product[j]! ^= power[j]! & take;
    const reduce = -(power[BLOCK - 1]! & 1);
    for (let j = BLOCK - 1; j > 0; j--) power[j] = (power[j]! >> 1) | (power[j - 1]! << 7);
    power[0] = (power[0]! >> 1) ^ (0xe1 & reduce);
  }
  return product;
}
