import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor'; readonly execution: 'sync' }) => void;

/** Bytes read from sockets between two collections: large enough that these cost little, small beside what the process needs anyway. */
const EVERY = 16 * 1024 * 1024;

/**
 * Collects young objects for every so many bytes that pass. Each read from a socket makes a small object that holds a large buffer
 * beside the heap. The engine collects young objects by the size of the small ones, which is next to nothing, so that the
 * buffers pile up until it marks the whole heap, at many times the cost and hundreds of megabytes later.
 */
export class YoungBuffers {
  readonly #collect: Collect | undefined;
  #passed = 0;

  constructor(collect = collector()) {
    this.#collect = collect;
  }

  read(bytes: number): void {
    this.#passed += bytes;
    if (this.#passed < EVERY) return;
    this.#passed = 0;
    this.#collect?.({ type: 'minor', execution: 'sync' });
  }
}

/** The engine's own collection, which it hands to contexts made after the flag is set. Undefined for an engine without. */
function collector(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : undefined;
}
