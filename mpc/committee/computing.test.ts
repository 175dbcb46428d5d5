import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Circuit } from '../boolean/circuit.ts';
import { releaseCircuit } from '../boolean/circuits/release.ts';
import {
  computingCost,
  evaluationCost,
  fingerprintCost,
  firstFrameBytes,
  openingCost,
  totalCost,
  type Cost,
} from '../boolean/cost.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import { countDistinct, distinctCost } from '../order/distinct.ts';
import { findQuantiles, quantileCost } from '../order/quantile.ts';
import { decideRelease, releaseCost, type GuardRule } from '../release.ts';
import { evaluateInClear } from '../testing/boolean.ts';
import { sitInCommittee } from '../testing/committee.ts';
import { corrupt, seededRandom, World } from '../testing/world.ts';
import { Committee } from './committee.ts';
import { seatCircuit } from './seating.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The rule with zero cells open: every rest without at most t hospitals is 0 or reaches k. */
function passesInClear(counts: readonly number[], k: number, coalition: number): boolean {
  const total = sum(counts);
  if (total > 0 && total < k) return false;
  return coalition === 0 || counts.every((_, i) => passesInClear(counts.toSpliced(i, 1), k, coalition - 1));
}

/** Counts of which some are close to the threshold; one list for each hospital. */
function someCounts(hospitals: number, guards: number, k: number, seed: string): number[][] {
  const random = seededRandom(seed);
  const below = (n: number): number => Buffer.from(random(4)).readUInt32LE() % n;
  const column = (): number[] => {
    const scarce = below(2) === 0;
    return Array.from({ length: hospitals }, () => (scarce && below(4) > 0 ? 0 : below(k + 2)));
  };
  const columns = Array.from({ length: guards }, column);
  return Array.from({ length: hospitals }, (_, i) => columns.map((each) => each[i]!));
}

/** What all hospitals found, which is the same at each, with exactly the material of the members used up. */
async function together<T>(
  { hospitals, size, seed }: { hospitals: number; size: number; seed: string },
  cost: Cost | ((roster: readonly string[]) => Cost),
  find: (evaluator: Evaluator, place: number) => Promise<T>,
): Promise<T> {
  const world = new World({ parties: hospitals, seed, deadline: 'idle' });
  const due = typeof cost === 'function' ? cost(world.roster) : cost;
  const { evaluators, stocks } = await sitInCommittee(world, size, due);
  const found = await Promise.all(evaluators.map(find));
  for (const each of found) expect(each).toEqual(found[0]);
  expect(stocks.map(({ left }) => left)).toEqual(stocks.map(() => 0));
  return found[0]!;
}

