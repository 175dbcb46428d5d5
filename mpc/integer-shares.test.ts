import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_LIMIT, CellVector } from './cells.ts';
import { blindingMask, maskedChunks, maskScalar, type Mask } from './masks.ts';
import { ShareSum } from './share-sum.ts';
import { seededRandom } from './testing/world.ts';

const mod = (x: bigint): bigint => BigInt.asUintN(128, x);
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const cell = fc.oneof(
  fc.constantFrom(0n, -1n, 1n, CELL_LIMIT - 1n, 1n - CELL_LIMIT),
  fc.bigInt(1n - CELL_LIMIT, CELL_LIMIT - 1n),
);
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const mask: fc.Arbitrary<Mask> = fc.record({ seed, sign: fc.constantFrom<1 | -1>(1, -1) });

const share = (cells: CellVector, masks: readonly Mask[], chunkCells?: number): Buffer =>
  Buffer.concat(Array.from(maskedChunks(cells, masks, chunkCells, '2^128'), (chunk) => Uint8Array.from(chunk)));
const decode = (bytes: Buffer): bigint[] =>
  Array.from(
    { length: bytes.length / 16 },
    (_, i) => bytes.readBigUInt64LE(16 * i) | (bytes.readBigUInt64LE(16 * i + 8) << 64n),
  );
/** PRG(seed), by the definition and one cipher for all. */
const prg = (key: Uint8Array, n: number): bigint[] =>
  decode(createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(16 * n)));

const long = CellVector.fromBigInts(Array.from({ length: 9000 }, (_, i) => (BigInt(i) - 4500n) << BigInt(i % 90)));
const random = seededRandom('integers');
const pair: Mask[] = [
  { seed: random(32), sign: 1 },
  { seed: random(32), sign: -1 },
];

describe('a share mod 2^128', () => {
  it('is the cells and the masks with their signs', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 30 }), fc.array(mask, { maxLength: 4 }), (values, masks) => {
        const expected = values.map((x, i) =>
          mod(masks.reduce((total, { seed, sign }) => total + BigInt(sign) * prg(seed, values.length)[i]!, x)),
        );
        expect(decode(share(CellVector.fromBigInts(values), masks, 7))).toEqual(expected);
      }),
    );
  });

  it('has the same bytes for any chunk size', () => {
    const expected = share(long, pair);
    expect(expected).toHaveLength(16 * 9000);
    for (const size of [1, 100, 2047, 2048, 2049, 4097, 8999, 9000, 1_000_000])
      expect(share(long, pair, size).equals(expected)).toBe(true);
  });

  it('leaves nothing in the memory that the next share is made in', () => {
    const abandoned = maskedChunks(long, pair, 1000, '2^128');
    const chunk = (abandoned.next().value as Uint8Array).subarray(0, 320);
    expect(chunk.some((byte) => byte !== 0)).toBe(true);
    abandoned.return();
    expect(chunk.every((byte) => byte === 0)).toBe(true);
  });

  it('masks the blinding with key stream that no cell takes', () => {
    const { seed } = pair[0]!;
    for (const cells of [0, 1, 2, 3, 8191, 8192]) {
      const stream = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16)).update(Buffer.alloc(16 * (cells + 4)));
      const at = stream.indexOf(blindingMask(seed, cells, '2^128').subarray(0, 31));
      expect(at).toBeGreaterThanOrEqual(16 * cells);
      expect(blindingMask(seed, cells, 'l')).toEqual(maskScalar(seed, cells));
    }
  });
});

describe('a sum of shares mod 2^128', () => {
  it('is the cells once the masks cancel, in chunks of any size and order', () => {
    const [one] = pair as [Mask, Mask];
    const [added, taken] = [share(long, [one]), share(long, [{ ...one, sign: -1 }])];
    const sum = new ShareSum(9000, '2^128');
    for (const size of [4096, 1000]) {
      const part = size === 1000 ? added : taken;
      const starts = Array.from({ length: Math.ceil(9000 / size) }, (_, i) => i * size);
      for (const at of size === 1000 ? starts.reverse() : starts)
        sum.add(at, part.subarray(16 * at, 16 * Math.min(9000, at + size)));
    }
    expect(sum.cells().toBigInts()).toEqual(long.toBigInts().map((x) => 2n * x));
  });

  it('refuses pieces of elements, what lies outside, and sums out of the range of cells', () => {
    const sum = new ShareSum(2, '2^128');
    expect(() => sum.add(0, new Uint8Array(15))).toThrow(code('BAD_LENGTH'));
    expect(() => sum.add(1, new Uint8Array(32))).toThrow(code('OUT_OF_RANGE'));
    expect(() => sum.total()).toThrow(code('OUT_OF_ORDER'));
    sum.add(0, new Uint8Array(32).fill(0x70));
    expect(() => sum.cells()).toThrow(code('OUT_OF_RANGE'));
  });
});
