import { describe, expect, test } from 'vitest';
import { releaseCircuit } from '../../mpc/boolean/circuits/release.ts';
import { decideRelease, releaseCost } from '../../mpc/release.ts';
import { evaluateInClear, pack, sitDown, unpack } from '../../mpc/testing/boolean.ts';
import { seededRandom, World } from '../../mpc/testing/world.ts';

const LANES = 2048;
const K = 10;

/**
 * The decision in each lane when the hospitals in `liars` enter random bits, inconsistent ones included, and the others
 * `honest[i]` in lane i's place.
 */
function decisions(
  n: number,
  coalition: number,
  zeroCells: 'open' | 'withhold',
  liars: readonly number[],
  honest: readonly (readonly number[])[],
): boolean[] {
  const { circuit, fields } = releaseCircuit({
    parties: n,
    threshold: BigInt(K),
    coalition,
    zeroCells,
    contributors: 0,
    lanes: LANES,
  });
  const random = seededRandom(`${n}/${coalition}/${zeroCells}/${liars.join()}`);
  const next = fields.map(() => 0);
  const rows = circuit.inputs.map(({ owner }) => {
    const place = owner as number;
    const { field, bit } = fields[place]![next[place]!++]!;
    if (liars.includes(place)) return random(LANES / 8);
    const of = (x: number): number =>
      ({
        value: x,
        raised: 2 ** Math.ceil(Math.log2(K)) - K + x,
        deficit: K - x,
        small: Number(x > 0 && x < K),
        present: Number(x > 0),
      })[field];
    return pack(
      honest.map((counts) => BigInt(of(Math.min(counts[place]!, K)) >> bit)),
      1,
      LANES,
    )[0]!;
  });
  return unpack(evaluateInClear(circuit, rows), LANES).map((bit) => bit === 1n);
}

/** Counts of the honest hospitals; those of liars are ignored. Some sums are small, some zero, some large. */
function someCounts(n: number, seed: string): number[][] {
  const random = seededRandom(seed);
  const below = (limit: number): number => random(1)[0]! % limit;
  return Array.from({ length: LANES }, () =>
    Array.from({ length: n }, () => [0, 0, below(4), below(12), 9][below(5)]!),
  );
}

/** Every set of `size` of the first n numbers. */
const sets = (n: number, size: number): number[][] =>
  size === 0
    ? [[]]
    : Array.from({ length: n }, (_, i) => i).flatMap((i) => sets(i, size - 1).map((set) => [...set, i]));

describe('hospitals that enter anything at all', () => {
  const cases = [2, 3, 4, 5, 6].flatMap((n) => [1, 2, 3].filter((t) => t < n).map((t) => [n, t] as const));
  test.each(cases)('of %i hospitals %i cannot let a cell through whose rest is small', (n, t) => {
    for (const zeroCells of ['open', 'withhold'] as const) {
      for (let size = 1; size <= t; size++) {
        for (const liars of sets(n, size).slice(0, 6)) {
          const honest = someCounts(n, `${n}/${size}`);
          const passes = decisions(n, t, zeroCells, liars, honest);
          const rests = honest.map((counts) =>
            counts.reduce((sum, count, place) => sum + (liars.includes(place) ? 0 : count), 0),
          );
          const broken = passes.filter((pass, lane) => pass && rests[lane]! > 0 && rests[lane]! < K);
          expect(broken).toHaveLength(0);
          // The test would notice a rule that lets nothing through at all.
          expect(passes.some((pass) => pass)).toBe(true);
        }
      }
    }
  });

  test('can with more than the rule counts on: two liars against coalitions of one', () => {
    const honest = someCounts(4, 'two liars');
    const passes = decisions(4, 1, 'open', [0, 1], honest);
    const small = honest.map(([, , a, b]) => a! + b! > 0 && a! + b! < K);
    expect(passes.some((pass, lane) => pass && small[lane]!)).toBe(true);
  });

  test('on shares: one that claims a great count gains nothing', async () => {
    const rule = { minimumCell: K, coalition: 1, zeroCells: 'open' as const };
    const world = new World({ parties: 3, seed: 'liar', deadline: 'idle' });
    const { sessions } = await sitDown(world, releaseCost(world.roster, 4, rule).stock);
    const inputs = [
      [3, 5, 10, 0],
      [4, 5, 0, 0],
      [1000, 1000, 1000, 1000],
    ];
    const decided = await Promise.all(sessions.map((session, i) => decideRelease(session, inputs[i]!, rule)));
    expect(decided[0]).toEqual([false, true, true, true]);
  });
});