describe('a committee decides for all hospitals', () => {
  const setting = fc.record({
    hospitals: fc.integer({ min: 9, max: 12 }),
    size: fc.integer({ min: 2, max: 4 }),
    k: fc.integer({ min: 1, max: 12 }),
    coalition: fc.integer({ min: 0, max: 2 }),
    seed: fc.string(),
  });

  test('which guards pass, as in the clear', async () => {
    await fc.assert(
      fc.asyncProperty(setting, async ({ hospitals, size, k, coalition, seed }) => {
        const guards = 150;
        const counts = someCounts(hospitals, guards, k, seed);
        const rule: GuardRule = { minimumCell: k, coalition, zeroCells: 'open' };
        const passes = await together(
          { hospitals, size, seed },
          (roster) => releaseCost(roster, guards, rule),
          (evaluator, i) => decideRelease(evaluator, counts[i]!, rule),
        );
        const column = (guard: number): number[] => counts.map((each) => each[guard]!);
        expect(passes).toEqual(passes.map((_, guard) => passesInClear(column(guard), k, coalition)));
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  test('with eight members, as it is set', async () => {
    const [hospitals, guards, k] = [10, 40, 10];
    const counts = someCounts(hospitals, guards, k, 'eight');
    const rule: GuardRule = { minimumCell: k, coalition: 1, zeroCells: 'open' };
    const passes = await together(
      { hospitals, size: 8, seed: 'eight' },
      (roster) => releaseCost(roster, guards, rule),
      (evaluator, i) => decideRelease(evaluator, counts[i]!, rule),
    );
    expect(passes).toEqual(
      passes.map((_, guard) =>
        passesInClear(
          counts.map((each) => each[guard]!),
          k,
          1,
        ),
      ),
    );
    expect(new Set(passes).size).toBe(2);
  });

  test('where quantiles lie, step by step', async () => {
    const random = seededRandom('quantiles');
    const values = Array.from({ length: 6 }, () => Array.from({ length: 9 }, () => random(1)[0]! % 50));
    const search = {
      probabilities: [
        { numerator: 1n, denominator: 2n },
        { numerator: 9n, denominator: 10n },
      ],
      gridSize: 50,
      greatestCount: 100n,
    };
    const found = await together(
      { hospitals: 6, size: 3, seed: 'quantiles' },
      (roster) => quantileCost(roster, search),
      (evaluator, i) =>
        findQuantiles(evaluator, search, [9n, 9n], (probes) =>
          probes.map((probe) => BigInt(values[i]!.filter((value) => value <= (probe ?? -1)).length)),
        ),
    );
    const pooled = values.flat().sort((a, b) => a - b);
    expect(found).toEqual([pooled[Math.ceil(54 / 2) - 1], pooled[Math.ceil((54 * 9) / 10) - 1]]);
  });

  test('how many different values there are', async () => {
    const bitmaps = Array.from({ length: 5 }, (_, i) => seededRandom(`distinct/${i}`)(32).map((byte) => byte & 0x11));
    const sketch = { groups: 1, bits: 256, minimum: 3 };
    const found = await together(
      { hospitals: 5, size: 3, seed: 'distinct' },
      (roster) => distinctCost(roster, sketch),
      (evaluator, i) => countDistinct(evaluator, sketch, [bitmaps[i]!]),
    );
    const union = bitmaps.reduce((all, each) => all.map((byte, i) => byte | each[i]!));
    expect(found).toEqual([union.reduce((ones, byte) => ones + byte.toString(2).replaceAll('0', '').length, 0)]);
  });
});

const circuitFor = (hospitals: number): Circuit =>
  releaseCircuit({ parties: hospitals, threshold: 10n, coalition: 1, zeroCells: 'open', contributors: 0, lanes: 256 })
    .circuit;

test('a seated circuit computes the same from shares', () => {
  const random = seededRandom('seated');
  const world = new World({ parties: 7, seed: 'seated' });
  const committee = new Committee(world.session, world.roster, random(32), 3);
  const circuit = circuitFor(7);
  const inputs = circuit.inputs.map(({ lanes }) => random(lanes / 8));
  const { circuit: seated, outputs, clientLanes } = seatCircuit(circuit, committee);
  const ofHospital = (party: string): Uint8Array[] =>
    inputs.filter((_, i) => world.roster[circuit.inputs[i]!.owner as number] === party);
  const ofMembers = inputs.filter((_, i) =>
    committee.members.includes(world.roster[circuit.inputs[i]!.owner as number]!),
  );
  const ofClients = committee.clients.flatMap((client, i) => {
    const whole = Buffer.concat([...ofHospital(client), Buffer.alloc(16)]);
    expect(whole).toHaveLength(clientLanes[i]! / 8 + 16);
    const [first, second] = [random(whole.length), random(whole.length)];
    return [first, second, whole.map((byte, at) => byte ^ first[at]! ^ second[at]!)];
  });
  expect(evaluateInClear(seated, [...ofMembers, ...ofClients]).slice(0, outputs)).toEqual(
    evaluateInClear(circuit, inputs),
  );
  expect(seated.triples).toBe(circuit.triples);
  expect(seated.depth).toBe(circuit.depth);
});

test('takes the rounds and bytes of the formula', async () => {
  const [hospitals, size] = [6, 3];
  const world = new World({ parties: hospitals, seed: 'bytes', deadline: 'idle' });
  const circuit = circuitFor(hospitals);
  const sent = new Map<string, number>();
  const messages = new Map<string, number>();
  const { committee, evaluators } = await sitInCommittee(world, size, computingCost(circuit, world.roster, 0), {
    channel: (channel) =>
      corrupt(channel, (to, _, message) => {
        const pair = `${channel.self}>${to}`;
        sent.set(pair, (sent.get(pair) ?? 0) + message.length);
        messages.set(pair, (messages.get(pair) ?? 0) + 1);
        return message;
      }),
  });
  const random = seededRandom('inputs');
  await Promise.all(
    evaluators.map((evaluator, i) => {
      const own = circuit.inputs.filter(({ owner }) => owner === i);
      return evaluator.compute(
        circuit,
        own.map(({ lanes }) => random(lanes / 8)),
      );
    }),
  );
  const { members, clients } = committee;
  const { circuit: seated } = seatCircuit(circuit, committee);
  const outputBytes = 256 / 8;
  members.forEach((member, place) => {
    const among = totalCost(
      evaluationCost(seated, members, place),
      fingerprintCost(size * clients.length),
      openingCost(8 * outputBytes),
    );
    expect(among.rounds).toBe(circuit.depth + 10);
    for (const peer of members) {
      if (peer === member) continue;
      expect(sent.get(`${member}>${peer}`)).toBe(among.bytes + firstFrameBytes(member < peer));
      expect(messages.get(`${member}>${peer}`)).toBe(among.rounds);
    }
    for (const client of clients) {
      const ownBytes = circuit.inputLanes(world.roster.indexOf(client)) / 8;
      expect(sent.get(`${member}>${client}`)).toBe(16 * (1 + size) + outputBytes);
      expect(sent.get(`${client}>${member}`)).toBe(ownBytes + 16 + 1);
    }
  });
  for (const one of clients) for (const other of clients) expect(sent.has(`${one}>${other}`)).toBe(false);
});
