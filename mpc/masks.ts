import { createCipheriv, type Cipheriv } from 'node:crypto';
import { discard } from '../protocol/bytes.ts';
import type { Modulus } from '../protocol/session.ts';
import { CELL_BYTES, type CellVector } from './cells.ts';
import { KernelError } from './kernels/errors.ts';
import { kernelsOver, layout, type OwnKernels } from './kernels/load.ts';
import { SCALAR_BYTES, SEED_BYTES } from './scalars.ts';

/** A pseudo-random mask of every cell: added (1) or subtracted (-1). Two parties that share the seed use opposite signs. */
export interface Mask {
  /** 32 bytes, secret, for one vector only. */
  readonly seed: Uint8Array;
  readonly sign: 1 | -1;
}

/** Bytes of one element of a share. */
export const elementBytes = (modulus: Modulus): number => (modulus === 'l' ? SCALAR_BYTES : CELL_BYTES);

/**
 * The summed share t_i = x_i + sum over masks of sign * PRG(seed)_i, mod 2^128 or mod l, `chunkCells` cells at a time:
 * `docs/protocol.md` section 3, steps 2 and 3, for the pair-wise form of the seeds.
 *
 * PRG(seed) is AES-256-CTR under the seed, initial counter zero, over zeros. Mod 2^128, PRG(seed)_i is the 16 bytes from 16 i on,
 * little-endian: uniform, so that AES is the only assumption. Mod l, it is the 32 bytes from 32 i on with the top four bits cleared.
 * That is uniform on [0, 2^252), which misses only the 2^252 <= v < l of Z_l: the statistical distance from uniform mod l is
 * (l - 2^252) / l < 2^-127 a cell, so below 2^-107 for a million cells. A counter block never repeats below 2^127 cells, and a
 * seed must never serve two vectors: the difference of two shares under one mask is the difference of the cells.
 *
 * The yielded array holds `elementBytes` a cell, canonical, and **is reused**: it is valid until the generator is next
 * resumed or ended, which erases it. Memory is constant in the number of cells. The bytes do not depend on `chunkCells`.
 *
 * Cost: a cell and mask take 16 bytes of AES (about 5 ns) and one addition (1 ns) mod 2^128, 32 bytes and one addition (5 ns) mod l.
 *
 * @throws KernelError BAD_LENGTH, when first resumed, for a seed not of 32 bytes or a chunk not of one cell or more.
 */
export function* maskedChunks(
  cells: CellVector,
  masks: readonly Mask[],
  chunkCells = 4096,
  modulus: Modulus = 'l',
): Generator<Uint8Array, void, undefined> {
  if (!Number.isSafeInteger(chunkCells) || chunkCells < 1) {
    throw new KernelError('BAD_LENGTH', 'a chunk has one cell or more');
  }
  const streams = masks.map(({ seed, sign }) => ({ cipher: maskStream(seed, 0), negative: sign === -1 }));
  const width = elementBytes(modulus);
  const [maskBlock, blockCells] =
    modulus === 'l' ? [maskScalars, BLOCK / SCALAR_BYTES] : [maskIntegers, BLOCK / CELL_BYTES];
  const length = width * Math.min(chunkCells, cells.length);
  const space = spare !== undefined && spare.memory.length >= layout.generators + length ? spare : kernelsOver(length);
  spare = undefined;
  const { address, memory } = space;
  try {
    for (let start = 0; start < cells.length; start += chunkCells) {
      const end = Math.min(start + chunkCells, cells.length);
      for (let at = start; at < end; at += blockCells) {
        maskBlock(space, address + width * (at - start), cells, at, Math.min(blockCells, end - at), streams);
      }
      yield memory.subarray(address, address + width * (end - start));
    }
  } finally {
    memory.fill(0, layout.operand, layout.operand + BLOCK);
    memory.fill(0, layout.scalars, layout.scalars + BLOCK);
    memory.fill(0, layout.cells, layout.cells + BLOCK);
    memory.fill(0, address, address + length);
    spare = space;
  }
}

