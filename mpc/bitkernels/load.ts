import { readFileSync } from 'node:fs';
import { discard } from '../../protocol/bytes.ts';

/** What is used here of the global of that name, which neither the ES library nor @types/node declares. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** The exports of `assembly/index.ts`. Addresses and lengths are in bytes, counts in rows; bits arrive as 0 and 1. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly START: { readonly value: number };

  readonly expandHolder: (
    c: number,
    v0: number,
    v1: number,
    x: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    bytes: number,
  ) => void;
  readonly expandKeeper: (
    w0: number,
    w1: number,
    c: number,
    r1: number,
    r2: number,
    r3: number,
    d0: number,
    d1: number,
    bytes: number,
  ) => void;
  readonly addInto: (to: number, from: number, bytes: number) => void;
  readonly addTimes: (to: number, from: number, bit: number, bytes: number) => void;
  readonly transpose: (rows: number, columns: number, stride: number, n: number) => void;

  readonly addElement: (to: number, bits: number, element: number, n: number) => void;
  readonly addSelected: (to: number, bits: number, from: number, n: number) => void;
  readonly shiftKeys: (shifted: number, sum: number, keys: number, tags: number, delta: number, n: number) => void;
  readonly addTweaks: (to: number, from: number, first: number, direction: number, n: number) => void;
  readonly mixHashes: (message: number, sum: number, phi: number, inner: number, outer: number, n: number) => void;
  readonly lowBits: (bits: number, rows: number, n: number) => void;

  readonly fileTriples: (
    records: number,
    yBytes: number,
    xTags: number,
    yTags: number,
    zTags: number,
    n: number,
  ) => void;
  readonly readProducts: (tags: number, values: number, records: number, n: number) => void;
  readonly countUp: (places: number, n: number) => void;
  readonly shuffle: (places: number, from: number, words: number, count: number) => number;
  readonly openPartners: (bits: number, yBytes: number, places: number, base: number, n: number) => void;
  readonly startBuckets: (a: number, b: number, c: number, records: number, first: number, n: number) => void;
  readonly foldPartners: (
    a: number,
    b: number,
    c: number,
    checked: number,
    records: number,
    places: number,
    opened: number,
    delta: number,
    first: number,
    base: number,
    n: number,
  ) => void;
}

const PAGE = 65536;
const LINE = 64;

let compiled: object | undefined;

function compile(): object {
  if (compiled !== undefined) return compiled;
  const file = new URL('./bitkernels.wasm', import.meta.url);
  let code: Uint8Array<ArrayBuffer>;
  try {
    code = readFileSync(file);
  } catch (cause) {
    throw new Error(`the compiled kernels are missing at ${file.pathname}: run \`npm run kernels\``, { cause });
  }
  return (compiled = new WebAssembly.Module(code));
}

/** The last workspace that was given back, as long as no garbage collection came by: who idles keeps no memory for it. */
let idle: WeakRef<Workspace> | undefined;

/**
 * The bit kernels with a memory of their own, laid out by the caller: regions are taken one after the other, and given back
 * all at once. Memory is reused, never shrunk; it goes when the workspace does.
 */
export class Workspace {
  readonly kernels: Exports;
  #bytes: Uint8Array<ArrayBuffer>;
  #end: number;
  /** Behind all that was taken since it was last erased. */
  #used: number;

  constructor() {
    this.kernels = new WebAssembly.Instance(compile()).exports as Exports;
    this.#end = this.#used = this.kernels.START.value;
    this.#bytes = new Uint8Array(this.kernels.memory.buffer);
  }

  /**
   * One that was given back before, if it is still there. The first touch of fresh memory costs more than the work on it, and memory
   * that is dropped in large pieces calls the garbage collector.
   */
  static open(): Workspace {
    const kept = idle?.deref();
    idle = undefined;
    return kept ?? new Workspace();
  }

  /** The address of `length` fresh bytes on a cache line of their own. Their contents are not defined. */
  take(length: number): number {
    const start = this.#end;
    this.#end = Math.ceil((start + length) / LINE) * LINE;
    this.#used = Math.max(this.#used, this.#end);
    const missing = this.#end - this.#bytes.length;
    if (missing > 0) {
      this.kernels.memory.grow(Math.ceil(missing / PAGE));
      this.#bytes = new Uint8Array(this.kernels.memory.buffer);
    }
    return start;
  }

  /** Where the next region begins: everything taken from now on is given back by `release`. */
  mark(): number {
    return this.#end;
  }

  release(mark: number): void {
    this.#end = mark;
  }

  /** A view of a region, valid until the next `take`. */
  view(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(at, at + length);
  }

  /** A copy of a region, for what outlives it. */
  copy(at: number, length: number): Uint8Array {
    // Every byte is written, so the memory need not be cleared first.
    const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    copy.set(this.view(at, length));
    return copy;
  }

  write(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  /** Writes bytes that nobody else needs, as a cipher's output or a message that was taken in, and gives back their memory. */
  moveIn(at: number, bytes: Uint8Array): void {
    this.write(at, bytes);
    discard(bytes);
  }

  clear(at: number, length: number): void {
    this.#bytes.fill(0, at, at + length);
  }

  /** Overwrites everything, after secrets have been in it. */
  erase(): void {
    const start = this.kernels.START.value;
    this.#bytes.fill(0, start, this.#used);
    this.#end = this.#used = start;
  }

  /** Overwrites everything and leaves it to whoever opens one next. */
  close(): void {
    this.erase();
    idle = new WeakRef(this);
  }
}
