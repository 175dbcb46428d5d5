import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { releaseCircuit } from './boolean/circuits/release.ts';
import { decideRelease, releaseCost, type GuardRule } from './release.ts';
import { evaluateInClear, pack, sitDown, unpack } from './testing/boolean.ts';
import { seededRandom, World } from './testing/world.ts';

/** The smallest rest that is not zero, without any set of at most `size` hospitals; undefined if there is none. */
function smallestRest(counts: readonly number[], size: number, first = 0, rest = sum(counts)): number | undefined {
  let least = rest > 0 ? rest : undefined;
  for (let i = first; size > 0 && i < counts.length; i++) {
    const other = smallestRest(counts, size - 1, i + 1, rest - counts[i]!);
    if (other !== undefined && (least === undefined || other < least)) least = other;
  }
  return least;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The rule as it is written, on counts in the clear. */
function passesInClear(counts: readonly number[], k: number, rule: GuardRule): boolean {
  const total = sum(counts);
  const large = total >= k || (total === 0 && rule.zeroCells === 'open');
  const contributors = counts.filter((count) => count > 0).length;
  return large && (smallestRest(counts, rule.coalition) ?? k) >= k && contributors >= (rule.minimumContributors ?? 0);
}

/** Counts around the threshold, zeros, and large ones. */
function counts(hospitals: number, guards: number, k: (guard: number) => number, seed: string): number[][] {
  const random = seededRandom(seed);
  const below = (n: number): number => Buffer.from(random(4)).readUInt32LE() % n;
  return Array.from({ length: hospitals }, () =>
    Array.from(
      { length: guards },
      (_, guard) => [0, 0, below(3), below(k(guard) + 2), k(guard), below(10 * k(guard))][below(6)]!,
    ),
  );
}

async function decide(world: World, inputs: readonly (readonly number[])[], rule: GuardRule): Promise<boolean[]> {
  const guards = inputs[0]!.length;
  const cost = releaseCost(world.roster, guards, rule);
  const { sessions, stocks } = await sitDown(world, cost.stock);
  const decisions = await Promise.all(
    sessions.map((session, i) =>
      decideRelease(session, i % 2 === 0 ? inputs[i]! : BigUint64Array.from(inputs[i]!, BigInt), rule),
    ),
  );
  for (const decision of decisions) expect(decision).toEqual(decisions[0]);
  expect(sessions[0]!.rounds).toBe(cost.rounds);
  expect(stocks.map((stock) => stock.left)).toEqual(stocks.map(() => 0));
  return decisions[0]!;
}

const rules = fc.record({
  n: fc.integer({ min: 2, max: 6 }),
  k: fc.integer({ min: 1, max: 20 }),
  coalition: fc.integer({ min: 0, max: 3 }),
  zeroCells: fc.constantFrom('open' as const, 'withhold' as const),
  contributors: fc.integer({ min: 0, max: 3 }),
  severalThresholds: fc.boolean(),
  seed: fc.string(),
});

describe('the release rule', () => {
  test('decided on shares is the rule in the clear', async () => {
    await fc.assert(
      fc.asyncProperty(rules, async ({ n, k, coalition, zeroCells, contributors, severalThresholds, seed }) => {
        const guards = 300;
        const thresholds = Array.from({ length: guards }, (_, i) => (severalThresholds ? 1 + ((k + i) % 13) : k));
        const rule: GuardRule = {
          minimumCell: severalThresholds ? thresholds : k,
          coalition,
          zeroCells,
          minimumContributors: Math.min(contributors, n),
        };
        const inputs = counts(n, guards, (guard) => thresholds[guard]!, seed);
        const world = new World({ parties: n, seed, deadline: 'idle' });
        const expected = thresholds.map((threshold, guard) =>
          passesInClear(
            inputs.map((column) => column[guard]!),
            threshold,
            rule,
          ),
        );
        expect(await decide(world, inputs, rule)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  }, 120_000);

  // The circuit alone, for more hospitals than sessions would be quick for.
  test.each([2, 3, 4, 5, 6, 7, 8].flatMap((n) => [0, 1, 2, 3].map((t) => [n, t] as const)))(
    'as a circuit for %i hospitals and coalitions of %i',
    (n, coalition) => {
      for (const zeroCells of ['open', 'withhold'] as const) {
        for (const k of [1, 2, 10, 11, 16]) {
          const rule: GuardRule = { minimumCell: k, coalition, zeroCells, minimumContributors: n > 2 ? 2 : 0 };
          const lanes = 512;
          const inputs = counts(n, lanes, () => k, `${n}/${k}`);
          const { circuit, fields } = releaseCircuit({
            parties: n,
            threshold: BigInt(k),
            coalition,
            zeroCells,
            contributors: rule.minimumContributors!,
            lanes,
          });
          const next = fields.map(() => 0);
          const rows = circuit.inputs.map(({ owner }) => {
            const place = owner as number;
            const { field, bit } = fields[place]![next[place]!++]!;
            const of = (x: number): number =>
              ({
                value: x,
                raised: 2 ** Math.ceil(Math.log2(k)) - k + x,
                deficit: k - x,
                small: Number(x > 0 && x < k),
                present: Number(x > 0),
              })[field];
            return pack(
              inputs[place]!.map((x) => BigInt(of(Math.min(x, k)) >> bit)),
              1,
              lanes,
            )[0]!;
          });
          const passes = unpack(evaluateInClear(circuit, rows), lanes).map((bit) => bit === 1n);
          const expected = passes.map((_, lane) =>
            passesInClear(
              inputs.map((column) => column[lane]!),
              k,
              rule,
            ),
          );
          expect(passes).toEqual(expected);
        }
      }
    },
  );

  test.each([0, 1])(
    'as a circuit is right for all counts of five hospitals up to ten, coalitions of %i',
    (coalition) => {
      const [n, k] = [5, 10];
      const vectors = (k + 1) ** n;
      const count = (place: number, lane: number): number => Math.floor(lane / (k + 1) ** place) % (k + 1);
      for (const zeroCells of ['open', 'withhold'] as const) {
        const rule: GuardRule = { minimumCell: k, coalition, zeroCells };
        const lanes = Math.ceil(vectors / 128) * 128;
        const { circuit, fields } = releaseCircuit({
          parties: n,
          threshold: BigInt(k),
          coalition,
          zeroCells,
          contributors: 0,
          lanes,
        });
        const next = fields.map(() => 0);
        const rows = circuit.inputs.map(({ owner }) => {
          const place = owner as number;
          const { field, bit } = fields[place]![next[place]!++]!;
          const row = new Uint8Array(lanes / 8);
          for (let lane = 0; lane < vectors; lane++) {
            const x = count(place, lane);
            const value = {
              value: x,
              raised: 2 ** Math.ceil(Math.log2(k)) - k + x,
              deficit: k - x,
              small: Number(x > 0 && x < k),
              present: Number(x > 0),
            };
            row[lane >> 3]! |= ((value[field] >> bit) & 1) << (lane & 7);
          }
          return row;
        });
        const [passes] = evaluateInClear(circuit, rows);
        let wrong = 0;
        for (let lane = 0; lane < vectors; lane++) {
          const counts = Array.from({ length: n }, (_, place) => count(place, lane));
          const passed = ((passes![lane >> 3]! >> (lane & 7)) & 1) === 1;
          if (passed !== passesInClear(counts, k, rule)) wrong++;
        }
        expect(wrong).toBe(0);
      }
    },
    120_000,
  );

  test('costs few ANDs for each guard', () => {
    const ands = (n: number, coalition: number, zeroCells: 'open' | 'withhold' = 'open'): number[] =>
      [10, 11].map((minimumCell) => {
        const roster = Array.from({ length: n }, (_, i) => String(i));
        return releaseCost(roster, 128, { minimumCell, coalition, zeroCells }).ands;
      });
    expect(ands(3, 0)).toEqual([10, 10]);
    expect(ands(3, 0, 'withhold')).toEqual([8, 8]);
    expect(ands(5, 0)).toEqual([20, 20]);
    expect(ands(3, 1)).toEqual([17, 17]);
    expect(ands(5, 1)).toEqual([55, 56]);
    expect(ands(8, 1)).toEqual([97, 98]);
    expect(ands(8, 3)).toEqual([177, 178]);
  });

  test('that cannot be decided is refused', () => {
    const roster = ['a', 'b', 'c'];
    const bad: GuardRule[] = [
      { minimumCell: 0, coalition: 1, zeroCells: 'open' },
      { minimumCell: 1.5, coalition: 1, zeroCells: 'open' },
      { minimumCell: [10], coalition: 1, zeroCells: 'open' },
      { minimumCell: 10, coalition: 4, zeroCells: 'open' },
      { minimumCell: 10, coalition: 1, zeroCells: 'open', minimumContributors: 4 },
    ];
    for (const rule of bad) expect(() => releaseCost(roster, 2, rule)).toThrow(/cannot be decided/);
    const rule: GuardRule = { minimumCell: 10, coalition: 1, zeroCells: 'open' };
    expect(() => releaseCost(['a'], 2, rule)).toThrow(/cannot be decided/);
  });

  test('takes a count beyond 32 bits for what it is', async () => {
    const world = new World({ parties: 2, seed: 'beyond', deadline: 'idle' });
    const rule: GuardRule = { minimumCell: 10, coalition: 0, zeroCells: 'withhold' };
    expect(
      await decide(
        world,
        [
          [0, 0],
          [2 ** 32, 2 ** 40 + 3],
        ],
        rule,
      ),
    ).toEqual([true, true]);
  });

  test('asked of a count below zero is refused before anything leaves', async () => {
    const world = new World({ parties: 2, seed: 'negative', deadline: 'idle' });
    const rule: GuardRule = { minimumCell: 10, coalition: 1, zeroCells: 'open' };
    const { sessions } = await sitDown(world, releaseCost(world.roster, 1, rule).stock);
    await expect(decideRelease(sessions[0]!, [-1], rule)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(decideRelease(sessions[0]!, [0.5], rule)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(sessions[0]!.rounds).toBe(0);
  });
});
