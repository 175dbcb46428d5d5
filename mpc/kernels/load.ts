import { readFileSync } from 'node:fs';

/** What is used here of the global of that name, which neither the ES library nor @types/node declares. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

interface Global {
  readonly value: number;
}

/**
 * The exports of `assembly/index.ts`. Arguments are byte addresses in `memory` and counts of elements; booleans arrive
 * as 0 and 1. The kernels keep state between calls (the running total of a commitment, the generators) and are
 * therefore for one thread: each worker loads its own.
 */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };

  readonly addScalars: (a: number, b: number, n: number) => void;
  readonly subtractScalars: (a: number, b: number, n: number) => void;
  readonly addIntegers: (a: number, b: number, n: number) => void;
  readonly subtractIntegers: (a: number, b: number, n: number) => void;
  readonly addMasks: (a: number, b: number, n: number) => void;
  readonly subtractMasks: (a: number, b: number, n: number) => void;
  readonly maskCells: (
    out: number,
    cells: number,
    b: number,
    negativeB: boolean,
    c: number,
    negativeC: boolean,
    n: number,
  ) => void;
  readonly cellsToScalars: (scalars: number, cells: number, n: number) => void;
  readonly scalarsToCells: (cells: number, scalars: number, n: number) => number;
  readonly cellsInRange: (cells: number, n: number) => number;
  readonly scalarsCanonical: (scalars: number, n: number) => number;
  readonly centreScalars: (scalars: number, n: number) => void;
  readonly widenCells: (out: number, cells: number, n: number) => void;

  readonly beginSum: () => void;
  readonly sumSegment: (first: number, n: number) => void;
  readonly addBlinding: () => void;
  readonly addEncoded: (bytes: number, negative: boolean) => number;
  readonly encodeTotal: (bytes: number) => void;
  readonly eraseSum: (n: number) => void;
  readonly deriveGenerators: (uniform: number, first: number, n: number) => void;
  readonly loadGenerators: (coordinates: number, first: number, n: number) => void;
  readonly storeGenerators: (coordinates: number, first: number, n: number) => void;
  readonly deriveBlinding: (uniform: number) => void;

  readonly deriveEach: (points: number, uniform: number, n: number) => void;
  readonly decodeEach: (points: number, bytes: number, n: number) => number;
  readonly encodeEach: (bytes: number, points: number, n: number) => void;
  readonly addEach: (points: number, addends: number, n: number) => void;
  readonly subtractEach: (points: number, addends: number, n: number) => void;
  readonly multiplyEach: (points: number, scalar: number, n: number) => void;
  readonly multiplyFixed: (points: number, point: number, scalars: number, n: number) => void;

  readonly ACCUMULATOR: Global;
  readonly OPERAND: Global;
  readonly SCALARS: Global;
  readonly CELLS: Global;
  readonly POINTS: Global;
  readonly ADDENDS: Global;
  readonly GENERATORS: Global;
  readonly BLOCK: Global;
  readonly SEGMENT: Global;
}

const PAGE = 65536;

const module = compile();

/** The kernels, instantiated once, when this module is first imported. Cost: about a millisecond. */
export const kernels: Exports = instantiate();

/** Addresses and capacities of `assembly/layout.ts`. */
export const layout = {
  accumulator: kernels.ACCUMULATOR.value,
  operand: kernels.OPERAND.value,
  scalars: kernels.SCALARS.value,
  cells: kernels.CELLS.value,
  points: kernels.POINTS.value,
  addends: kernels.ADDENDS.value,
  generators: kernels.GENERATORS.value,
  /** Scalars that fit at `accumulator`, and again at `operand`. */
  block: kernels.BLOCK.value,
  /** Scalars that fit at `scalars`, and cells at `cells`. */
  segment: kernels.SEGMENT.value,
} as const;

let bytes = new Uint8Array(0);
reserve(layout.generators);

/** The kernels' memory. Ask again after anything that may have grown it: growing detaches the old view. */
export function memory(): Uint8Array<ArrayBuffer> {
  return bytes;
}

/** Makes the memory reach at least to address `end`; it never shrinks. */
export function reserve(end: number): void {
  const missing = end - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE));
  bytes = new Uint8Array(kernels.memory.buffer);
}

/**
 * Overwrites the two blocks, after cells have been in them. What the engine, the garbage collector and node:crypto keep is
 * out of reach.
 */
export function eraseBlocks(): void {
  bytes.fill(0, layout.accumulator, layout.scalars);
}

/** Kernels with memory of their own: `address` and what follows is free for whoever has them. */
export interface OwnKernels {
  readonly kernels: Exports;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly address: number;
}

/**
 * Kernels with memory of their own for `length` bytes, in which they can work without copies in and out. The memory goes when
 * nobody holds the kernels or a view of it any more. Cost: 0.1 ms.
 */
export function kernelsOver(length: number): OwnKernels {
  const own = instantiate();
  const missing = layout.generators + length - own.memory.buffer.byteLength;
  if (missing > 0) own.memory.grow(Math.ceil(missing / PAGE));
  return { kernels: own, memory: new Uint8Array(own.memory.buffer), address: layout.generators };
}

function instantiate(): Exports {
  return new WebAssembly.Instance(module).exports as Exports;
}

function compile(): object {
  const file = new URL('./kernels.wasm', import.meta.url);
  let code: Uint8Array<ArrayBuffer>;
  try {
    code = readFileSync(file);
  } catch (cause) {
    throw new Error(`the compiled kernels are missing at ${file.pathname}: run \`npm run kernels\``, { cause });
  }
  return new WebAssembly.Module(code);
}
