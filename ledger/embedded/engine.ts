import { setImmediate } from 'node:timers/promises';
import { Fault, Refusal } from '../../protocol/errors.ts';
import type { Identity } from '../../protocol/identity.ts';
import type { Entry, OperatorExport, SignedAction, TreeHead } from '../../protocol/ledger.ts';
import type { Chain, Stage } from '../chain.ts';
import { Growth } from '../growth.ts';
import { signHead } from '../heads.ts';
import type { FolderLock } from './lock.ts';
import type { EntryLog } from './log.ts';

export interface Recorded {
  readonly index: number;
  readonly id: string;
  readonly head: TreeHead;
}

interface Waiting {
  readonly signed: SignedAction;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: unknown) => void;
}

type Tried = { readonly of: Waiting } & ({ readonly entry: Entry; readonly id: string } | { readonly error: unknown });

/** What an opened folder holds. */
export interface EngineParts {
  readonly log: EntryLog;
  /** Holds every entry of the log. */
  readonly chain: Chain;
  readonly operator: Identity;
  readonly head: TreeHead;
  readonly lock: FolderLock;
  /** Keeps the newest head beside the log. */
  readonly keepHead: (head: TreeHead) => Promise<void>;
  /** Milliseconds since 1970, for the time in entries. */
  readonly clock: () => number;
}

/** Most actions that share one fsync: bounds the time that the first of them waits. */
const BATCH = 256;
/** Most actions that wait: beyond it the ledger says so instead of growing without bound. */
const QUEUE = 10_000;

/**
 * The embedded ledger of one operator: actions in one strict sequence through the contract to an append-only file.
 *
 * Actions that arrive while the disk is busy form the next batch: each is tried on top of the ones before it, all are
 * written and synced together, and only then do memory and the signed head follow and the callers hear of it. When
 * the disk fails, the whole batch is forgotten, in memory too.
 */
export class Engine {
  readonly #parts: EngineParts;
  readonly #queue: Waiting[] = [];
  #head: TreeHead;
  #working: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;
  #closed = false;
  /** Wakes whoever streams entries. */
  readonly growth = new Growth();

  /** See `openEngine`. */
  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#head = parts.head;
  }

  /** Resolves once the action is durable. Errors: the contract's `Refusal` or `Misuse`; `Refusal TOO_MANY`; `Fault DISK`. */
  submit(signed: SignedAction): Promise<Recorded> {
    if (this.#closed) return Promise.reject(new Fault('LEDGER_DOWN', 'the ledger is shutting down'));
    if (this.#queue.length >= QUEUE) {
      return Promise.reject(
        new Refusal('TOO_MANY', 'too many actions wait for the ledger', { hint: 'Try again in some seconds.' }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ signed, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  get consortium(): string {
    return this.#head.consortium;
  }
  get operator(): string {
    return this.#parts.operator.publicKey;
  }
  head(): TreeHead {
    return this.#head;
  }
  get entries(): readonly Entry[] {
    return this.#parts.chain.entries;
  }
  get tree(): Chain['tree'] {
    return this.#parts.chain.tree;
  }
  export(): OperatorExport {
    return { format: 'healthchain-ledger/1', head: this.#head, entries: [...this.entries] };
  }

  /** Finishes what was submitted, then lets go of file and folder. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#working;
    await this.#keeping;
    this.growth.notify();
    await this.#parts.log.close();
    this.#parts.lock.release();
  }
  get closed(): boolean {
    return this.#closed;
  }

  async #work(): Promise<void> {
    // One turn of the event loop later, so that submits made together share the first batch too.
    await setImmediate();
    while (this.#queue.length > 0) await this.#record(this.#queue.splice(0, BATCH));
    this.#working = undefined;
  }

  async #record(batch: readonly Waiting[]): Promise<void> {
    const stage = this.#parts.chain.stage();
    try {
      const tried = await this.#tryOut(stage, batch);
      const entries = tried.flatMap((each) => ('entry' in each ? [each.entry] : []));
      if (entries.length > 0) await this.#makeDurable(stage, entries);
      // Refusals wait for the disk too: one may rest on an action of the same batch that the disk then loses.
      for (const each of tried) {
        if ('entry' in each) each.of.resolve({ index: each.entry.index, id: each.id, head: this.#head });
        else each.of.reject(each.error);
      }
    } catch (error) {
      for (const each of batch) each.reject(error);
    }
  }

  async #tryOut(stage: Stage, batch: readonly Waiting[]): Promise<Tried[]> {
    const time = new Date(this.#parts.clock()).toISOString();
    const tried: Tried[] = [];
    for (const of of batch) {
      try {
        tried.push({ of, ...(await stage.propose(of.signed, time)) });
      } catch (error) {
        tried.push({ of, error });
      }
    }
    return tried;
  }

  async #makeDurable(stage: Stage, entries: readonly Entry[]): Promise<void> {
    await this.#parts.log.append(entries);
    await stage.commit();
    this.#head = signHead(this.#parts.operator, { consortium: this.consortium, size: stage.size, root: stage.root() });
    this.growth.notify();
    this.#keeping ??= this.#keep();
  }

  /** The entries are durable and the action is done: an older head beside the log is still one of its heads. */
  async #keep(): Promise<void> {
    for (let kept: TreeHead | undefined; kept !== this.#head;) {
      kept = this.#head;
      await this.#parts.keepHead(kept).catch(() => undefined);
    }
    this.#keeping = undefined;
  }
}