/**
 * PRG(seed)_index of `maskedChunks` mod l, one scalar. Cost: about 5 us, whatever the index.
 *
 * @throws KernelError BAD_LENGTH for a seed not of 32 bytes, OUT_OF_RANGE for an index that is no natural number.
 */
export function maskScalar(seed: Uint8Array, index: number): Uint8Array {
  if (!Number.isSafeInteger(index) || index < 0) throw new KernelError('OUT_OF_RANGE', 'an index is a natural number');
  const mask = new Uint8Array(maskStream(seed, 2 * index).update(ZEROS.subarray(0, SCALAR_BYTES)));
  mask[31] = mask[31]! & 0x0f;
  return mask;
}

/**
 * Chunks come out of kernels' memory without a copy, so each generator under way has kernels of its own. One is kept for the
 * next, erased.
 */
let spare: OwnKernels | undefined;

/** The scalar of a seed that no cell takes: it masks the blinding. */
export const blindingMask = (seed: Uint8Array, cells: number, modulus: Modulus): Uint8Array =>
  maskScalar(seed, Math.ceil((elementBytes(modulus) * cells) / SCALAR_BYTES));

/**
 * Bytes masked at a time: little enough that masks, cells and zeros stay in the second-level cache. node:crypto
 * allocates every result, slowly when it is large.
 */
const BLOCK = 32 * 1024;
const ZEROS = new Uint8Array(BLOCK);

interface MaskStream {
  readonly cipher: Cipheriv;
  readonly negative: boolean;
}

/** The key stream of a seed from a counter block, of 16 bytes, on. */
function maskStream(seed: Uint8Array, block: number): Cipheriv {
  if (seed.length !== SEED_BYTES) throw new KernelError('BAD_LENGTH', 'a mask seed is 32 bytes');
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(BigInt(block), 8);
  return createCipheriv('aes-256-ctr', seed, counter);
}

/** Leaves cells at .. at + n under their masks at `out`, mod l. The first two masks are worked in with one reduction. */
function maskScalars(
  { kernels, memory }: OwnKernels,
  out: number,
  cells: CellVector,
  at: number,
  n: number,
  streams: readonly MaskStream[],
): void {
  const { operand, scalars } = layout;
  memory.set(cells.bytes.subarray(CELL_BYTES * at, CELL_BYTES * (at + n)), layout.cells);
  const [first, second] = streams;
  const pair = first !== undefined && second !== undefined;
  if (pair) {
    fillMask(first, memory, operand, SCALAR_BYTES * n);
    fillMask(second, memory, scalars, SCALAR_BYTES * n);
    kernels.maskCells(out, layout.cells, operand, first.negative, scalars, second.negative, n);
  } else {
    kernels.cellsToScalars(out, layout.cells, n);
  }
  for (const stream of pair ? streams.slice(2) : streams) {
    fillMask(stream, memory, operand, SCALAR_BYTES * n);
    (stream.negative ? kernels.subtractMasks : kernels.addMasks)(out, operand, n);
  }
}

/** The same mod 2^128, where a cell is its own encoding. */
function maskIntegers(
  { kernels, memory }: OwnKernels,
  out: number,
  cells: CellVector,
  at: number,
  n: number,
  streams: readonly MaskStream[],
): void {
  memory.set(cells.bytes.subarray(CELL_BYTES * at, CELL_BYTES * (at + n)), out);
  for (const stream of streams) {
    fillMask(stream, memory, layout.operand, CELL_BYTES * n);
    (stream.negative ? kernels.subtractIntegers : kernels.addIntegers)(out, layout.operand, n);
  }
}

/** The next bytes of a stream. */
function fillMask({ cipher }: MaskStream, memory: Uint8Array, address: number, length: number): void {
  const mask = cipher.update(length === BLOCK ? ZEROS : ZEROS.subarray(0, length));
  memory.set(mask, address);
  discard(mask);
}
