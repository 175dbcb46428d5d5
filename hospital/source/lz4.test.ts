import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompressLz4 } from './lz4.ts';

const frame = (...blocks: number[][]): Uint8Array =>
  Uint8Array.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, ...blocks.flat(), 0, 0, 0, 0]);
const packed = (...bytes: number[]): number[] => [bytes.length, 0, 0, 0, ...bytes];
const stored = (...bytes: number[]): number[] => [bytes.length, 0, 0, 0x80, ...bytes];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const A = 0x61;

describe('LZ4 frames', () => {
  it('of stored blocks, literals, overlapping and cross-block matches', () => {
    expect(text(decompressLz4(frame(stored(A, A + 1))))).toBe('ab');
    expect(text(decompressLz4(frame(packed(0x30, A, A + 1, A + 2))))).toBe('abc');
    // "a", then 4 + 15 + 3 bytes from one back, then "b".
    expect(text(decompressLz4(frame(packed(0x1f, A, 1, 0, 3, 0x10, A + 1))))).toBe(`${'a'.repeat(23)}b`);
    expect(text(decompressLz4(frame(stored(A, A + 1), packed(0x00, 2, 0, 0x10, A + 2))))).toBe('abababc');
  });

  it('that are malformed are a RangeError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decompressLz4(frame(packed(...bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
    expect(() => decompressLz4(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]))).toThrow(RangeError);
    expect(() => decompressLz4(frame(packed(0x00, 9, 0)))).toThrow(RangeError);
  });
});
