import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeOffer } from './agreement.ts';
import { Pool } from './pool.ts';
import { rosterName } from './store.ts';
import { Consortium, multiply, platformRandom, triplesIn } from './testing/pools.ts';
import type { Transport } from '../../mpc/transport.ts';

const SLICE = 4096;
const [anna, bert] = ['hospital-000', 'hospital-001'] as const;

let all: Consortium;
beforeEach(() => {
  all = new Consortium();
});
afterEach(() => all.close());

const held = (): number[] => all.roster.map((party) => all.pool(party).triplesOf(all.roster));
const setups = (): boolean[] => all.roster.map((party) => all.pool(party).status[0]?.setup ?? false);
const folderOf = (party: string): string => join(all.folder(party), 'pool', rosterName(all.roster));
const said = (): string => all.lines.join('');

describe('stock made ahead', () => {
  it('is taken from the store, each triple once, and works; what is missing is made under the same setup', async () => {
    all.plantSetups();
    await all.prepare(3 * SLICE);
    expect(held()).toEqual([3 * SLICE, 3 * SLICE, 3 * SLICE]);
    const seen = new Set<string>();
    let count = 0;
    // The second session finds two slices, the third one and makes the rest, the fourth none.
    for (const triples of [2560, SLICE + 128, 2 * SLICE, 128]) {
      const stocks = await all.take(all.demand(triples, 1152));
      const shares = stocks.map((stock) => stock.triples(triples));
      expect(multiply(shares)).toBe(true);
      expect(new Set(stocks.map(({ keyShare }) => keyShare[0]! & 1)).size).toBe(2);
      for (const stock of stocks) for (const party of all.roster) expect(stock.masks(party, 1152).length).toBe(1152);
      for (const name of triplesIn(shares[0]!)) seen.add(name);
      count += triples;
    }
    expect(seen.size).toBe(count);
    expect(held()).toEqual([0, 0, 0]);
    expect(setups()).toEqual([true, true, true]);
  });

  it('is there after a restart, and what was taken is not', async () => {
    all.plantSetups();
    await all.prepare(2 * SLICE);
    const [before] = await all.take(all.demand(SLICE));
    for (const party of all.roster) all.reopen(party);
    expect(held()).toEqual([SLICE, SLICE, SLICE]);
    const [after] = await all.take(all.demand(SLICE));
    const names = [before!, after!].flatMap((stock) => triplesIn(stock.triples(SLICE)));
    expect(new Set(names).size).toBe(2 * SLICE);
    expect(readdirSync(folderOf(anna)).filter((name) => name.startsWith('batch-'))).toEqual([]);
  });

  it('makes a setup in the first session that needs one, and uses it in the next', async () => {
    const [first] = await all.take(all.demand(128));
    expect(setups()).toEqual([true, true, true]);
    const [second] = await all.take(all.demand(128));
    expect(second!.keyShare).toEqual(first!.keyShare);
  }, 60_000);

  it('gives two sessions at once nothing in common: the later makes its own', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    const [one, two] = [all.session(), all.session()];
    const takes = [one, two].map((world) =>
      Promise.all(all.roster.map(async (party) => all.pool(party).stock(await world.channel(party), all.demand(128)))),
    );
    const [first, second] = await Promise.all(takes);
    expect(multiply(first!.map((stock) => stock.triples(128)))).toBe(true);
    expect(multiply(second!.map((stock) => stock.triples(128)))).toBe(true);
    expect(second![0]!.keyShare).not.toEqual(first![0]!.keyShare);
    for (const party of all.roster) for (const world of [one, two]) all.pool(party).finish(world.session);
    expect(setups()).toEqual([true, true, true]);
  }, 60_000);

  it('stops being made at a clean place when one has something else to do', async () => {
    all.plantSetups();
    let asked = 0;
    await all.prepare(200 * SLICE, (party) => party !== bert || asked++ < 1);
    expect(held()).toEqual([32 * SLICE, 32 * SLICE, 32 * SLICE]);
    expect(setups()).toEqual([true, true, true]);
  }, 60_000);
});

