import { describe, expect, test } from 'vitest';
import { EVERYBODY, type Factors } from '../../mpc/boolean/holders.ts';
import type { StockDemand } from '../../mpc/boolean/stock.ts';
import { dealSetups } from '../../mpc/testing/rosters.ts';
import { corrupt } from '../../mpc/testing/world.ts';
import { anna, bert, flipBit, mallory } from './attack.ts';
import {
  expectNobodyGoesOn,
  expectNoStock,
  lyingToAll,
  prepareWith,
  ROUNDS,
  type Prepared,
  type Twist,
} from './preparation.ts';

/** Leaky triples of 128 that are not: first those of the wide ones, then those of the narrow ones. */
const LEAKY = 6 * 128;
const ROW_BITS = 128;

const wants = (factors: Factors): StockDemand => ({
  triples: 256,
  narrow: [{ factors, count: 128 }],
  random: 0,
  masks: new Map(),
});
/** Bits that bert alone knows, times bits of all: anna, bert and mallory are places 0, 1 and 2. */
const ofBert = wants({ a: 0b010, b: EVERYBODY });

const cheat = (seed: string, need: StockDemand, twist: Twist): Promise<ReadonlyMap<string, Prepared>> =>
  prepareWith(seed, (channel) => corrupt(channel, twist), { need: () => need });

/** Changes the products sent to bert of these narrow triples. */
const changeProducts =
  (...triples: readonly number[]): Twist =>
  (to, round, message) =>
    to === bert && round === ROUNDS.products
      ? triples.reduce((changed, triple) => flipBit(changed, ROW_BITS * (LEAKY + triple) + 40), message)
      : message;

const wentOn = (outcomes: ReadonlyMap<string, Prepared>): boolean =>
  [...outcomes.values()].every(({ status }) => status === 'fulfilled');

describe('a hospital that cheats in triples whose factors some alone have bits of', () => {
  test('by wrong products for many of them is caught by everybody', async () => {
    const many = changeProducts(...Array.from({ length: 100 }, (_, i) => i));
    const outcomes = await cheat('many', ofBert, many);
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'TRIPLE_CHECK', undefined);
  });

  test('by a wrong product for one of them is caught half of the time: when the bit it guessed at is one', async () => {
    let caught = 0;
    const runs = 32;
    for (let run = 0; run < runs; run++) {
      if (!wentOn(await cheat(`one of ${run}`, ofBert, changeProducts(run)))) caught++;
    }
    // Outside these bounds once in 5000 by chance; the seeds are fixed.
    expect(caught).toBeGreaterThan(5);
    expect(caught).toBeLessThan(27);
  });

  test('by products for somebody who has no bit of that factor is named by it', async () => {
    const outcomes = await cheat('products for anna', ofBert, (to, round, message) =>
      to === anna && round === ROUNDS.products ? Buffer.concat([message, Buffer.alloc(16 * LEAKY)]) : message,
    );
    expectNoStock(outcomes, anna, 'FORGED_FRAME', mallory);
    expectNobodyGoesOn(outcomes, anna, bert);
  });

  test('by bits of its own in them is named', async () => {
    const outcomes = await cheat('bits of its own', wants({ a: 0b001, b: 0b010 }), (to, round, message) =>
      to === bert && round === ROUNDS.corrections ? Buffer.concat([message, Buffer.alloc(8 * LEAKY)]) : message,
    );
    expectNoStock(outcomes, bert, 'FORGED_FRAME', mallory);
    expectNobodyGoesOn(outcomes, anna, bert);
  });

  test('by lowest bits of all global keys that add up to zero is caught, even where all factors are its own', async () => {
    const outcomes = await prepareWith('lowest bit', (channel) => channel, {
      need: () => wants({ a: 0b100, b: 0b100 }),
      setups: (roster) =>
        dealSetups(roster, 'lowest bit', (party) => (party === mallory ? new Uint8Array(16).fill(1) : undefined)),
    });
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'TRIPLE_CHECK', undefined);
  });

  test('by a wrong share of what their buckets open is caught', async () => {
    const ofWide = (5 * 128) / 8;
    const outcomes = await lyingToAll(
      ROUNDS.bucketOpening,
      (message) => (message[ofWide + 3]! ^= 4),
      () => prepareWith('opening', (channel) => channel, { need: () => ofBert }),
    );
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'MAC_CHECK', undefined);
  });

  test('by asking for other kinds of them than the rest is found out', async () => {
    const outcomes = await prepareWith('kinds', (channel) => channel, {
      need: (party) => (party === mallory ? wants({ a: 0b100, b: EVERYBODY }) : ofBert),
    });
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'EQUIVOCATION', mallory);
  });
});
