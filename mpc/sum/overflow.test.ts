import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_LIMIT, CellVector } from '../cells.ts';
import { maskedChunks, type Mask } from '../masks.ts';
import { ScalarVector } from '../scalars.ts';
import { seededRandom } from '../testing/world.ts';
import { OVERFLOW_BYTES, OVERFLOW_LIMIT, overflowOf, scalarsOf } from './overflow.ts';

const masksOf = (seed: string, count: number): Mask[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => ({ seed: random(32), sign: i % 3 === 0 ? -1 : 1 }));
};
const bytesOf = (chunks: Iterable<Uint8Array>): Buffer =>
  Buffer.concat(Array.from(chunks, (chunk) => Uint8Array.from(chunk)));
const integers = (bytes: Buffer): bigint[] =>
  Array.from(
    { length: bytes.length / 16 },
    (_, i) => bytes.readBigUInt64LE(16 * i) | (bytes.readBigUInt64LE(16 * i + 8) << 64n),
  );

describe('the overflow of a share', () => {
  it('is what the share lacks of the cells and masks as whole numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(-(2n ** 80n), 2n ** 80n), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 12 }),
        fc.string(),
        (values, count, seed) => {
          const cells = CellVector.fromBigInts(values);
          const masks = masksOf(seed, count);
          const share = integers(bytesOf(maskedChunks(cells, masks, 7, '2^128')));
          const overflow = new Int16Array(new Uint8Array(overflowOf(cells, masks)).buffer);
          const zeros = CellVector.zeros(values.length);
          const plain = masks.map(({ seed, sign }) =>
            integers(bytesOf(maskedChunks(zeros, [{ seed, sign: 1 }], 7, '2^128'))).map((mask) => BigInt(sign) * mask),
          );
          values.forEach((value, i) => {
            const whole = plain.reduce((total, mask) => total + mask[i]!, value);
            expect(share[i]! + (BigInt(overflow[i]!) << 128n)).toBe(whole);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes over more than one block of masks', () => {
    const cells = CellVector.fromBigInts(Array.from({ length: 9000 }, (_, i) => BigInt(i) - 4500n));
    const masks = masksOf('long', 2);
    const scalars = scalarsOf(bytesOf(maskedChunks(cells, masks, 4096, '2^128')), overflowOf(cells, masks));
    for (const { seed, sign } of masks) {
      const mask = scalarsOf(bytesOf(maskedChunks(CellVector.zeros(9000), [{ seed, sign: 1 }], 4096, '2^128')));
      if (sign === 1) scalars.subtractInto(mask);
      else scalars.addInto(mask);
    }
    expect(scalars.bytes).toEqual(ScalarVector.fromCells(cells).bytes);
  });

  it('makes canonical scalars of whatever it is given', () => {
    const overflow = new Uint8Array(new Int16Array([-32768, -1, 0, 32767]).buffer);
    const scalars = scalarsOf(new Uint8Array(64).fill(255), overflow);
    expect(() => ScalarVector.fromBytes(scalars.bytes)).not.toThrow();
    expect(overflow).toHaveLength(4 * OVERFLOW_BYTES);
  });

  it('is not told of cells so large that it could tell something of them', () => {
    const at = (value: bigint) => () => overflowOf(CellVector.fromBigInts([value, -1n]), masksOf('large', 2));
    expect(at(OVERFLOW_LIMIT - 1n)).not.toThrow();
    const refused = expect.objectContaining({ kind: 'Refusal', code: 'POLICY' }) as Error;
    for (const value of [OVERFLOW_LIMIT, -OVERFLOW_LIMIT, CELL_LIMIT - 1n]) expect(at(value)).toThrow(refused);
  });
});
