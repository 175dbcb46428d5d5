import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Workspace } from '../bitkernels/load.ts';
import { seededRandom } from '../testing/world.ts';
import { bucketSize, fewestFor, permute, planBatches } from './bucket.ts';

/** log2 of the probability that some bucket leaks throughout, for the worst numbers of leaky triples in the groups. */
function leakage(count: number, size: number): number {
  let worst = -Infinity;
  // By symmetry of the product the worst is among equal numbers; c 2^-c is largest at 1 and 2.
  for (let c = 1; c < 8; c++) worst = Math.max(worst, size * (Math.log2(c) - c) - (size - 1) * Math.log2(count));
  return worst;
}

describe('buckets', () => {
  test.each([128, 256, 512, 1024, 4096, 65536, 370_816, 1_000_000])('of %i triples keep the bound, just', (count) => {
    const size = bucketSize(count);
    expect(leakage(count, size)).toBeLessThanOrEqual(-40);
    if (size > 3) expect(leakage(count, size - 1)).toBeGreaterThan(-40);
  });

  test('of less than a lane have no safe size', () => {
    expect(() => bucketSize(127)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  test.each([3, 4, 5])('of size %i are safe from `fewestFor` on', (size) => {
    expect(bucketSize(fewestFor(size))).toBe(size);
    expect(bucketSize(fewestFor(size) - 128)).toBeGreaterThan(size);
  });

  test('are planned in whole lanes, from the fewest leaky triples, in parts that fit memory', () => {
    expect(planBatches(0)).toEqual([]);
    expect(planBatches(1)).toEqual([{ count: 128, size: 6 }]);
    expect(planBatches(4096)).toEqual([{ count: 4096, size: 4 }]);
    // Rounded up to where three suffice.
    expect(planBatches(300_000)).toEqual([{ count: 370_816, size: 3 }]);
    const million = planBatches(2_000_000);
    expect(million).toHaveLength(5);
    expect(million.every(({ count, size }) => count === 400_000 && size === 3)).toBe(true);
    for (const count of [1, 100, 5000, 100_000, 741_632, 3_000_000]) {
      const batches = planBatches(count);
      expect(batches.reduce((sum, batch) => sum + batch.count, 0)).toBeGreaterThanOrEqual(count);
      for (const batch of batches) {
        expect(batch.count % 128).toBe(0);
        expect(batch.size).toBeGreaterThanOrEqual(bucketSize(batch.count));
        expect(batch.count * batch.size).toBeLessThan(2_300_000);
      }
    }
  });
});

describe('the permutation', () => {
  const workspace = new Workspace();
  const draw = (count: number, seed: string): Uint32Array => {
    const mark = workspace.mark();
    const at = permute(workspace, seededRandom(seed)(32), count);
    workspace.release(mark);
    return new Uint32Array(workspace.copy(at, 4 * count).buffer);
  };

  test('holds every place once, and follows from its seed', () => {
    const places = draw(50_000, 'once');
    expect([...places].sort((a, b) => a - b).every((place, i) => place === i)).toBe(true);
    expect(draw(50_000, 'once')).toEqual(places);
    expect(draw(50_000, 'twice')).not.toEqual(places);
  });

  test('takes each of the 24 orders of four equally often', () => {
    const seen = new Map<string, number>();
    const draws = 4800;
    for (let i = 0; i < draws; i++) {
      const order = draw(4, `order ${i}`).join();
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    const expected = draws / 24;
    const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 23 degrees of freedom: exceeded once in 10,000 by chance; the seeds are fixed.
    expect(chiSquare).toBeLessThan(56);
  });

  test('is that of a plain Fisher-Yates with the same words', () => {
    const count = 1000;
    // Without rejections, which at this size are rarer than one in a million words.
    const places = Array.from({ length: count }, (_, i) => i);
    const words = Buffer.from(seededKeystream('plain', 4 * count));
    for (let at = count - 1, i = 0; at > 0; at--, i++) {
      const other = Number((BigInt(words.readUInt32LE(4 * i)) * BigInt(at + 1)) >> 32n);
      [places[at], places[other]] = [places[other]!, places[at]!];
    }
    expect([...draw(count, 'plain')]).toEqual(places);
  });
});

function seededKeystream(seed: string, bytes: number): Uint8Array {
  const key = seededRandom(seed)(32);
  return createCipheriv('aes-256-ctr', key, new Uint8Array(16)).update(new Uint8Array(bytes));
}
