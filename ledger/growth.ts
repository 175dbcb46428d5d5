import type { Entry } from '../protocol/ledger.ts';

/** Wakes everybody who waits for a ledger to grow. */
export class Growth {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next `notify`, or when the signal ends the wait. */
  next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

/** A copy of a ledger that grows, until its source is caught lying. */
export interface Growing {
  readonly replica: { readonly size: number; readonly list: readonly Entry[] };
  readonly growth: Growth;
  /** Throws the `Abort` by which the source was caught, if it was. */
  requireHonest(): void;
}

/** The entries of a copy from one on, and those to come. Ends with the signal; throws when the source is caught lying. */
export async function* entriesOf(copy: Growing, from: number, ended: AbortSignal): AsyncGenerator<Entry> {
  const { replica, growth } = copy;
  for (let next = from; !ended.aborted;) {
    if (next < replica.size) {
      yield replica.list[next++]!;
      continue;
    }
    copy.requireHonest();
    await growth.next(ended);
  }
}
