import { beforeAll, describe, expect, test } from 'vitest';
import { judge } from '../../mpc/sum/blame.ts';
import { seedHash, type AgreedInput } from '../../mpc/sum/party.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import { transcriptHash } from '../../protocol/session.ts';
import { anna, bert, mallory, runStep, threeHospitals } from './attack.ts';
import { agreed, blameCaseOfLiar, MODULI, type Agreed, type blameCase } from './shares.ts';

describe.each(MODULI)('mod %s', (modulus) => {
  let step: Agreed;
  beforeAll(async () => {
    step = await agreed([[1n], [2n], [3n]], { modulus });
  });

  const partyAt = (place: number): string => step.world.roster[place]!;

  /** The party at `liar` lies about its mask with `peer`, to make up for a wrong share; no seeds revealed yet. */
  function disputed(
    liar: number,
    peer: number,
  ): ReturnType<typeof blameCase> & { reveal: (of: number, seed?: Uint8Array) => void } {
    const of = blameCaseOfLiar(step, liar, peer);
    const reveal = (party: number, seed?: Uint8Array): void => {
      const other = party === liar ? peer : liar;
      const input: AgreedInput = step.inputs[party]!;
      of.seeds.set(`${partyAt(party)}/${partyAt(other)}`, seed ?? input.revealSeed(partyAt(other)));
    };
    return Object.assign(of, { reveal });
  }

  describe.each([
    ['lower', 0, 2],
    ['upper', 2, 0],
    ['lower', 0, 1],
    ['upper', 2, 1],
  ])('when the %s party of a pair (%i, with %i) lies about their mask', (_, liar, peer) => {
    const expectLiar = (of: ReturnType<typeof disputed>, check: 'MASK_FORGED' | 'SEED_FORGED'): void => {
      expect(judge(of)).toEqual({ kind: 'cheat', party: partyAt(liar), check });
    };

    test('both are asked for the seed, and nobody is named yet', () => {
      const pair = [partyAt(Math.min(liar, peer)), partyAt(Math.max(liar, peer))];
      expect(judge(disputed(liar, peer))).toEqual({ kind: 'dispute', pair });
    });
    test('the seed that the honest one reveals names the liar', () => {
      const of = disputed(liar, peer);
      of.reveal(peer);
      expectLiar(of, 'MASK_FORGED');
    });
    test('the seed that the liar reveals itself names it', () => {
      const of = disputed(liar, peer);
      of.reveal(liar);
      expectLiar(of, 'MASK_FORGED');
    });
    test('a forged seed does not move the blame when the honest one reveals too', () => {
      const of = disputed(liar, peer);
      of.reveal(peer);
      of.reveal(liar, new Uint8Array(32));
      expectLiar(of, 'MASK_FORGED');
    });
    test('a forged seed alone names who revealed it', () => {
      const of = disputed(liar, peer);
      of.reveal(liar, new Uint8Array(32));
      expectLiar(of, 'SEED_FORGED');
    });
    test.each([0, 31, 33])('a seed of %i bytes is a forged one', (length) => {
      const of = disputed(liar, peer);
      of.reveal(liar, new Uint8Array(length));
      expectLiar(of, 'SEED_FORGED');
    });
  });
});

test('two colluders that agreed on a seed of 31 bytes do not stop the judge', async () => {
  const short = new Uint8Array(31).fill(4);
  // Both give out the hash of a seed that is none; only their own pair is concerned, so nobody notices before blame.
  const world = threeHospitals();
  const outcomes = await runStep(world, {
    channel: (party, honest) => {
      if (party === anna) return honest;
      const seed = honest.maskSeed.bind(honest);
      honest.maskSeed = (peer, transcript) => (peer === anna ? seed(peer, transcript) : short);
      return honest;
    },
  });
  const inputs = [anna, bert, mallory].map((party) => {
    const outcome = outcomes.get(party)!;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  expect(inputs[1]!.seedHashes[1]).toEqual(seedHash(short));
  const statements = inputs.map((input, place) => {
    const identity = world.identities.get(world.roster[place]!)!;
    // Of their own pair, the two state elements that differ.
    const mask = (peer: string): string => toHex(input.maskCommitment(peer !== anna && place !== 0 ? anna : peer));
    const statement = {
      session: world.session,
      step: 0,
      party: world.roster[place]!,
      cells: 2,
      transcript: toHex(transcriptHash(input.transcript)),
      listDigests: input.listDigests.map(toHex),
      seedHashes: input.seedHashes.map(toHex),
      masks: input.channel.peers.map(mask),
      overflow: null,
    };
    const signature = toHex(identity.sign(LABEL.blameStatement, canonicalBytes(statement)));
    return [statement.party, { statement, publicKey: identity.publicKey, signature }] as const;
  });
  const verdict = judge({
    session: world.session,
    step: 0,
    cells: 2,
    modulus: 'l',
    roster: world.roster,
    agreement: inputs[0]!.agreement,
    outcome: undefined,
    commitments: [],
    identityKeys: (party) => [world.identities.get(party)!.publicKey],
    shares: new Map(),
    statements: new Map(statements),
    seeds: new Map([
      [`${bert}/${mallory}`, short],
      [`${mallory}/${bert}`, short],
    ]),
  });
  expect(verdict).toEqual({ kind: 'cheat', party: bert, check: 'SEED_FORGED' });
});
