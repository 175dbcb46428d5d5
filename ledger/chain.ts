import { Abort, HealthchainError } from '../protocol/errors.ts';
import { entryHash } from '../protocol/ledger-text.ts';
import type { Entry, SignedAction } from '../protocol/ledger.ts';
import { apply } from './contract/apply.ts';
import { actionDigest, type LedgerEvent, type Outcome } from './contract/call.ts';
import { BufferedState, MemoryState, type State } from './contract/state.ts';
import { MerkleTree, type Added, type CompactTree } from './merkle.ts';

const NO_PREVIOUS = '0'.repeat(64);

/** Where an action stands in the chain. */
export interface Place {
  readonly index: number;
  readonly id: string;
}

/** An entry that was made of an action. */
export interface Proposed {
  readonly entry: Entry;
  readonly id: string;
  /** What the action wrote to the state. */
  readonly writes: ReadonlyMap<string, string>;
}

interface Link {
  readonly entry: Entry;
  readonly hash: string;
  /** What its hash adds to the tree. */
  readonly added: Added;
  readonly digest: string;
  readonly id: string;
}

/**
 * The entries of one ledger with the state they lead to and the tree over them. It grows by stages: entries are tried
 * out on a `Stage` and taken over all at once, so that the chain never shows what is not yet durable (at the
 * operator) or not yet covered by a signed head (at a reader).
 */
export class Chain {
  readonly #state = new MemoryState();
  readonly #tree = new MerkleTree();
  readonly #entries: Entry[] = [];
  readonly #places = new Map<string, Place>();
  readonly #sessions = new Map<string, number>();
  readonly #completed = new Map<string, string>();
  #hash = NO_PREVIOUS;
  #consortium: string | undefined;

  get state(): State {
    return this.#state;
  }
  get entries(): readonly Entry[] {
    return this.#entries;
  }
  get tree(): Pick<MerkleTree, 'size' | 'rootAt' | 'inclusionProof' | 'consistencyProof'> {
    return this.#tree;
  }
  get size(): number {
    return this.#entries.length;
  }
  /** Hash of the founding entry; undefined while the chain is empty. */
  get consortium(): string | undefined {
    return this.#consortium;
  }
  /** Where an action that took effect stands. */
  find(signed: SignedAction): Place | undefined {
    return this.#places.get(actionDigest(signed));
  }

  /** Index of the entry that opened a session. */
  sessionOpenedAt(id: string): number | undefined {
    return this.#sessions.get(id);
  }

  /** Time of the entry that completed a session. */
  sessionCompletedAt(id: string): string | undefined {
    return this.#completed.get(id);
  }

  /** One stage at a time: a stage whose chain has grown since cannot commit. */
  stage(): Stage {
    const base = this.size;
    return new Stage({
      state: this.#state,
      tree: this.#tree.compact(),
      previous: this.#hash,
      consortium: this.#consortium,
      commit: async (state, links) => {
        if (this.size !== base) throw new Error('the chain grew under a stage');
        await state.flush();
        for (const link of links) this.#extend(link);
      },
    });
  }

  #extend({ entry, hash, added, digest, id }: Link): void {
    this.#consortium ??= hash;
    this.#hash = hash;
    const { action } = entry.signed;
    if (action.type === 'openSession') this.#sessions.set(id, entry.index);
    if (action.type === 'recordReceipt' && action.final) this.#completed.set(action.session, entry.time);
    this.#places.set(digest, { index: entry.index, id });
    this.#tree.grow(added);
    this.#entries.push(entry);
  }
}

interface Base {
  readonly state: MemoryState;
  readonly tree: CompactTree;
  readonly previous: string;
  readonly consortium: string | undefined;
  readonly commit: (state: BufferedState, links: readonly Link[]) => Promise<void>;
}

/** Entries that follow a chain and are not yet part of it. Dropping the stage undoes them. */
export class Stage {
  readonly #base: Base;
  readonly #state: BufferedState;
  readonly #links: Link[] = [];
  readonly #events: LedgerEvent[] = [];
  #previous: string;
  #consortium: string | undefined;

  constructor(base: Base) {
    this.#base = base;
    this.#state = new BufferedState(base.state);
    this.#previous = base.previous;
    this.#consortium = base.consortium;
  }

  get size(): number {
    return this.#base.tree.size;
  }
  get consortium(): string | undefined {
    return this.#consortium;
  }
  get state(): State {
    return this.#state;
  }
  /** What the staged entries changed. */
  get events(): readonly LedgerEvent[] {
    return this.#events;
  }
  /** Root over the chain and the staged entries. */
  root(): Uint8Array {
    return this.#base.tree.root();
  }

  /** Makes the next entry of an action. Rejects with the contract's own error, and stays as it was. */
  async propose(signed: SignedAction, time: string): Promise<Proposed> {
    const entry: Entry = { index: this.size, previous: this.#previous, time, signed };
    const writes = new Map<string, string>();
    const { id } = await this.#add(entry, entryHash(entry), writes);
    return { entry, id, writes };
  }

  /**
   * Takes an entry that somebody else claims to be the next. Rejects with `Abort FORGED_LEDGER` that names the entry
   * and the check it fails: place, link, signature or the contract's refusal.
   */
  async accept(entry: Entry): Promise<void> {
    if (entry.index !== this.size) throw forged(this.size, `it claims to be entry ${entry.index}`);
    if (entry.previous !== this.#previous) throw forged(entry.index, 'its link to the entry before does not hold');
    let hash: string;
    try {
      hash = entryHash(entry);
    } catch {
      throw forged(entry.index, 'a text in it is not Unicode');
    }
    try {
      await this.#add(entry, hash);
    } catch (cause) {
      if (!(cause instanceof HealthchainError)) throw cause;
      throw forged(entry.index, `the contract refuses it (${cause.code}: ${cause.message})`, cause);
    }
  }

  commit(): Promise<void> {
    return this.#base.commit(this.#state, this.#links);
  }

  async #add(entry: Entry, hash: string, writes?: Map<string, string>): Promise<Outcome> {
    const consortium = this.#consortium ?? hash;
    const state = writes === undefined ? this.#state : recording(this.#state, writes);
    const outcome = await apply(state, entry.signed, consortium);
    this.#consortium = consortium;
    this.#previous = hash;
    const added = this.#base.tree.append(Buffer.from(hash, 'hex'));
    this.#links.push({ entry, hash, added, digest: actionDigest(entry.signed), id: outcome.id });
    this.#events.push(...outcome.events);
    return outcome;
  }
}

const recording = (state: State, writes: Map<string, string>): State => ({
  get: (key) => state.get(key),
  list: (prefix) => state.list(prefix),
  put: (key, value) => {
    writes.set(key, value);
    return state.put(key, value);
  },
});

const forged = (index: number, check: string, cause?: unknown): Abort =>
  new Abort('FORGED_LEDGER', `entry ${index} of the ledger: ${check}`, {
    hint: 'Do not use this copy of the ledger; keep it as evidence and compare it with another member.',
    cause,
  });