describe('a session that does not end well', () => {
  it('destroys setup and batches where it may have used them', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    const session = await all.hold(all.demand(128));
    for (const party of all.roster) all.pool(party).fail(session);
    expect(held()).toEqual([0, 0, 0]);
    expect(setups()).toEqual([false, false, false]);
    expect(readdirSync(folderOf(anna))).toEqual(['journal']);
    expect(said()).toContain('stock made ahead destroyed');
  });

  it('costs nothing where it ended before it used any', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    await expect(
      all.take(all.demand(128), { world: all.session(({ frame, place }) => (place > 0 ? [] : [frame])) }),
    ).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(held()).toEqual([SLICE, SLICE, SLICE]);
  });

  it('destroys too where the node is stopped meanwhile; the others learn of it in the next session, and drop theirs', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    const session = await all.hold(all.demand(128));
    for (const party of [bert, 'hospital-002']) all.pool(party).finish(session);
    all.reopen(anna);
    expect(setups()).toEqual([false, true, true]);
    await all.take(all.demand(128));
    expect(said()).toContain('not all hospitals hold its setup');
    expect(held()).toEqual([0, 0, 0]);
  }, 60_000);
});

/** What a party says in the first round of taking stock, replaced. */
const lying =
  (liar: string, offer: () => Uint8Array, to: (peer: string) => boolean = () => true) =>
  (channel: Transport): Transport =>
    channel.self !== liar
      ? channel
      : {
          session: channel.session,
          self: channel.self,
          peers: channel.peers,
          send: (peer, round, message) =>
            channel.send(peer, round, round.endsWith('/offer') && to(peer) ? offer() : message),
          receive: (from, round) => channel.receive(from, round),
        };

describe('a hospital that lies about its stock', () => {
  const holding = (party: string) => {
    const session = 'b'.repeat(64);
    const { store } = all.pool(party).leaseForPreparing(session, all.roster)!;
    all.pool(party).finish(session);
    return store!.holding;
  };

  const offerAt = (next: number): Uint8Array => {
    const { setup, batches } = holding(bert);
    return encodeOffer({ setup, batches: batches.map((batch) => ({ ...batch, next })) });
  };

  it('cannot bring a spent triple back: the greatest position counts', async () => {
    all.plantSetups();
    await all.prepare(4 * SLICE);
    const [first] = await all.take(all.demand(SLICE));
    const offer = offerAt(0);
    const outcome = all.take(all.demand(SLICE), { transport: lying(bert, () => offer) });
    await expect(outcome).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    const names = new Set(triplesIn(first!.triples(SLICE)));
    expect(names.size).toBe(SLICE);
    // Whatever was claimed in vain stays spent, and here all of it is gone.
    expect(held()).toEqual([0, 0, 0]);
  });

  /** As after a rollback of its whole disk, which this hospital cannot notice; or as a liar that is consistent. */
  const believing = (party: string, next: number): void => {
    const session = 'd'.repeat(64);
    const { store } = all.pool(party).leaseForPreparing(session, all.roster)!;
    all.pool(party).finish(session);
    const { setup, batches } = store!.holding;
    const older = { setup, batches: batches.map((batch) => ({ ...batch, next })) };
    Object.defineProperty(store, 'holding', { configurable: true, get: () => older });
  };

  it('is brought forward by the others when its disk was set back', async () => {
    all.plantSetups();
    await all.prepare(4 * SLICE);
    const [first] = await all.take(all.demand(SLICE));
    believing(bert, 0);
    const second = await all.take(all.demand(SLICE));
    expect(multiply(second.map((stock) => stock.triples(SLICE)))).toBe(true);
    expect(held()[0]).toBe(2 * SLICE);
    const [again] = await all.take(all.demand(SLICE));
    const names = [first!, again!].flatMap((stock) => triplesIn(stock.triples(SLICE)));
    expect(new Set(names).size).toBe(2 * SLICE);
  });

  it('only wastes by naming a later position', async () => {
    all.plantSetups();
    await all.prepare(4 * SLICE);
    believing(bert, 3);
    const stocks = await all.take(all.demand(SLICE));
    expect(multiply(stocks.map((stock) => stock.triples(SLICE)))).toBe(true);
    expect(all.pool(anna).triplesOf(all.roster)).toBe(0);
  });

  it('cannot tell two hospitals different positions', async () => {
    all.plantSetups();
    await all.prepare(4 * SLICE);
    const offer = offerAt(2);
    const outcome = all.take(all.demand(SLICE), {
      transport: lying(
        bert,
        () => offer,
        (peer) => peer === anna,
      ),
    });
    await expect(outcome).rejects.toMatchObject({ code: 'EQUIVOCATION' });
  });

  it('ends the session when it sends what is no offer', async () => {
    all.plantSetups();
    const outcome = all.take(all.demand(SLICE), { transport: lying(bert, () => new Uint8Array([9])) });
    await expect(outcome).rejects.toMatchObject({ code: 'FORGED_FRAME', party: bert });
    expect(setups()[0]).toBe(true);
  });
});

