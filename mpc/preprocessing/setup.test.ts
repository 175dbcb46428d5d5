import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { combineBits, xorAll } from '../testing/combine.ts';
import { dealSetups } from '../testing/rosters.ts';
import { corrupt, World } from '../testing/world.ts';
import { prepareStock } from './prepare.ts';
import { RosterSetup, setUpRoster } from './setup.ts';

describe('a setup', () => {
  test('among three, from base transfers on, serves a preparation; in the rounds and bytes of docs/preprocessing.md §8', async () => {
    const world = new World({ parties: 3, seed: 'setup', deadline: 60_000 });
    const rounds = new Set<string>();
    let bytes = 0;
    const channels = await Promise.all(world.roster.map((party) => world.channel(party)));
    corrupt(channels[0]!, (to, round, message) => {
      rounds.add(round);
      if (to === world.roster[1]) bytes += message.length;
      return message;
    });
    const setups = await Promise.all(
      channels.map((channel) => setUpRoster(channel, world.random(`${channel.self}/setup`))),
    );
    expect(rounds.size).toBe(12);
    expect(bytes).toBe(31_264 + 2 * 2048);
    expect(new Set(setups.map(({ id }) => Buffer.from(id).toString('hex'))).size).toBe(1);
    expect(setups.map(({ keyShare }) => keyShare[0]! & 1)).toEqual([1, 0, 0]);
    const stocks = await Promise.all(
      channels.map((channel, i) =>
        prepareStock(channel, RosterSetup.decode(setups[i]!.encode()), world.random(`${channel.self}/stock`), {
          triples: 128,
          random: 0,
          masks: new Map(),
        }),
      ),
    );
    const keys = setups.map(({ keyShare }) => keyShare);
    const taken = stocks.map((stock) => stock.triples(128));
    const [a, b, c] = (['a', 'b', 'c'] as const).map((which) =>
      combineBits(
        taken.map((triples) => triples[which]),
        keys,
      ),
    );
    expect(xorAll([c!])).toEqual(a!.map((byte, i) => byte & b![i]!));
  });

  test('comes back from its bytes, and no other bytes are taken for one', () => {
    const [setup] = dealSetups(['anna', 'bert', 'carl'], 'bytes');
    const encoded = setup!.encode();
    const back = RosterSetup.decode(encoded);
    expect(back.encode()).toEqual(encoded);
    expect(back.roster).toEqual(['anna', 'bert', 'carl']);
    const malformed = expect.objectContaining({ code: 'MALFORMED' }) as Error;
    for (const end of [0, 1, 33, 37, 60, encoded.length - 1]) {
      expect(() => RosterSetup.decode(encoded.subarray(0, end))).toThrow(malformed);
    }
    expect(() => RosterSetup.decode(Buffer.concat([encoded, Buffer.alloc(1)]))).toThrow(malformed);
    const { id, keyShare } = setup!;
    const pairs = new Map(['anna', 'bert'].map((peer) => [peer, seedsOf(setup!)]));
    const others = {
      unsorted: new RosterSetup(id, ['bert', 'anna'], 'anna', keyShare, pairs),
      'a party twice': new RosterSetup(id, ['anna', 'bert', 'bert'], 'anna', keyShare, pairs),
      'without its owner': new RosterSetup(id, ['anna', 'bert'], 'carl', keyShare, pairs),
      'of one': new RosterSetup(id, ['anna'], 'anna', keyShare, pairs),
    };
    for (const [what, other] of Object.entries(others)) {
      expect(() => RosterSetup.decode(other.encode()), what).toThrow(malformed);
    }
  });

  test('prints nothing secret', () => {
    const [setup] = dealSetups(['anna', 'bert'], 'print');
    for (const text of [inspect(setup), JSON.stringify(setup)])
      expect(text).toMatch(/^"?RosterSetup\(2 parties, redacted\)"?$/);
  });
});

const seedsOf = (setup: RosterSetup) => ({ holder: setup.holderSeeds('bert'), keeper: setup.keeperSeeds('bert') });
