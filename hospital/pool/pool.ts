import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { lockFolder, type FolderLock } from '../../ledger/embedded/lock.ts';
import type { Stock, StockDemand } from '../../mpc/boolean/stock.ts';
import { rosterOf } from '../../mpc/boolean/coin.ts';
import type { RandomSource, Transport } from '../../mpc/transport.ts';
import { Fault, Misuse } from '../../protocol/errors.ts';
import { makePoolKey, readPoolKey } from './key.ts';
import { Lease } from './lease.ts';
import { keepsBirths } from './place.ts';
import { rosterName, RosterStore } from './store.ts';
import { takeStock } from './taking.ts';

/** What a pool holds for one roster, for people to look at. */
export interface RosterStatus {
  readonly roster: readonly string[];
  readonly setup: boolean;
  /** Never handed out. */
  readonly triples: number;
}

export interface PoolOptions {
  readonly stateFolder: string;
  readonly log: Logger;
  readonly random: RandomSource;
  /** How long a query waits for preparing to come to a stop before it makes its own, in milliseconds. */
  readonly patience?: number;
}

const PATIENCE_MS = 20_000;

interface Holder {
  readonly session: string;
  readonly preparing: boolean;
}

/**
 * Setups and random authenticated material that were made ahead, one store for each roster, in the state folder
 * (docs/preprocessing.md §9). Nothing is handed out twice: not after a crash, not by two processes, and not
 * from a copy of the folder. Where that cannot be promised there is no stock, and sessions make their own.
 */
export class Pool {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #random: RandomSource;
  readonly #patience: number;
  readonly #lock: FolderLock;
  readonly #key: Uint8Array;
  readonly #keeps: boolean;
  readonly #stores = new Map<string, RosterStore>();
  readonly #holders = new Map<string, Holder>();
  readonly #leases = new Map<string, Lease>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  private constructor(options: PoolOptions, lock: FolderLock) {
    this.#folder = poolFolder(options.stateFolder);
    this.#log = options.log;
    this.#random = options.random;
    this.#patience = options.patience ?? PATIENCE_MS;
    this.#lock = lock;
    this.#keeps = keepsBirths(this.#folder);
    const key = readPoolKey(keyFile(options.stateFolder));
    if (key !== undefined && this.#keeps && this.#load(key)) {
      this.#key = key;
      return;
    }
    this.#removeAll();
    this.#key = makePoolKey(keyFile(options.stateFolder));
  }

  /**
   * Errors: `Misuse BAD_CONFIG` when another process uses the pool of this state folder; `Fault DISK`.
   */
  static open(options: PoolOptions): Pool {
    const folder = poolFolder(options.stateFolder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = lockPool(folder);
    try {
      return new Pool(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** False when any of it lies elsewhere than it was written. */
  #load(key: Uint8Array): boolean {
    for (const name of rosterFolders(this.#folder)) {
      const found = RosterStore.open(this.#folder, name, key, this.#log);
      if (found === 'moved') {
        this.#stores.clear();
        this.#log.warn(
          'stock made ahead was destroyed, all of it: it is a copy, or was restored from a backup, and could be spent twice',
        );
        return false;
      }
      if (found !== undefined) this.#stores.set(name, found);
    }
    return true;
  }

  #removeAll(): void {
    if (!this.#keeps)
      this.#log.warn('the file system of the state folder keeps no times of birth: no stock is kept between sessions');
    for (const name of rosterFolders(this.#folder)) rmSync(join(this.#folder, name), { recursive: true, force: true });
  }

  /**
   * What a session needs to compute on shares: from the store, or made with the others now. May be asked several times; `finish` or
   * `fail` is due at the end.
   *
   * Errors: see `takeStock`.
   */
  async stock(transport: Transport, demand: StockDemand): Promise<Stock> {
    return takeStock(await this.#leaseFor(transport), transport, this.#random, demand);
  }

  /** The session used what it took to the end of all checks: the store may be used again. */
  finish(session: string): void {
    this.#end(session, (lease) => lease.store?.release(session));
  }

  /** The session ended in an error: if it used the store, its key share may be known to others, who may just have gone silent. */
  fail(session: string): void {
    this.#end(session, (lease) => {
      if (lease.used) lease.store?.destroy('a session that used it did not end well');
    });
  }

  #end(session: string, act: (lease: Lease) => void): void {
    const lease = this.#leases.get(session);
    if (lease === undefined) return;
    this.#leases.delete(session);
    try {
      act(lease);
    } catch {
      lease.store?.destroy('its journal cannot be written');
    }
    if (lease.store !== undefined) this.#holders.delete(rosterName(lease.store.roster));
    for (const wake of [...this.#waiting]) wake();
  }

  async #leaseFor(transport: Transport): Promise<Lease> {
    if (this.#closed) throw new Fault('PEER_GONE', 'this node is shutting down');
    const known = this.#leases.get(transport.session);
    if (known !== undefined) return known;
    const roster = rosterOf(transport);
    await this.#untilPrepared(rosterName(roster));
    return this.#lend(roster, { session: transport.session, preparing: false });
  }

  /** For a session that prepares; undefined while the roster's store is in use. `finish` or `fail` is due at its end. */
  leaseForPreparing(session: string, roster: readonly string[]): Lease | undefined {
    if (this.#closed || !this.#keeps || this.#holders.has(rosterName(roster))) return undefined;
    return this.#lend(roster, { session, preparing: true });
  }

  #lend(roster: readonly string[], holder: Holder): Lease {
    const name = rosterName(roster);
    const free = this.#keeps && !this.#holders.has(name);
    if (free) this.#holders.set(name, holder);
    const lease = new Lease(holder.session, free ? this.#storeOf(roster) : undefined);
    this.#leases.set(holder.session, lease);
    return lease;
  }

  #storeOf(roster: readonly string[]): RosterStore {
    const name = rosterName(roster);
    const store = this.#stores.get(name) ?? RosterStore.create(this.#folder, roster, this.#key, this.#log);
    this.#stores.set(name, store);
    return store;
  }

  /** Preparing stops at its next clean place when a query comes. */
  async #untilPrepared(name: string): Promise<void> {
    const patience = AbortSignal.timeout(this.#patience);
    while (this.#holders.get(name)?.preparing === true && !patience.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          patience.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.add(done);
        patience.addEventListener('abort', done);
      });
    }
  }

  /** Rosters that were prepared for, or that took stock, before. */
  get rosters(): readonly (readonly string[])[] {
    return [...this.#stores.values()].map(({ roster }) => roster);
  }

  triplesOf(roster: readonly string[]): number {
    return this.#stores.get(rosterName(roster))?.triples ?? 0;
  }

  get status(): RosterStatus[] {
    return [...this.#stores.values()].map(statusOf);
  }

  /** Nothing may be taken from it any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of [...this.#leases.keys()]) this.fail(session);
    for (const store of this.#stores.values()) store.close();
    this.#lock.release();
  }
}

function lockPool(folder: string): FolderLock {
  try {
    return lockFolder(folder, 'process of this hospital');
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    throw new Misuse(error.code, error.message, {
      hint: 'A running node makes stock by itself while it is idle: healthchain hospital stock. A second node needs a state folder of its own.',
      cause: error,
    });
  }
}

export const statusOf = ({ roster, setup, triples }: RosterStore): RosterStatus => ({
  roster,
  setup: setup !== undefined,
  triples,
});

export const poolFolder = (stateFolder: string): string => join(stateFolder, 'pool');
export const keyFile = (stateFolder: string): string => join(stateFolder, 'pool.key');

export function rosterFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
