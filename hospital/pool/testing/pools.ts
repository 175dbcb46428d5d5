import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import type { Stock, StockDemand, Triples } from '../../../mpc/boolean/stock.ts';
import type { Transport } from '../../../mpc/transport.ts';
import { dealSetups } from '../../../mpc/testing/rosters.ts';
import { World, type RelayHook } from '../../../mpc/testing/world.ts';
import { makeAhead } from '../making.ts';
import { Pool } from '../pool.ts';
import { sliceDemand } from '../shape.ts';

export const platformRandom = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

/** Three hospitals, each with a pool in a folder of its own, that meet in as many sessions as a test needs. */
export class Consortium {
  readonly home: string;
  readonly members = new World({ parties: 3, deadline: 60_000 });
  readonly lines: string[] = [];
  readonly pools = new Map<string, Pool>();
  #sessions = 0;

  /** In a folder of its own, or where another process of the same test left one. */
  constructor(home = mkdtempSync(join(tmpdir(), 'healthchain-pool-'))) {
    this.home = home;
    for (const party of this.roster) this.open(party);
  }

  get roster(): readonly string[] {
    return this.members.roster;
  }
  get log(): Logger {
    return pino({ level: 'debug' }, { write: (line: string) => void this.lines.push(line) });
  }
  folder(party: string): string {
    return join(this.home, party);
  }
  pool(party: string): Pool {
    return this.pools.get(party)!;
  }

  open(party: string): Pool {
    const pool = Pool.open({ stateFolder: this.folder(party), log: this.log, random: platformRandom, patience: 5000 });
    this.pools.set(party, pool);
    return pool;
  }

  /** As a node is stopped and started again; `between` may do something to its folder. */
  reopen(party: string, between: () => void = () => undefined): Pool {
    this.pool(party).close();
    between();
    return this.open(party);
  }

  /** A session of all; `behave` may replace what a party sends through. */
  session(hook?: RelayHook): World {
    const seed = `${this.members.seed}/session-${this.#sessions++}`;
    return new World({
      parties: this.roster.length,
      deadline: 'idle',
      seed,
      sameMembers: this.members,
      ...(hook === undefined ? {} : { hook }),
    });
  }

  /** Base transfers take seconds: tests of what comes after are dealt their outcome. */
  plantSetups(seed = 'planted'): void {
    const session = 'a'.repeat(64);
    dealSetups(this.roster, seed).forEach((setup) => {
      const { store } = this.pool(setup.self).leaseForPreparing(session, this.roster)!;
      store!.claim(session, []);
      store!.keepSetup(setup);
      this.pool(setup.self).finish(session);
    });
  }

  /** All make stock ahead. */
  async prepare(triples: number, goOn: (party: string) => boolean = () => true): Promise<void> {
    const world = this.session();
    await Promise.all(
      this.roster.map(async (party) => {
        const channel = await world.channel(party);
        const lease = this.pool(party).leaseForPreparing(world.session, this.roster)!;
        const making = { target: triples, masksPerTriple: 1.4, goOn: () => goOn(party), made: () => undefined };
        await makeAhead(lease, channel, platformRandom, making);
        this.pool(party).finish(world.session);
      }),
    );
  }

  /** All take in one session, and end it well. Rejects with the first error, and then all fail. */
  async take(
    demand: StockDemand,
    { world = this.session(), transport = (channel: Transport): Transport => channel } = {},
  ): Promise<Stock[]> {
    const outcomes = await Promise.allSettled(
      this.roster.map(async (party) => this.pool(party).stock(transport(await world.channel(party)), demand)),
    );
    const error = outcomes.find(({ status }) => status === 'rejected');
    for (const party of this.roster) this.pool(party)[error === undefined ? 'finish' : 'fail'](world.session);
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  }

  /** All take in one session that does not end. Returns its id. */
  async hold(demand: StockDemand): Promise<string> {
    const world = this.session();
    const channels = await Promise.all(this.roster.map((party) => world.channel(party)));
    await Promise.all(channels.map((channel) => this.pool(channel.self).stock(channel, demand)));
    return world.session;
  }

  demand(triples: number, masks = 128): StockDemand {
    return sliceDemand({ triples, masks }, this.roster);
  }

  close(): void {
    for (const pool of this.pools.values()) pool.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** True when these are shares of triples: c = a AND b for all, and not all zero. */
export function multiply(shares: readonly Triples[]): boolean {
  const open = (of: 'a' | 'b' | 'c'): Uint8Array =>
    shares.map((share) => share[of].bits).reduce((sum, bits) => sum.map((byte, i) => byte ^ bits[i]!));
  const [a, b, c] = [open('a'), open('b'), open('c')];
  return c.every((byte, i) => byte === (a[i]! & b[i]!)) && c.some((byte) => byte !== 0);
}

/** Names of the triples of one party, for telling whether any is handed out twice: each tag of `a` is random. */
export function triplesIn({ a }: Triples): string[] {
  return Array.from({ length: a.length }, (_, i) => Buffer.from(a.tags.subarray(16 * i, 16 * i + 16)).toString('hex'));
}
