import { describe, expect, test } from 'vitest';
import { combineCoin } from '../../mpc/boolean/coin.ts';
import { polynomialHash } from '../../mpc/boolean/universal-hash.ts';
import { dealSetups } from '../../mpc/testing/rosters.ts';
import { corrupt } from '../../mpc/testing/world.ts';
import { anna, bert, flipBit, mallory } from './attack.ts';
import {
  ECHO,
  expectNobodyGoesOn,
  expectNoStock,
  prepareWith,
  ROUNDS,
  type Prepared,
  type Twist,
} from './preparation.ts';

/** Corrections are 64 columns, one for each two bits of the victim's key. */
const TREES = 64;

const cheat = (seed: string, twist: Twist, keyOfBert?: Uint8Array): Promise<ReadonlyMap<string, Prepared>> =>
  prepareWith(seed, (channel) => corrupt(channel, twist), {
    setups: (roster) => dealSetups(roster, seed, (party) => (party === bert && keyOfBert ? keyOfBert : undefined)),
  });

/** Changes bit `row` of the corrections to `victim`, in these columns. */
const changeRow =
  (victim: string, row: number, columns: (column: number) => boolean): Twist =>
  (to, round, message) => {
    if (to !== victim || round !== ROUNDS.corrections) return message;
    const stride = message.length / TREES;
    let changed = message;
    for (let column = 0; column < TREES; column++) {
      if (columns(column)) changed = flipBit(changed, 8 * stride * column + row);
    }
    return changed;
  };

describe('a hospital that changes the corrections of its bits', () => {
  test('in some columns is named by the victim', async () => {
    const outcomes = await cheat(
      'columns',
      changeRow(bert, 5, (column) => column % 2 === 0),
    );
    expectNoStock(outcomes, bert, 'COT_CHECK', mallory);
    expectNobodyGoesOn(outcomes, anna, bert);
  });

  test.each([
    [0b00, true],
    [0b01, false],
    [0b10, false],
    [0b11, false],
  ])('in one column goes on only if it guessed that the two key bits behind it are zero (%i)', async (bits, goesOn) => {
    const key = new Uint8Array(16).fill(0xa4);
    key[3] = (key[3]! & ~0b1100) | (bits << 2);
    const outcomes = await cheat(
      'guess',
      changeRow(bert, 77, (column) => column === 13),
      key,
    );
    if (goesOn) for (const { status } of outcomes.values()) expect(status).toBe('fulfilled');
    else expectNoStock(outcomes, bert, 'COT_CHECK', mallory);
  });

  test('in all columns, which is another bit towards one peer, is named by that peer', async () => {
    const outcomes = await cheat(
      'other bit',
      changeRow(bert, 9, () => true),
    );
    expectNoStock(outcomes, bert, 'COT_CHECK', mallory);
    expectNobodyGoesOn(outcomes, anna, bert);
  });

  test('in all columns, and tells each peer the hash of the bits it got, is caught by the echo', async () => {
    const row = 9;
    const outcomes = await prepareWith('two strings', (channel) => {
      const contributions = new Map<string, Uint8Array>();
      const receive = channel.receive.bind(channel);
      channel.receive = async (from, round) => {
        const message = await receive(from, round);
        if (round === `${ROUNDS.hashCoin}/open`) contributions.set(from, message.subarray(64));
        return message;
      };
      return corrupt(channel, (to, round, message) => {
        if (round === `${ROUNDS.hashCoin}/open`) contributions.set(mallory, message.subarray(64));
        if (round !== ROUNDS.bitsCheck || to !== bert) return changeRow(bert, row, () => true)(to, round, message);
        // The hash of what bert got: linear, so that of the honest bits and of the one changed bit add up.
        const change = new Uint8Array(bitsOfBlock / 8);
        change[row >> 3]! ^= 1 << (row & 7);
        const hash = polynomialHash(combineCoin(contributions.values()).subarray(0, 16), change);
        return message.map((byte, i) => (i >= ECHO && i < ECHO + 16 ? byte ^ hash[i - ECHO]! : byte));
      });
    });
    // Bert finds columns and bits consistent; that anna was told another hash shows one broadcast later.
    expectNoStock(outcomes, anna, 'EQUIVOCATION', bert);
    expectNoStock(outcomes, bert, 'EQUIVOCATION', anna);
  });

  test.each([
    ['hash of the bits', ECHO],
    ['digest of the columns', ECHO + 16],
  ])('or lies about the %s, is named by the victim', async (_, place) => {
    const outcomes = await cheat('hashes', (to, round, message) =>
      to === bert && round === ROUNDS.bitsCheck ? flipBit(message, 8 * place) : message,
    );
    expectNoStock(outcomes, bert, 'COT_CHECK', mallory);
  });

  test('or sends too few of them, is named by the victim', async () => {
    const outcomes = await cheat('short', (to, round, message) =>
      to === bert && round === ROUNDS.corrections ? message.subarray(1) : message,
    );
    expectNoStock(outcomes, bert, 'FORGED_FRAME', mallory);
  });
});

/** 768 leaky triples: two bits each, 128 that hide sums and 128 of the check. */
const bitsOfBlock = 2 * 768 + 256;
