import { describe, expect, test } from 'vitest';
import type { Channel } from '../../mpc/session/channel.ts';
import { World } from '../../mpc/testing/world.ts';
import { transcriptHash } from '../../protocol/session.ts';
import { anna, bert, expectError, expectNoShares, mallory, runStep, threeHospitals } from './attack.ts';

/** Mallory takes its mask seeds, to bert alone or to all, from elsewhere. */
function withSeeds(channel: Channel, seedOf: (peer: string) => Uint8Array, victims: readonly string[]): Channel {
  const honest = channel.maskSeed.bind(channel);
  channel.maskSeed = (peer, transcript) => (victims.includes(peer) ? seedOf(peer) : honest(peer, transcript));
  return channel;
}

describe('a hospital with another mask seed than agreed', () => {
  test('that it made up is named by the peer of that pair', async () => {
    const outcomes = await runStep(threeHospitals(), {
      channel: (party, honest) =>
        party === mallory ? withSeeds(honest, () => new Uint8Array(32).fill(1), [bert]) : honest,
    });
    expectError(outcomes, bert, 'Abort', 'SEED_MISMATCH', mallory);
    expectNoShares(outcomes, anna, bert);
  });

  test('of another step of the same session is named by everybody', async () => {
    const world = threeHospitals();
    const outcomes = await runStep(
      world,
      {
        channel: (party, honest) => {
          if (party !== mallory) return honest;
          const seed = honest.maskSeed.bind(honest);
          const earlier = transcriptHash(world.transcript(honest, [], 2, 0));
          return withSeeds(honest, (peer) => seed(peer, earlier), [anna, bert]);
        },
      },
      1,
    );
    expectError(outcomes, anna, 'Abort', 'SEED_MISMATCH', mallory);
    expectError(outcomes, bert, 'Abort', 'SEED_MISMATCH', mallory);
    expectNoShares(outcomes, anna, bert);
  });

  test('of an earlier session among the same hospitals is named by everybody', async () => {
    const before = threeHospitals();
    const seeds = new Map<string, Uint8Array>();
    await runStep(before, {
      channel: (party, honest) => {
        if (party !== mallory) return honest;
        const seed = honest.maskSeed.bind(honest);
        honest.maskSeed = (peer, transcript) => seeds.set(peer, seed(peer, transcript)).get(peer)!;
        return honest;
      },
    });
    const outcomes = await runStep(new World({ parties: 3, deadline: 'idle', sameMembers: before }), {
      channel: (party, honest) =>
        party === mallory ? withSeeds(honest, (peer) => seeds.get(peer)!, [anna, bert]) : honest,
    });
    expect(seeds.size).toBe(2);
    expectError(outcomes, anna, 'Abort', 'SEED_MISMATCH', mallory);
    expectError(outcomes, bert, 'Abort', 'SEED_MISMATCH', mallory);
    expectNoShares(outcomes, anna, bert);
  });

  test('cannot come from another session even where a random generator gave the same session keys twice', async () => {
    const world = new World({ parties: 2, deadline: 'idle', seed: 'repeated' });
    const again = new World({ parties: 2, deadline: 'idle', seed: 'repeated', sameMembers: world });
    const first = await Promise.all(world.roster.map((party) => world.channel(party)));
    const second = await Promise.all(
      again.roster.map((party) => again.channel(party, { ...again.setting(party), session: 'a'.repeat(64) })),
    );
    expect(second[0]!.exchangeKey.publicKey).toBe(first[0]!.exchangeKey.publicKey);
    const transcript = new Uint8Array(32);
    expect(second[0]!.maskSeed(bert, transcript)).toEqual(second[1]!.maskSeed(anna, transcript));
    expect(second[0]!.maskSeed(bert, transcript)).not.toEqual(first[0]!.maskSeed(bert, transcript));
  });

  test('differs in every pair, step, session and transcript when nobody cheats', async () => {
    const seen = new Set<string>();
    const worlds = [threeHospitals(), threeHospitals()];
    for (const world of worlds) {
      const channels = await Promise.all(world.roster.map((party) => world.channel(party)));
      for (const channel of channels) {
        for (const step of [0, 1]) {
          const hash = transcriptHash(world.transcript(channel, [], 2, step));
          for (const peer of channel.peers) seen.add(Buffer.from(channel.maskSeed(peer, hash)).toString('hex'));
        }
      }
    }
    // 2 sessions, 2 steps, 3 pairs; both ends of a pair hold the same seed.
    expect(seen.size).toBe(12);
  });
});
