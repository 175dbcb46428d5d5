import { describe, expect, test } from 'vitest';
import { corrupt } from '../../mpc/testing/world.ts';
import { dealSetups } from '../../mpc/testing/rosters.ts';
import { anna, bert, flipBit, mallory } from './attack.ts';
import {
  ECHO,
  expectNobodyGoesOn,
  expectNoStock,
  lyingToAll,
  prepareWith,
  ROUNDS,
  someTriples,
  type Twist,
} from './preparation.ts';

const cheat = (seed: string, twist: Twist) => prepareWith(seed, (channel) => corrupt(channel, twist));

describe('a hospital that combines triples wrongly', () => {
  test('is what these tests compare with: nobody cheats, everybody holds a stock', async () => {
    for (const { status } of (await cheat('honest', (_, __, message) => message)).values()) {
      expect(status).toBe('fulfilled');
    }
  });

  test.each([0, 7, 639])('by one wrong bit that it opens (%i), is caught', async (bit) => {
    const outcomes = await lyingToAll(
      ROUNDS.bucketOpening,
      (message) => (message[bit >> 3]! ^= 1 << (bit & 7)),
      () => prepareWith('bucket', (channel) => channel),
    );
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'MAC_CHECK', undefined);
  });

  test('by opening different bits to different peers, is found out by the echo', async () => {
    const outcomes = await cheat('two buckets', (to, round, message) =>
      to === bert && round === ROUNDS.bucketOpening ? flipBit(message, 8 * ECHO) : message,
    );
    expectNoStock(outcomes, anna, 'EQUIVOCATION', bert);
    expectNobodyGoesOn(outcomes, anna, bert);
  });

  test('and opens another share of the zero than it committed to, is named', async () => {
    const outcomes = await cheat('tags', (_, round, message) =>
      round === `${ROUNDS.bucketZero}/open` ? flipBit(message, 8 * 64) : message,
    );
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'COMMITMENT', mallory);
  });

  test('or prepares something else than agreed, is named at once', async () => {
    const outcomes = await prepareWith('demand', (channel) => channel, {
      need: (party) => (party === mallory ? { ...someTriples, random: 128 } : someTriples),
    });
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'EQUIVOCATION', mallory);
  });

  test('or holds the setup of another session, is named at once', async () => {
    const outcomes = await prepareWith('setups', (channel) => channel, {
      setups: (roster) => [...dealSetups(roster, 'one').slice(0, 2), dealSetups(roster, 'other')[2]!],
    });
    for (const party of [anna, bert]) expectNoStock(outcomes, party, 'EQUIVOCATION', mallory);
  });
});
