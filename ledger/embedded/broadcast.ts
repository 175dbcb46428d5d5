import { canonicalBytes, canonicalText } from '../../protocol/canonical.ts';
import type { Entry, TreeHead } from '../../protocol/ledger.ts';
import type { Engine } from './engine.ts';
import { PAGE_BYTES, PAGE_ENTRIES } from './wire.ts';

/** What one more reader adds to the time between two batches. */
const PAUSE_PER_READER_MS = 0.3;
const LONGEST_PAUSE_MS = 100;

/**
 * What the streams of all readers have in common. After a quiet moment news leaves at once; what follows within the pause
 * leaves together under one head, because every batch costs every reader a signature check. Readers at the same place
 * share one text.
 */
export class Broadcast {
  readonly #engine: Engine;
  readonly #texts = new Map<number, string>();
  #readers = 0;
  #told: TreeHead | undefined;
  #quietUntil = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Counts one more reader until what it returns is called. */
  join(): () => void {
    this.#readers += 1;
    return () => (this.#readers -= 1);
  }

  /** Milliseconds until the next batch may leave. */
  wait(): number {
    if (this.#told === this.#engine.head()) return 0;
    return Math.max(0, this.#quietUntil - performance.now());
  }

  /** The present head, and what it adds to the first `from` entries; a reader far behind fetches the rest page by page. */
  batch(from: number): { readonly size: number; readonly text: string } {
    const head = this.#engine.head();
    if (this.#told !== head) this.#begin(head);
    let text = this.#texts.get(from);
    if (text === undefined) {
      text = canonicalText({ entries: pageOf(this.#engine.entries, from, PAGE_ENTRIES), head });
      this.#texts.set(from, text);
    }
    return { size: head.size, text };
  }

  #begin(head: TreeHead): void {
    this.#told = head;
    this.#texts.clear();
    this.#quietUntil = performance.now() + Math.min(LONGEST_PAUSE_MS, PAUSE_PER_READER_MS * this.#readers);
  }
}

/** At most `count` entries from one on, fewer where they grow too large for one answer. */
export function pageOf(entries: readonly Entry[], from: number, count: number): readonly Entry[] {
  const page: Entry[] = [];
  let bytes = 0;
  for (const entry of entries.slice(from, from + count)) {
    page.push(entry);
    bytes += canonicalBytes(entry).length;
    if (bytes > PAGE_BYTES) break;
  }
  return page;
}
