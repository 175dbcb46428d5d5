import { afterEach, describe, expect, test, vi } from 'vitest';
import { compute, sitDown } from '../testing/boolean.ts';
import { corrupt, World } from '../testing/world.ts';
import { CircuitBuilder } from './builder.ts';
import { evaluationCost } from './cost.ts';
import { ZeroShares } from './zero-share.ts';

const LANES = 128;
const RUNS = 80;
/** Bits of one lane that every party broadcasts: v, then d and e, then its shares of two outputs. */
const SEEN = 5;
const PARTIES = 3;

/** x0 x1 + x2, which needs a triple, and x0 + x1, which needs none. */
function circuit() {
  const builder = new CircuitBuilder();
  const [a, b, c] = [0, 1, 2].map((party) => builder.input(party, LANES));
  return builder.build([builder.xor(builder.and(a!, b!), c!), builder.xor(a!, b!)]);
}

/** Where in the messages the bits lie: round, and byte offset after echo and, in the first frame, the coin's commitment. */
const PLACES: readonly (readonly [string, number])[] = [
  ['boolean/0', 64],
  ['boolean/1', 32],
  ['boolean/1', 32 + LANES / 8],
  ['boolean/5', 32],
  ['boolean/5', 32 + LANES / 8],
];

/** How often each pattern of the 15 broadcast bits of a lane was seen, over all lanes and runs, by an adversary. */
async function histogram(inputs: readonly number[]): Promise<Float64Array> {
  const counts = new Float64Array(2 ** (SEEN * PARTIES));
  const computed = circuit();
  for (let run = 0; run < RUNS; run++) {
    const world = new World({ parties: PARTIES, seed: `${inputs.join()}/${run}`, deadline: 'idle' });
    const seen = new Map<string, Uint8Array>();
    const { sessions } = await sitDown(world, evaluationCost(computed, world.roster, 0).stock, {
      channel: (channel) =>
        corrupt(channel, (_, round, message) => {
          seen.set(`${channel.self}/${round}`, message);
          return message;
        }),
    });
    const own = inputs.map((bit) => [new Uint8Array(LANES / 8).fill(bit === 1 ? 0xff : 0)]);
    await Promise.all(sessions.map((session, i) => compute(session, computed, own[i]!)));
    const bits = world.roster.flatMap((party) =>
      PLACES.map(([round, offset]) => seen.get(`${party}/${round}`)!.subarray(offset, offset + LANES / 8)),
    );
    for (let lane = 0; lane < LANES; lane++) {
      const pattern = bits.reduce((word, row, i) => word | (((row[lane >> 3]! >> (lane & 7)) & 1) << i), 0);
      counts[pattern]!++;
    }
  }
  return counts;
}

/** Walsh-Hadamard: for each set of bits, how often their XOR is 0 less how often it is 1. */
function biases(counts: Float64Array): Float64Array {
  const bias = Float64Array.from(counts);
  for (let half = 1; half < bias.length; half *= 2) {
    for (let i = 0; i < bias.length; i++) {
      if ((i & half) !== 0) continue;
      const [a, b] = [bias[i]!, bias[i | half]!];
      bias[i] = a + b;
      bias[i | half] = a - b;
    }
  }
  return bias;
}

const SAMPLES = LANES * RUNS;
/** Standard deviations; one of 2^15 sums of coins lies beyond 5.5 with probability 0.001. The seeds are fixed. */
const LIMIT = 5.5;

/** Sets of bits whose XOR is distributed differently for two inputs, in the number of standard deviations. */
async function greatestDifference(one: readonly number[], two: readonly number[]): Promise<number> {
  const [a, b] = [biases(await histogram(one)), biases(await histogram(two))];
  return a.reduce((most, bias, set) => Math.max(most, Math.abs(bias - b[set]!) / Math.sqrt(2 * SAMPLES)), 0);
}

afterEach(() => vi.restoreAllMocks());

describe('what is broadcast', () => {
  // Outputs (x0 x1 + x2, x0 + x1) are equal for x0, x1 = 0, 1 and 1, 0.
  test('is distributed alike for inputs with the same outputs, in every XOR of its bits', async () => {
    expect(await greatestDifference([0, 1, 1], [1, 0, 1])).toBeLessThan(LIMIT);
  });

  test('opens d and e that are uniform, and shares that are', async () => {
    const bias = biases(await histogram([1, 0, 1]));
    const everyParty = (bit: number): number => (1 << bit) | (1 << (bit + SEEN)) | (1 << (bit + 2 * SEEN));
    for (const bit of [1, 2]) expect(Math.abs(bias[everyParty(bit)]!) / Math.sqrt(SAMPLES)).toBeLessThan(LIMIT);
    for (let bit = 0; bit < SEEN * PARTIES; bit++) {
      expect(Math.abs(bias[1 << bit]!) / Math.sqrt(SAMPLES)).toBeLessThan(LIMIT);
    }
    // The outputs themselves: 1 and 1, always.
    for (const bit of [3, 4]) expect(bias[everyParty(bit)]).toBe(-SAMPLES);
  });

  test('would show the inputs without shares of zero, and this test would notice', async () => {
    vi.spyOn(ZeroShares.prototype, 'addTo').mockImplementation(() => undefined);
    expect(await greatestDifference([0, 1, 1], [1, 0, 1])).toBeGreaterThan(50);
  });
});
