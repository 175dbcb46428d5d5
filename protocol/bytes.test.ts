import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, concatBytes, discard, equalBytes, fromHex, hexOf, toHex } from './bytes.ts';

const malformed = expect.objectContaining({ kind: 'Misuse', code: 'MALFORMED' }) as Error;

describe('hexadecimal', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes), bytes.length)).toEqual(bytes);
      }),
    );
  });
  test('of a view holds the view alone', () => expect(toHex(Uint8Array.of(1, 2, 3, 4).subarray(1, 3))).toBe('0203'));
  test.each(['AB', 'a', 'abc', 'abcd', 'zz', ' a', 'a\n', 'ab\n', ''])('%j is not one byte', (text) => {
    expect(() => fromHex(text, 1)).toThrow(malformed);
    expect(hexOf(1).safeParse(text).success).toBe(false);
  });
});

describe('ByteWriter and ByteReader', () => {
  test('agree on every layout', () => {
    const parts = fc.record({
      a: fc.nat(255),
      b: fc.nat(2 ** 32 - 1),
      c: fc.uint8Array({ maxLength: 50 }),
      d: fc.string({ unit: 'grapheme' }),
    });
    fc.assert(
      fc.property(parts, ({ a, b, c, d }) => {
        const bytes = new ByteWriter().uint8(a).uint32(b).bytes(c).text(d).fixed(Uint8Array.of(9)).finish();
        const reader = new ByteReader(bytes);
        expect([reader.uint8(), reader.uint32(), reader.bytes(50), reader.text(10_000)]).toEqual([a, b, c, d]);
        expect(reader.rest()).toEqual(Uint8Array.of(9));
        reader.end();
      }),
    );
  });
  test('write big-endian', () => expect([...new ByteWriter().uint32(0x01020304).finish()]).toEqual([1, 2, 3, 4]));
  test.each([-1, 256, 1.5, Number.NaN])('%d is no byte to write', (value) => {
    expect(() => new ByteWriter().uint8(value)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }) as Error);
  });
  test('every cut of an encoding is refused as truncated', () => {
    const bytes = new ByteWriter().uint32(7).text('abc').finish();
    for (let length = 0; length < bytes.length; length++) {
      const reader = new ByteReader(bytes.subarray(0, length));
      expect(() => [reader.uint32(), reader.text(10)]).toThrow(malformed);
    }
  });
  test('trailing bytes, a length over the limit and text that is not UTF-8 are refused', () => {
    expect(() => new ByteReader(new Uint8Array(1)).end()).toThrow(malformed);
    expect(() => new ByteReader(new ByteWriter().bytes(new Uint8Array(5)).finish()).bytes(4)).toThrow(malformed);
    expect(() => new ByteReader(new ByteWriter().bytes(Uint8Array.of(0xff)).finish()).text(4)).toThrow(malformed);
  });
});

test('bytes are equal when length and every byte are', () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
  expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2))).toEqual(Uint8Array.of(1, 2));
});

describe('discard', () => {
  test('empties bytes that have a buffer of their own', () => {
    const bytes = Buffer.allocUnsafeSlow(100_000);
    discard(bytes);
    expect(bytes.length).toBe(0);
  });
  test('leaves a view alone, since the rest of its buffer may be in use', () => {
    const whole = new Uint8Array(10).fill(7);
    discard(whole.subarray(0, 9));
    expect(whole).toEqual(new Uint8Array(10).fill(7));
  });
});
