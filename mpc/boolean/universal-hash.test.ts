import fc from 'fast-check';
import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { PolynomialHash, polynomialHash } from './universal-hash.ts';

const field = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);

/** NIST SP 800-38D, algorithm 1, on integers whose most significant bit is x^0. */
function times(x: bigint, y: bigint): bigint {
  let [z, v] = [0n, y];
  for (let i = 127n; i >= 0n; i--) {
    if ((x >> i) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
  }
  return z;
}

function plainHash(key: Uint8Array, blocks: Uint8Array): bigint {
  const point = field(createCipheriv('aes-128-ecb', key, null).update(Buffer.alloc(16)));
  let sum = 0n;
  for (let at = 0; at < blocks.length; at += 16) sum = times(sum ^ field(blocks.subarray(at, at + 16)), point);
  return times(sum, point);
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const someBlocks = fc.integer({ min: 0, max: 20 }).chain((count) => bytes(16 * count));

describe('the polynomial hash', () => {
  test('is the sum of blocks times powers of the point', () => {
    fc.assert(
      fc.property(bytes(16), someBlocks, (key, blocks) => {
        expect(field(polynomialHash(key, blocks))).toBe(plainHash(key, blocks));
      }),
      { numRuns: 50 },
    );
  });

  test('is the GHASH of NIST test case 2, but for the length block', () => {
    // Key zero: H = 66e94bd4ef8a2c3b884cfa59ca342b2e; one block, C = 0388dace60b6a392f328c2b971b2fe78.
    const point = field(fromHex('66e94bd4ef8a2c3b884cfa59ca342b2e', 16));
    const hash = polynomialHash(new Uint8Array(16), fromHex('0388dace60b6a392f328c2b971b2fe78', 16));
    const withLength = field(hash) ^ times(0x80n, point);
    expect(withLength.toString(16)).toBe('f38cbb1ad69223dcc3457ae5b6b0f885');
  });

  test('is linear', () => {
    const pair = fc.integer({ min: 0, max: 20 }).chain((count) => fc.tuple(bytes(16 * count), bytes(16 * count)));
    fc.assert(
      fc.property(bytes(16), pair, (key, [a, b]) => {
        const sum = a.map((byte, i) => byte ^ b[i]!);
        expect(field(polynomialHash(key, sum))).toBe(field(polynomialHash(key, a)) ^ field(polynomialHash(key, b)));
      }),
      { numRuns: 50 },
    );
    expect(polynomialHash(new Uint8Array(16).fill(7), new Uint8Array(4096))).toEqual(new Uint8Array(16));
  });

  test('takes its list in pieces', () => {
    const key = new Uint8Array(16).fill(3);
    const list = Uint8Array.from({ length: 16 * 300 }, (_, i) => (i * 7) & 255);
    const pieces = new PolynomialHash(key).update(list.subarray(0, 16)).update(list.subarray(16, 16 * 200));
    expect(pieces.update(list.subarray(16 * 200)).finish()).toEqual(polynomialHash(key, list));
  });

  test('refuses a key or a block of the wrong length', () => {
    expect(() => polynomialHash(new Uint8Array(15), new Uint8Array(16))).toThrow(/16 bytes/);
    expect(() => polynomialHash(new Uint8Array(16), new Uint8Array(17))).toThrow(/whole blocks/);
  });
});
