import { TAG_BYTES, type AuthenticatedBits } from './bits.ts';
import { NOWHERE } from './circuit.ts';
import type { Triples } from './stock.ts';

/** The 16-byte tags as words of 32 bits, four to a lane: a view. */
const wordsOf = (tags: Uint8Array): Uint32Array => new Uint32Array(tags.buffer, tags.byteOffset, tags.length / 4);

/** The share of the global key, as the loops use it. */
export class KeyWords {
  readonly #words: Uint32Array;
  constructor(keyShare: Uint8Array) {
    this.#words = wordsOf(Uint8Array.from(keyShare));
  }
  get words(): Uint32Array {
    return this.#words;
  }
  /** The same 16 bytes: an element of GF(2^128). */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer);
  }
}

/** out = a XOR b, bytes. */
export function xorBytes(out: Uint8Array, a: Uint8Array, b: Uint8Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i]! ^ b[i]!;
}

/** The XOR of messages of one length, at least one. */
export function xorAll(messages: readonly Uint8Array[]): Uint8Array {
  const total = Uint8Array.from(messages[0]!);
  for (const message of messages.slice(1)) xorBytes(total, total, message);
  return total;
}

/** out = a XOR b for shared bits. */
export function xorShares(out: AuthenticatedBits, a: AuthenticatedBits, b: AuthenticatedBits): void {
  xorBytes(out.bits, a.bits, b.bits);
  const [to, left, right] = [wordsOf(out.tags), wordsOf(a.tags), wordsOf(b.tags)];
  for (let i = 0; i < to.length; i++) to[i] = left[i]! ^ right[i]!;
}

/** tags ^= bits * key, lane by lane, for public bits. */
export function addToTags(tags: Uint8Array, bits: Uint8Array, key: KeyWords): void {
  const words = wordsOf(tags);
  const k = key.words;
  const [k0, k1, k2, k3] = [k[0]!, k[1]!, k[2]!, k[3]!];
  for (let i = 0, at = 0; i < bits.length; i++) {
    const byte = bits[i]!;
    for (let j = 0; j < 8; j++, at += 4) {
      const take = -((byte >> j) & 1);
      words[at]! ^= k0 & take;
      words[at + 1]! ^= k1 & take;
      words[at + 2]! ^= k2 & take;
      words[at + 3]! ^= k3 & take;
    }
  }
}

/** out = NOT a, as adding 1 in every lane. */
export function complement(out: AuthenticatedBits, a: AuthenticatedBits, key: KeyWords, first: boolean): void {
  for (let i = 0; i < out.bits.length; i++) out.bits[i] = first ? ~a.bits[i]! : a.bits[i]!;
  const [to, from] = [wordsOf(out.tags), wordsOf(a.tags)];
  const k = key.words;
  const [k0, k1, k2, k3] = [k[0]!, k[1]!, k[2]!, k[3]!];
  for (let at = 0; at < to.length; at += 4) {
    to[at] = from[at]! ^ k0;
    to[at + 1] = from[at + 1]! ^ k1;
    to[at + 2] = from[at + 2]! ^ k2;
    to[at + 3] = from[at + 3]! ^ k3;
  }
}

/** out = a where the public bits are 1, zero elsewhere. */
export function maskShares(out: AuthenticatedBits, a: AuthenticatedBits, bits: Uint8Array): void {
  const [to, from] = [wordsOf(out.tags), wordsOf(a.tags)];
  for (let i = 0, at = 0; i < bits.length; i++) {
    const byte = bits[i]!;
    out.bits[i] = a.bits[i]! & byte;
    for (let j = 0; j < 8; j++) {
      const take = -((byte >> j) & 1);
      for (const end = at + 4; at < end; at++) to[at] = from[at]! & take;
    }
  }
}

/** Lane j of `out` becomes lane `from[j]` of `a`, or zero where there is none. */
export function gatherShares(out: AuthenticatedBits, a: AuthenticatedBits, from: Uint32Array): void {
  out.bits.fill(0);
  out.tags.fill(0);
  from.forEach((source, lane) => {
    if (source === NOWHERE) return;
    out.bits[lane >> 3]! |= ((a.bits[source >> 3]! >> (source & 7)) & 1) << (lane & 7);
    out.tags.set(a.tags.subarray(TAG_BYTES * source, TAG_BYTES * (source + 1)), TAG_BYTES * lane);
  });
}

/**
 * One AND after its openings d = x + a and e = y + b: the share of the product
 *
 *     z = c + d b + e a + d e
 *
 * goes into `triple.c`, and what is left of the tags of d and e once d Delta and e Delta are taken off goes into the tags
 * of `triple.a` and `triple.b`: shares of zero, if nobody lied.
 */
export function multiply(
  triple: Triples,
  x: AuthenticatedBits,
  y: AuthenticatedBits,
  d: Uint8Array,
  e: Uint8Array,
  key: KeyWords,
  first: boolean,
): void {
  const { a, b, c } = triple;
  const [ta, tb, tc, tx, ty] = [wordsOf(a.tags), wordsOf(b.tags), wordsOf(c.tags), wordsOf(x.tags), wordsOf(y.tags)];
  const k = key.words;
  const [k0, k1, k2, k3] = [k[0]!, k[1]!, k[2]!, k[3]!];
  for (let i = 0, at = 0; i < d.length; i++) {
    const [dByte, eByte] = [d[i]!, e[i]!];
    c.bits[i]! ^= (dByte & b.bits[i]!) ^ (eByte & a.bits[i]!) ^ (first ? dByte & eByte : 0);
    for (let j = 0; j < 8; j++, at += 4) {
      const md = -((dByte >> j) & 1);
      const me = -((eByte >> j) & 1);
      const a0 = ta[at]!;
      const a1 = ta[at + 1]!;
      const a2 = ta[at + 2]!;
      const a3 = ta[at + 3]!;
      const b0 = tb[at]!;
      const b1 = tb[at + 1]!;
      const b2 = tb[at + 2]!;
      const b3 = tb[at + 3]!;
      tc[at]! ^= (b0 & md) ^ (a0 & me) ^ (k0 & md & me);
      tc[at + 1]! ^= (b1 & md) ^ (a1 & me) ^ (k1 & md & me);
      tc[at + 2]! ^= (b2 & md) ^ (a2 & me) ^ (k2 & md & me);
      tc[at + 3]! ^= (b3 & md) ^ (a3 & me) ^ (k3 & md & me);
      ta[at] = a0 ^ tx[at]! ^ (k0 & md);
      ta[at + 1] = a1 ^ tx[at + 1]! ^ (k1 & md);
      ta[at + 2] = a2 ^ tx[at + 2]! ^ (k2 & md);
      ta[at + 3] = a3 ^ tx[at + 3]! ^ (k3 & md);
      tb[at] = b0 ^ ty[at]! ^ (k0 & me);
      tb[at + 1] = b1 ^ ty[at + 1]! ^ (k1 & me);
      tb[at + 2] = b2 ^ ty[at + 2]! ^ (k2 & me);
      tb[at + 3] = b3 ^ ty[at + 3]! ^ (k3 & me);
    }
  }
}
