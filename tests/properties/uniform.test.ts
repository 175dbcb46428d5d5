import { describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { type Mask, maskedChunks } from '../../mpc/masks.ts';
import { seededRandom, World, type Passing } from '../../mpc/testing/world.ts';
import type { Modulus } from '../../protocol/session.ts';
import { runStep } from '../adversary/attack.ts';
import { agreed, MODULI, sealed } from '../adversary/shares.ts';

/** Pearson's statistic of counts that should be equal. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** 255 degrees of freedom exceed this once in 10^9 (Wilson-Hilferty); the seeds are fixed, so the test cannot flicker. */
const LIMIT_255 = 403;

describe('a summed share', () => {
  test.each(
    [
      ['nothing', 0n],
      ['a small count', 7n],
      ['a large negative sum', -(2n ** 100n)],
    ].flatMap(([name, value]) => MODULI.map((modulus) => [name, value, modulus] as [string, bigint, Modulus])),
  )('of %s (%i) is uniform over the seeds mod %s', (_, value, modulus) => {
    const random = seededRandom(`uniform/${value}`);
    const cells = CellVector.fromBigInts([value]);
    const [top, low] = [new Array<number>(256).fill(0), new Array<number>(256).fill(0)];
    for (let run = 0; run < 20_000; run++) {
      const masks: Mask[] = [
        { seed: random(32), sign: 1 },
        { seed: random(32), sign: -1 },
      ];
      for (const share of maskedChunks(cells, masks, 1, modulus)) {
        // The order is just above 2^252: bits 244 to 251 are the top ones.
        top[modulus === 'l' ? ((share[31]! << 4) | (share[30]! >> 4)) & 255 : share[15]!]!++;
        low[share[0]!]!++;
      }
    }
    expect(chiSquare(top)).toBeLessThan(LIMIT_255);
    expect(chiSquare(low)).toBeLessThan(LIMIT_255);
  });

  test('would fail this test without its masks', () => {
    const counts = new Array<number>(256).fill(0);
    for (let run = 0; run < 1000; run++)
      for (const share of maskedChunks(CellVector.fromBigInts([7n]), [])) counts[share[31]!]!++;
    expect(chiSquare(counts)).toBeGreaterThan(LIMIT_255);
  });
});

describe('what the relay sees', () => {
  const traffic = async (inputs: readonly (readonly bigint[])[]): Promise<string[]> => {
    const seen: string[] = [];
    const note = ({ from, to, place, frame }: Passing): Uint8Array[] => {
      seen.push(`${from}>${to} ${place} ${frame.length}`);
      return [frame];
    };
    const world = new World({ parties: 3, deadline: 'idle', seed: 'fixed', hook: note });
    await world.agree(inputs);
    return seen.sort();
  };

  test('has the same lengths, order and number whatever the inputs are', async () => {
    const zeros = await traffic([0n, 0n, 0n].map((x) => [x, x, x]));
    expect(
      await traffic([
        [1n, -1n, 2n ** 118n],
        [5n, 5n, 5n],
        [-(2n ** 118n), 0n, 9n],
      ]),
    ).toEqual(zeros);
    expect(zeros).toHaveLength(3 * 2 * 3);
  });

  test('has sealed shares of the same lengths whatever the inputs are', async () => {
    const lengths = async (values: readonly (readonly bigint[])[]): Promise<number[][]> => {
      const step = await agreed(values);
      // The numbers in the header are the plan's, not the hospital's.
      return [0, 1].map((place) => sealed(step, place).map((chunk) => chunk.length));
    };
    expect(
      await lengths([
        [0n, 0n],
        [0n, 0n],
      ]),
    ).toEqual(
      await lengths([
        [2n ** 118n, -1n],
        [77n, -(2n ** 90n)],
      ]),
    );
  });

  test('does not repeat a sealed byte string in another session of the same inputs', async () => {
    const seen = new Set<string>();
    let frames = 0;
    for (let run = 0; run < 3; run++) {
      const world = new World({
        parties: 3,
        deadline: 'idle',
        hook: ({ frame }) => {
          frames++;
          seen.add(Buffer.from(frame).toString('base64'));
          return [frame];
        },
      });
      await runStep(world);
    }
    // A hello goes to both peers alike; everything sealed is seen once.
    expect(seen.size).toBe(frames - 3 * 3);
  });
});
