import { describe, expect, test } from 'vitest';
import { seededRandom } from '../testing/world.ts';
import { AuthenticatedBits, TAG_BYTES } from './bits.ts';
import { addToTags, complement, maskShares, multiply, xorAll, xorBytes, xorShares } from './tags.ts';

const random = seededRandom('tags');
const some = (lanes: number): AuthenticatedBits => new AuthenticatedBits(random(lanes / 8), random(TAG_BYTES * lanes));
const copyOf = ({ bits, tags }: AuthenticatedBits): AuthenticatedBits =>
  new AuthenticatedBits(Uint8Array.from(bits), Uint8Array.from(tags));
const bitOf = (bits: Uint8Array, lane: number): number => (bits[lane >> 3]! >> (lane & 7)) & 1;
const sumOf = (...all: readonly Uint8Array[]): Uint8Array =>
  all[0]!.map((_, i) => all.reduce((sum, bytes) => sum ^ bytes[i]!, 0));
/** bit_t * rows_t, lane by lane; one row stands for all. */
const times = (bits: Uint8Array, rows: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: 8 * TAG_BYTES * bits.length }, (_, i) => bitOf(bits, i >> 4) * rows[i % rows.length]!);
const and = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte & b[i]!);

const key = random(TAG_BYTES);

// Less than one piece, one, and several with an end.
describe.each([128, 2048, 2176, 10_112])('%i lanes', (lanes) => {
  test('are added', () => {
    const [a, b, out] = [some(lanes), some(lanes), some(lanes)];
    xorShares(out, a, b);
    expect(out.bits).toEqual(sumOf(a.bits, b.bits));
    expect(out.tags).toEqual(sumOf(a.tags, b.tags));
  });

  test('take public bits', () => {
    const [a, out, bits] = [some(lanes), some(lanes), random(lanes / 8)];
    maskShares(out, a, bits);
    expect(out.bits).toEqual(and(a.bits, bits));
    expect(out.tags).toEqual(times(bits, a.tags));
    addToTags(out.tags, bits, key);
    expect(out.tags).toEqual(sumOf(times(bits, a.tags), times(bits, key)));
  });

  test.each([true, false])('are complemented, at the first party: %s', (first) => {
    const [a, out] = [some(lanes), some(lanes)];
    const ones = new Uint8Array(lanes / 8).fill(0xff);
    complement(out, a, key, first);
    expect(out.bits).toEqual(first ? sumOf(a.bits, ones) : a.bits);
    expect(out.tags).toEqual(sumOf(a.tags, times(ones, key)));
  });

  test.each([true, false])('are multiplied, at the first party: %s', (first) => {
    const [a, b, c, x, y] = [some(lanes), some(lanes), some(lanes), some(lanes), some(lanes)];
    const [d, e] = [random(lanes / 8), random(lanes / 8)];
    const triple = { a: copyOf(a), b: copyOf(b), c: copyOf(c) };
    multiply(triple, x, y, d, e, key, first);
    const both = and(d, e);
    const product = sumOf(c.bits, and(d, b.bits), and(e, a.bits));
    expect(triple.c.bits).toEqual(first ? sumOf(product, both) : product);
    expect(triple.c.tags).toEqual(sumOf(c.tags, times(d, b.tags), times(e, a.tags), times(both, key)));
    expect(triple.a.tags).toEqual(sumOf(a.tags, x.tags, times(d, key)));
    expect(triple.b.tags).toEqual(sumOf(b.tags, y.tags, times(e, key)));
  });
});

test.each([0, 1, 16, 63, 64, 65, 1000, 32_768, 32_785, 100_001])('%i bytes are added, in place too', (length) => {
  const [a, b, c] = [random(length), random(length), random(length)];
  const out = new Uint8Array(length);
  xorBytes(out, a, b);
  expect(out).toEqual(sumOf(a, b));
  expect(xorAll([a, b, c])).toEqual(sumOf(a, b, c));
  xorBytes(out, out, b);
  expect(out).toEqual(a);
});

test('bytes of unequal lengths are not added', () => {
  for (const [out, a, b] of [
    [100, 100, 99],
    [100, 101, 100],
    [99, 100, 100],
  ] as const) {
    const sum = (): void => xorBytes(new Uint8Array(out), new Uint8Array(a), new Uint8Array(b));
    expect(sum).toThrow(expect.objectContaining({ kind: 'Misuse', code: 'MALFORMED' }));
  }
});
