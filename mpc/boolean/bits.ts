import { inspect } from 'node:util';
import { discard } from '../../protocol/bytes.ts';
import { Misuse } from '../../protocol/errors.ts';

/** Authenticated bits come in whole blocks of this many: one row of a bit matrix, one register of the machine. */
export const BLOCK_BITS = 128;
/** Bytes of one tag: an element of GF(2^128). */
export const TAG_BYTES = 16;

/** The number of lanes that hold `count` bits: `count` rounded up to whole blocks, at least one. */
export const lanesFor = (count: number): number => Math.max(1, Math.ceil(count / BLOCK_BITS)) * BLOCK_BITS;

/**
 * This party's share of `length` authenticated bits (docs/boolean.md §1): a bit x_i and a tag m_i for each, with
 *
 *     XOR_i x_i = x      XOR_i m_i = x * Delta,   Delta = XOR_i Delta_i
 *
 * over all parties i, where P_i alone holds Delta_i. Adding two shared bits is local: bits and tags are XORed.
 */
export class AuthenticatedBits {
  /** A multiple of 128. */
  readonly length: number;
  /** Packed, least significant bit first: length / 8 bytes. */
  readonly bits: Uint8Array;
  /** 16 bytes a bit, in the same order. Begins at a multiple of four bytes of its buffer. */
  readonly tags: Uint8Array;

  constructor(bits: Uint8Array, tags: Uint8Array) {
    this.length = 8 * bits.length;
    if (this.length % BLOCK_BITS !== 0 || tags.length !== TAG_BYTES * this.length || tags.byteOffset % 4 !== 0) {
      throw new Misuse('MALFORMED', `authenticated bits come in aligned blocks of ${BLOCK_BITS}`);
    }
    this.bits = bits;
    this.tags = tags;
  }

  /** Shares of zero: every bit and tag is zero at every party. */
  static zeros(length: number): AuthenticatedBits {
    return new AuthenticatedBits(new Uint8Array(length / 8), new Uint8Array(TAG_BYTES * length));
  }

  /** A view of `length` bits from `first` on, both multiples of 128. Nothing is copied. */
  slice(first: number, length: number): AuthenticatedBits {
    if (first % BLOCK_BITS !== 0 || first < 0 || length < 0 || first + length > this.length) {
      throw new Misuse('OUT_OF_RANGE', `no ${length} bits from ${first} on among ${this.length}`);
    }
    return new AuthenticatedBits(
      this.bits.subarray(first / 8, (first + length) / 8),
      this.tags.subarray(TAG_BYTES * first, TAG_BYTES * (first + length)),
    );
  }

  /** Gives back memory of its own; that of a view stays with what it is a view of. */
  discard(): void {
    discard(this.bits);
    discard(this.tags);
  }

  toJSON(): string {
    return `AuthenticatedBits(${this.length}, redacted)`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}