describe('what another process or a restored backup finds', () => {
  it('a second process on the same pool is refused, in clear words', () => {
    expect(() => Pool.open({ stateFolder: all.folder(anna), log: all.log, random: platformRandom })).toThrow(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('another process of this hospital') as string,
      }),
    );
  });

  const destroyed = async (change: (folder: string) => void): Promise<void> => {
    all.plantSetups();
    await all.prepare(SLICE);
    all.reopen(anna, () => change(all.folder(anna)));
    expect(all.pool(anna).status).toEqual([]);
    expect(said()).toContain('it is a copy, or was restored from a backup');
    expect(existsSync(folderOf(anna))).toBe(false);
  };
  const copy = (from: string, to: string): void => cpSync(from, to, { recursive: true, preserveTimestamps: true });

  it('a folder that was copied and put in its place', () =>
    destroyed((folder) => {
      copy(folder, `${folder}-backup`);
      rmSync(folder, { recursive: true });
      renameSync(`${folder}-backup`, folder);
    }));

  it('a copy elsewhere is destroyed, the original is not', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    copy(all.folder(anna), `${all.folder(anna)}-elsewhere`);
    const other = Pool.open({ stateFolder: `${all.folder(anna)}-elsewhere`, log: all.log, random: platformRandom });
    expect(other.status).toEqual([]);
    other.close();
    all.reopen(anna);
    expect(held()).toEqual([SLICE, SLICE, SLICE]);
  });

  it('an older journal put in the place of the newer', () =>
    destroyed((folder) => {
      const journal = join(folder, 'pool', rosterName(all.roster), 'journal');
      cpSync(journal, `${journal}-old`);
      rmSync(journal);
      renameSync(`${journal}-old`, journal);
    }));

  it('an older journal written into the newer one’s own file', async () => {
    all.plantSetups();
    await all.prepare(2 * SLICE);
    const journal = join(folderOf(anna), 'journal');
    const old = readFileSync(journal);
    await all.take(all.demand(128));
    const { ino } = statSync(journal);
    all.reopen(anna, () => writeFileSync(journal, old));
    expect(statSync(folderOf(bert)).isDirectory()).toBe(true);
    expect(ino).toBeGreaterThan(0);
    expect(all.pool(anna).status).toEqual([]);
    expect(said()).toContain('restored from a backup');
  });

  it('a key of another pool: nothing opens, and all is made anew', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    all.reopen(anna, () => writeFileSync(join(all.folder(anna), 'pool.key'), Buffer.alloc(32, 1)));
    expect(all.pool(anna).status).toEqual([]);
  });

  it('a torn batch is dropped by all in the next session, a torn setup or journal costs the roster’s stock', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    const [batch] = readdirSync(folderOf(anna)).filter((name) => name.startsWith('batch-'));
    const path = join(folderOf(anna), batch!);
    all.reopen(anna, () => writeFileSync(path, readFileSync(path).subarray(0, 60)));
    expect(held()).toEqual([0, SLICE, SLICE]);
    await all.take(all.demand(128));
    expect(held()).toEqual([0, 0, 0]);
    expect(setups()).toEqual([true, true, true]);
    all.reopen(anna, () => writeFileSync(join(folderOf(anna), 'setup'), 'torn'));
    expect(setups()).toEqual([false, true, true]);
    all.reopen(bert, () => writeFileSync(join(folderOf(bert), 'journal'), 'torn'));
    expect(all.pool(bert).status).toEqual([]);
    expect(existsSync(folderOf(bert))).toBe(false);
  });

  it('keeps keys and material from everyone else, and out of the log', async () => {
    all.plantSetups();
    await all.prepare(SLICE);
    const [stock] = await all.take(all.demand(128));
    const key = readFileSync(join(all.folder(anna), 'pool.key'));
    const secrets = [key, Buffer.from(stock!.keyShare), Buffer.from(stock!.triples(128).a.tags.subarray(0, 16))];
    all.pool(anna).fail('c'.repeat(64));
    for (const file of ['journal', 'setup', ...readdirSync(folderOf(anna))]) {
      const path = join(folderOf(anna), file);
      expect(statSync(path).mode & 0o077, file).toBe(0);
      for (const secret of secrets) expect(readFileSync(path).includes(secret), file).toBe(false);
    }
    expect(statSync(join(all.folder(anna), 'pool.key')).mode & 0o077).toBe(0);
    for (const secret of secrets) {
      for (const form of ['hex', 'base64'] as const) expect(said()).not.toContain(secret.toString(form));
    }
  });
});
