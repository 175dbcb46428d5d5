import { describe, expect, test } from 'vitest';
import { seededRandom } from '../testing/world.ts';
import type { KeyPair } from './base-ot.ts';
import { growTrees, puncturedTrees, TREE_MESSAGE_BYTES, TREES } from './puncturable.ts';

const context = new Uint8Array(32).fill(2);
const random = seededRandom('trees');
const transfers: KeyPair[] = Array.from({ length: 2 * TREES }, () => [random(32), random(32)]);
const grown = growTrees(context, transfers);

/** The key whose every tree lacks leaf `missing`, and what its holder gets. */
function puncture(missing: number, message: Uint8Array): (readonly Uint8Array[])[] {
  const key = Array.from({ length: 2 * TREES }, (_, t) => (missing >> (t & 1)) & 1);
  const chosen = transfers.map((pair, t) => pair[1 - key[t]!]!);
  return puncturedTrees(context, key, chosen, message, 'mallory');
}

function flipped(place: number): Uint8Array {
  const message = Uint8Array.from(grown.message);
  message[place]! ^= 1;
  return message;
}

const refusal = expect.objectContaining({ code: 'BAD_BASE_OT', party: 'mallory' }) as Error;

describe('a tree of seeds', () => {
  test.each([0, 1, 2, 3])('gives all leaves but %i', (missing) => {
    puncture(missing, grown.message).forEach((seeds, tree) => {
      [1, 2, 3].forEach((y, i) => expect(seeds[i]).toEqual(grown.seeds[tree]![missing ^ y]));
    });
    expect(grown.message.length).toBe(TREE_MESSAGE_BYTES);
  });

  test('whose lower sum is changed goes on only at those who did not ask for it, and with the right seeds', () => {
    for (const bit of [0, 1]) {
      const message = flipped(32 * bit);
      for (const missing of [0, 1, 2, 3]) {
        // The receiver asks for the sum that its missing leaf is not in.
        if (missing >> 1 === bit) expect(puncture(missing, message)).toEqual(puncture(missing, grown.message));
        else expect(() => puncture(missing, message)).toThrow(refusal);
      }
    }
  });

  test.each([
    ['sum of proofs', 64],
    ['hash of all proofs', TREE_MESSAGE_BYTES - 1],
  ])('with a wrong %s is refused by everybody', (_, place) => {
    for (const missing of [0, 1, 2, 3]) expect(() => puncture(missing, flipped(place))).toThrow(refusal);
  });

  test('of a message of another length is refused', () => {
    expect(() => puncture(0, grown.message.subarray(1))).toThrow(refusal);
  });
});
