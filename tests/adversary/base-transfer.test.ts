import { describe, expect, test } from 'vitest';
import { setUpRoster, type RosterSetup } from '../../mpc/preprocessing/setup.ts';
import { corrupt, World } from '../../mpc/testing/world.ts';
import { flipBit } from './attack.ts';
import type { Twist } from './preparation.ts';

/** Two hospitals set up; the second is the cheat. */
async function setUp(twist: Twist): Promise<PromiseSettledResult<RosterSetup>> {
  const world = new World({ parties: 2, seed: 'base transfers', deadline: 'idle' });
  const [outcome] = await Promise.allSettled(
    world.roster.map(async (party, i) => {
      const channel = await world.channel(party);
      return setUpRoster(i === 1 ? corrupt(channel, twist) : channel, world.random(party));
    }),
  );
  return outcome!;
}

const cheat = { code: 'BAD_BASE_OT', party: 'hospital-001' };

describe('a hospital that spoils the base transfers', () => {
  test.each([
    ['an offer that is no element', 'setup/transfers', (message: Uint8Array) => message.fill(255, 64, 96), cheat],
    ['an answer that is the identity', 'setup/transfers', (message: Uint8Array) => message.fill(0, 8192), cheat],
    ['a message cut short', 'setup/transfers', (message: Uint8Array) => message.subarray(1), { code: 'FORGED_FRAME' }],
    ['wrong sums of leaves', 'setup/trees', (message: Uint8Array) => flipBit(flipBit(message, 0), 256), cheat],
    ['a wrong sum of proofs', 'setup/trees', (message: Uint8Array) => flipBit(message, 8 * 64), cheat],
    ['trees and a byte more', 'setup/trees', (message: Uint8Array) => Buffer.concat([message, Buffer.alloc(1)]), cheat],
    ['a wrong hash of proofs', 'setup/trees', (message: Uint8Array) => flipBit(message, 8 * 6144), cheat],
  ])('with %s is named, and there is no setup', async (_, round, spoil, expected) => {
    const outcome = await setUp((__, sent, message) => (sent === round ? spoil(Uint8Array.from(message)) : message));
    expect(outcome.status).toBe('rejected');
    expect((outcome as PromiseRejectedResult).reason).toMatchObject(expected);
  });
});
