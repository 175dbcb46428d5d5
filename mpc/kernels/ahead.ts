import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  BATCH,
  batchMemory,
  deriveBatch,
  derivedGenerators,
  loadGenerators,
  reserveGenerators,
  setDerived,
} from './generators.ts';

/** What the two threads share: the number of the next batch that nobody has taken, and the end of them. */
export interface SharedWork {
  readonly next: Int32Array;
  readonly end: number;
}

/** A batch as the other thread derived it. */
export interface DerivedBatch {
  readonly batch: number;
  readonly niels: Uint8Array;
}

/** For fewer, a thread takes longer to start than they take to derive. */
const WORTH_A_THREAD = 4096;
/** The count may come from a file that nobody has checked yet: more than these are derived when they are needed. */
const MOST_AHEAD = 2 ** 17;

let running: Derivation | undefined;

/**
 * Begins to derive `count` generators on another thread, as far as the table does not have them, while this one does something
 * else: loads modules, replays a ledger. A hint: nothing is wrong when it is too small, too large, or never given.
 */
export function beginGenerators(count: number): void {
  const wanted = Math.min(count, MOST_AHEAD);
  if (running !== undefined || wanted < WORTH_A_THREAD) return;
  loadGenerators(wanted);
  const first = Math.floor(derivedGenerators() / BATCH);
  const end = Math.ceil(wanted / BATCH);
  if (end > first) running = new Derivation(first, end);
}

/** Derives, together with the other thread, what `beginGenerators` began. Cost: blocks this thread while it helps. */
export async function finishGenerators(): Promise<void> {
  await running?.finish();
  running = undefined;
}

/** The next batch of the work that nobody has taken; undefined when there is none. */
export function takeBatch({ next, end }: SharedWork): number | undefined {
  const batch = Atomics.add(next, 0, 1);
  return batch < end ? batch : undefined;
}

class Derivation {
  readonly #work: SharedWork;
  readonly #missing: Set<number>;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;

  constructor(first: number, end: number) {
    this.#work = { next: new Int32Array(new SharedArrayBuffer(4)), end };
    this.#work.next[0] = first;
    this.#missing = new Set(Array.from({ length: end - first }, (_, i) => first + i));
    reserveGenerators(BATCH * end);
    const thread = new URL(`./ahead-thread${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(thread, { workerData: this.#work });
    // A check that fails meanwhile ends the process without waiting for generators.
    this.#worker.unref();
    this.#ended = new Promise((resolve) => {
      this.#worker.on('message', ({ batch, niels }: DerivedBatch) => {
        batchMemory(BATCH * batch).set(niels);
        this.#missing.delete(batch);
        if (this.#missing.size === 0) resolve();
      });
      // A thread that could not start or broke down leaves batches missing.
      this.#worker.on('error', () => resolve());
      this.#worker.on('exit', () => resolve());
    });
  }

  async finish(): Promise<void> {
    this.#worker.ref();
    for (let batch = takeBatch(this.#work); batch !== undefined; batch = takeBatch(this.#work)) this.#derive(batch);
    if (this.#missing.size > 0) await this.#ended;
    for (const batch of this.#missing) this.#derive(batch);
    setDerived(BATCH * this.#work.end);
    this.#worker.unref();
  }

  #derive(batch: number): void {
    deriveBatch(BATCH * batch, BATCH, { end: BATCH * this.#work.end });
    this.#missing.delete(batch);
  }
}
