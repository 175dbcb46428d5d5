import { createHash } from 'node:crypto';
import { KernelError } from './errors.ts';
import { kernels, layout, memory, reserve } from './load.ts';
import { loadBlock, TABLE_BLOCK } from './table.ts';

/**
 * The public generators of the vector commitments, independent in the sense that nobody knows a relation among them:
 *
 *   G_j = derive(bytes 64 k to 64 k + 63 of SHAKE256('healthchain/v1/pedersen/G' || u32le(b))),   j = 4096 b + k, k < 4096
 *   H   = derive(SHAKE256('healthchain/v1/pedersen/H'), 64 bytes)
 *
 * where `derive` is the element derivation of RFC 9496, section 4.3.4. A stream per 4096 generators lets the cache grow at any
 * size without hashing again from the start; within a block a shorter SHAKE256 output is a prefix of a longer one. No
 * input of one label is an input of the other: they differ in their last letter, before the block number.
 */
export const GENERATOR_LABEL = 'healthchain/v1/pedersen/G';
export const BLINDING_LABEL = 'healthchain/v1/pedersen/H';
export const STREAM_GENERATORS = TABLE_BLOCK;

/** The longest vector that can be committed to: its generators take 640 MiB. */
export const MAX_GENERATORS = 2 ** 22;

/** Bytes of a generator in memory: two pairs of ten 32-bit limbs, twice. */
const NIELS_BYTES = 160;
const UNIFORM_BYTES = 64;
/** Generators normalised with one inversion; `BATCH` of `assembly/edwards.ts`. */
export const BATCH = 256;
/** For fewer, reading a block of the table takes as long as deriving them. */
const WORTH_THE_TABLE = 256;

let derived = 0;
let blinding = false;
let stream: { readonly block: number; readonly bytes: Uint8Array } = { block: -1, bytes: new Uint8Array(0) };

/**
 * Derives G_0 .. G_(count - 1), as far as they are not there yet, and H.
 * Cost: 160 bytes a generator and about 10 us, once a process, but 0.6 us for the first 16,384, which `table.ts` has; the number is
 * rounded up to whole blocks of the table, or batches of 256 (but 32 at first, for the many short vectors).
 *
 * @throws KernelError BAD_LENGTH beyond `MAX_GENERATORS`.
 */
export function deriveGenerators(count: number): void {
  if (count > MAX_GENERATORS) throw new KernelError('BAD_LENGTH', 'the vector is longer than there are generators');
  if (!blinding) {
    memory().set(shake256(BLINDING_LABEL, UNIFORM_BYTES), layout.operand);
    kernels.deriveBlinding(layout.operand);
    blinding = true;
  }
  const unit = count <= 32 ? 32 : BATCH;
  const end = Math.ceil(count / unit) * unit;
  loadGenerators(end);
  if (end <= derived) return;
  reserveGenerators(end);
  while (derived < end) {
    const n = Math.min(BATCH - (derived % BATCH), end - derived);
    deriveBatch(derived, n, { end });
    derived += n;
  }
}

/** Takes what there is of G_0 .. G_(end - 1) from the table, in whole blocks, where that is quicker than to derive it. */
export function loadGenerators(end: number): void {
  while (end - derived >= WORTH_THE_TABLE) {
    const block = Math.floor(derived / TABLE_BLOCK);
    const next = TABLE_BLOCK * (block + 1);
    reserveGenerators(next);
    if (!loadBlock(block)) return;
    derived = next;
  }
}

/**
 * Derives G_first .. G_(first + n - 1), all of one batch, into the memory of G_place on. `end`: how far this and later calls
 * will go, so that each stream is hashed once and no further than needed.
 */
export function deriveBatch(first: number, n: number, { end, place = first }: { end: number; place?: number }): void {
  const block = Math.floor(first / STREAM_GENERATORS);
  const start = STREAM_GENERATORS * block;
  const from = UNIFORM_BYTES * (first - start);
  const uniform = streamOf(block, UNIFORM_BYTES * Math.min(end - start, STREAM_GENERATORS));
  memory().set(uniform.subarray(from, from + UNIFORM_BYTES * n), layout.operand);
  kernels.deriveGenerators(layout.operand, place, n);
}

export const derivedGenerators = (): number => derived;

/** Tells that G_0 .. G_(count - 1) lie in memory. */
export function setDerived(count: number): void {
  derived = Math.max(derived, count);
}

export function reserveGenerators(count: number): void {
  reserve(layout.generators + NIELS_BYTES * count);
}

/** The memory of the batch that begins with G_first. */
export function batchMemory(first: number): Uint8Array {
  const at = layout.generators + NIELS_BYTES * first;
  return memory().subarray(at, at + NIELS_BYTES * BATCH);
}

function streamOf(block: number, length: number): Uint8Array {
  if (stream.block !== block || stream.bytes.length < length) {
    const index = new Uint8Array(4);
    new DataView(index.buffer).setUint32(0, block, true);
    stream = { block, bytes: shake256(GENERATOR_LABEL, length, index) };
  }
  return stream.bytes;
}

function shake256(label: string, outputLength: number, suffix = new Uint8Array(0)): Uint8Array {
  return createHash('shake256', { outputLength }).update(label, 'ascii').update(suffix).digest();
}
