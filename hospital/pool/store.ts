import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { discard, equalBytes, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { asHealthchainError, Fault, Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { PreparedStock } from '../../mpc/preprocessing/prepared-stock.ts';
import { RosterSetup } from '../../mpc/preprocessing/setup.ts';
import type { Claim, Holding } from './agreement.ts';
import { readJournal, writeJournal, type Batch, type JournalState } from './journal.ts';
import { SealedFile, syncFolder, type Unusable } from './sealed-file.ts';
import type { SliceShape } from './shape.ts';

const JOURNAL = 'journal';
const SETUP = 'setup';
const PREFIX = 'batch-';

/** The folder of a roster, by its name in the pool. */
export const rosterName = (roster: readonly string[]): string =>
  toHex(hashBytes(LABEL.poolRoster, ...roster.map((party) => Buffer.from(party)))).slice(0, 32);

/** Found when a roster's folder was opened: one of its files lies elsewhere than it was written. */
export type Found = RosterStore | 'moved' | undefined;

/**
 * What one roster keeps on disk between sessions: its setup, and batches of material in slices, each of which is handed out once.
 * All changes are on disk before the method returns. One process at a time (`Pool` holds the lock).
 */
export class RosterStore {
  readonly roster: readonly string[];
  readonly #folder: string;
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #log: Logger;
  #state: JournalState;
  #setup: RosterSetup | undefined;
  #closed = false;

  private constructor(folder: string, name: string, key: Uint8Array, log: Logger, state: JournalState) {
    this.#folder = folder;
    this.#name = name;
    this.#key = key;
    this.#log = log;
    this.#state = state;
    this.roster = state.roster;
  }

  static create(pool: string, roster: readonly string[], key: Uint8Array, log: Logger): RosterStore {
    const name = rosterName(roster);
    const folder = join(pool, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    syncFolder(pool);
    const store = new RosterStore(folder, name, key, log, {
      roster: [...roster],
      setup: null,
      inUse: null,
      batches: [],
    });
    store.#write({});
    return store;
  }

  /** Undefined for a folder that says nothing that can be believed; it is removed. */
  static open(pool: string, name: string, key: Uint8Array, log: Logger): Found {
    const folder = join(pool, name);
    const state = readJournal(join(folder, JOURNAL), key, `${name}/${JOURNAL}`);
    if (state === 'moved') return 'moved';
    if (typeof state === 'string' || rosterName(state.roster) !== name) {
      rmSync(folder, { recursive: true, force: true });
      log.warn(
        { folder: name },
        'stock made ahead without a readable journal was destroyed: it cannot be told what was spent',
      );
      return undefined;
    }
    const store = new RosterStore(folder, name, key, log, state);
    return store.#verify() === 'moved' ? 'moved' : store;
  }

  /** Looks at every file before any is used. */
  #verify(): 'moved' | undefined {
    const setup = this.#openSetup();
    const batches = this.#state.batches.map((batch) => [batch, this.#look(PREFIX + batch.id)] as const);
    if (setup === 'moved' || batches.some(([, found]) => found === 'moved')) return 'moved';
    if (this.#state.inUse !== null) {
      this.destroy('this node stopped in the middle of a session that used it');
      return undefined;
    }
    if (setup === undefined && this.#state.setup !== null) {
      this.destroy('its setup cannot be read');
      return undefined;
    }
    if (setup instanceof RosterSetup) this.#setup = setup;
    this.drop(batches.filter(([, found]) => found !== 'whole').map(([{ id }]) => id));
    this.#sweep();
    return undefined;
  }

  #openSetup(): RosterSetup | 'moved' | undefined {
    if (this.#state.setup === null) return undefined;
    const file = SealedFile.open(join(this.#folder, SETUP), this.#key, `${this.#name}/${SETUP}`);
    if (file === 'moved') return 'moved';
    if (typeof file === 'string') return undefined;
    try {
      const setup = RosterSetup.decode(file.read(0) ?? new Uint8Array(0));
      return toHex(setup.id) === this.#state.setup ? setup : undefined;
    } catch {
      return undefined;
    } finally {
      file.close();
    }
  }

  #look(file: string): 'whole' | Unusable {
    const opened = SealedFile.open(join(this.#folder, file), this.#key, `${this.#name}/${file}`);
    if (typeof opened === 'string') return opened;
    opened.close();
    return 'whole';
  }

  /** A crash may leave files that the journal does not name. */
  #sweep(): void {
    const known = new Set([JOURNAL, SETUP, ...this.#state.batches.map(({ id }) => PREFIX + id)]);
    if (this.#state.setup === null) known.delete(SETUP);
    for (const file of readdirSync(this.#folder)) {
      if (!known.has(file)) rmSync(join(this.#folder, file), { recursive: true, force: true });
    }
  }

  get setup(): RosterSetup | undefined {
    return this.#setup;
  }

  /** The session that uses it now. */
  get inUse(): string | null {
    return this.#state.inUse;
  }

  /** What of it was never handed out. */
  get holding(): Holding {
    return { setup: this.#state.setup, batches: this.#state.batches.filter(({ slices, next }) => next < slices) };
  }

  /** Triples that were never handed out. */
  get triples(): number {
    return this.holding.batches.reduce((sum, { slices, next, triples }) => sum + (slices - next) * triples, 0);
  }

  /** Notes that a session uses setup and stock from now on, and these slices as spent, whether it gets to use them or not. */
  claim(session: string, claims: readonly Claim[]): void {
    if (this.#state.inUse !== null && this.#state.inUse !== session) {
      throw new Misuse('OUT_OF_ORDER', 'another session uses this stock');
    }
    const batches = this.#state.batches.map((batch): Batch => {
      const claim = claims.find(({ id }) => id === batch.id);
      if (claim === undefined) return batch;
      if (claim.from < batch.next || claim.to > batch.slices || claim.from >= claim.to) {
        throw new Misuse('OUT_OF_STOCK', 'slices that were handed out before, or that are not there');
      }
      return { ...batch, next: claim.to };
    });
    this.#write({ inUse: session, batches });
  }

  /** Reads slices that `claim` noted, once. Errors: `Fault DISK` for a slice that does not open. */
  take(claims: readonly Claim[]): PreparedStock[] {
    const setup = this.#setup;
    if (setup === undefined) throw new Misuse('OUT_OF_ORDER', 'slices of no setup');
    return claims.flatMap(({ id, from, to }) => {
      const file = SealedFile.open(join(this.#folder, PREFIX + id), this.#key, `${this.#name}/${PREFIX}${id}`);
      if (typeof file === 'string') throw unreadable();
      try {
        return Array.from({ length: to - from }, (_, i) => {
          const record = file.read(from + i);
          file.erase(from + i);
          if (record === undefined) throw unreadable();
          const slice = PreparedStock.decode(record);
          discard(record);
          if (!equalBytes(slice.keyShare, setup.keyShare)) throw unreadable();
          return slice;
        });
      } finally {
        file.close();
      }
    });
  }

  /** The session used it to its end, and all checks of it passed here. */
  release(session: string): void {
    if (this.#state.inUse !== session) return;
    const spent = this.#state.batches.filter(({ slices, next }) => next >= slices);
    this.#write({ inUse: null, batches: this.#state.batches.filter((batch) => !spent.includes(batch)) });
    for (const { id } of spent) this.#remove(PREFIX + id);
  }

  keepSetup(setup: RosterSetup): void {
    SealedFile.write(join(this.#folder, SETUP), this.#key, `${this.#name}/${SETUP}`, [setup.encode()]);
    this.#write({ setup: toHex(setup.id) });
    this.#setup = setup;
  }

  addBatch(id: string, shape: SliceShape, slices: readonly PreparedStock[]): void {
    if (this.#state.batches.some((batch) => batch.id === id))
      throw new Misuse('OUT_OF_ORDER', 'a batch that is there already');
    SealedFile.write(
      join(this.#folder, PREFIX + id),
      this.#key,
      `${this.#name}/${PREFIX}${id}`,
      slices.map((slice) => slice.encode()),
    );
    const batch: Batch = { id, slices: slices.length, triples: shape.triples, masks: shape.masks, next: 0 };
    this.#write({ batches: [...this.#state.batches, batch] });
  }

  /** Batches that another hospital of the roster does not hold, or that cannot be read here. */
  drop(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#write({ batches: this.#state.batches.filter(({ id }) => !ids.includes(id)) });
    for (const id of ids) this.#remove(PREFIX + id);
    this.#log.warn(
      { roster: this.roster, batches: ids.length },
      'batches of stock made ahead dropped: not all hospitals hold them',
    );
  }

  /** Setup and all batches: nobody may use this key share again. That the roster was prepared for is remembered. */
  destroy(reason: string): void {
    const had = this.#state.setup !== null || this.#state.batches.length > 0;
    this.#setup = undefined;
    this.#state = { ...this.#state, setup: null, inUse: null, batches: [] };
    try {
      eraseSetup(join(this.#folder, SETUP), this.#key, `${this.#name}/${SETUP}`);
      for (const file of readdirSync(this.#folder)) if (file !== JOURNAL) this.#remove(file);
      syncFolder(this.#folder);
      this.#write({});
    } catch (error) {
      // Without its files the older journal counts for nothing at the next start.
      const { code } = asHealthchainError(
        error,
        (cause) => new Fault('DISK', 'cannot remove stock made ahead', { cause }),
      );
      this.#log.error(
        { code, roster: this.roster },
        'stock made ahead could not be removed in full; it is not used again',
      );
    }
    if (had) this.#log.warn({ roster: this.roster }, `stock made ahead destroyed: ${reason}`);
  }

  /** The lock on the pool is given up: nothing may change any more. */
  close(): void {
    this.#closed = true;
  }

  #remove(file: string): void {
    rmSync(join(this.#folder, file), { recursive: true, force: true });
  }

  /** Memory follows the disk, never the other way round. */
  #write(change: Partial<JournalState>): void {
    if (this.#closed) throw new Misuse('OUT_OF_ORDER', 'the pool is closed');
    const state = { ...this.#state, ...change };
    writeJournal(join(this.#folder, JOURNAL), this.#key, `${this.#name}/${JOURNAL}`, state);
    this.#state = state;
  }
}

function eraseSetup(path: string, key: Uint8Array, name: string): void {
  const file = SealedFile.open(path, key, name);
  if (typeof file === 'string') return;
  file.erase(0);
  file.close();
}

const unreadable = (): Fault =>
  new Fault('DISK', 'a slice of the stock made ahead cannot be read', {
    hint: 'Check the disk of the state folder. The stock of this roster is made anew.',
  });
