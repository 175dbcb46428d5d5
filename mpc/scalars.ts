import { createCipheriv, type Cipheriv } from 'node:crypto';
import { inspect } from 'node:util';
import { discard } from '../protocol/bytes.ts';
import { CELL_BYTES, CellVector } from './cells.ts';
import { KernelError } from './kernels/errors.ts';
import { eraseBlocks, eraseSegment, kernels, kernelsOver, layout, memory } from './kernels/load.ts';

/** l, the order of ristretto255: all sharing is over Z_l. */
export const SCALAR_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Bytes of a scalar: little-endian, below l. */
export const SCALAR_BYTES = 32;

/** Bytes of a mask seed, an AES-256 key. */
export const SEED_BYTES = 32;

/**
 * A vector of n scalars mod l, 32 bytes each, little-endian, each canonical (below l).
 *
 * Shares and openings are secret as long as they are partial: prints as `ScalarVector(n, redacted)`. `bytes` is the storage
 * itself, not a copy.
 */
export class ScalarVector {
  readonly bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  static zeros(length: number): ScalarVector {
    return new ScalarVector(new Uint8Array(SCALAR_BYTES * length));
  }

  /**
   * Takes over bytes off the wire, without a copy.
   *
   * @throws KernelError BAD_LENGTH if they are not whole scalars, NON_CANONICAL if one is not below l.
   */
  static fromBytes(bytes: Uint8Array): ScalarVector {
    assertCanonical(bytes);
    return new ScalarVector(bytes);
  }

  /** Of bytes that are canonical because the kernels made them: `ShareSum`. */
  static ofSum(bytes: Uint8Array): ScalarVector {
    return new ScalarVector(bytes);
  }

  /** x mod l: a negative cell becomes l + x. Cost: about 5 ns a cell. */
  static fromCells(cells: CellVector): ScalarVector {
    const scalars = ScalarVector.zeros(cells.length);
    for (let at = 0; at < cells.length; at += layout.block) {
      const n = Math.min(layout.block, cells.length - at);
      encodeCells(cells, at, n);
      scalars.bytes.set(read(layout.accumulator, SCALAR_BYTES * n), SCALAR_BYTES * at);
    }
    eraseBlocks();
    return scalars;
  }

  get length(): number {
    return this.bytes.length / SCALAR_BYTES;
  }

  /**
   * The cells that are congruent to the scalars, centred about zero.
   *
   * @throws KernelError OUT_OF_RANGE if one is outside (-2^119, 2^119): for a sum, a wrong or missing share.
   */
  toCells(): CellVector {
    const cells = CellVector.zeros(this.length);
    for (let at = 0; at < this.length; at += layout.block) {
      const n = Math.min(layout.block, this.length - at);
      memory().set(this.bytes.subarray(SCALAR_BYTES * at, SCALAR_BYTES * (at + n)), layout.operand);
      if (!kernels.scalarsToCells(layout.accumulator, layout.operand, n)) {
        throw new KernelError('OUT_OF_RANGE', 'a scalar does not stand for a cell between -2^119 and 2^119');
      }
      cells.bytes.set(read(layout.accumulator, CELL_BYTES * n), CELL_BYTES * at);
    }
    eraseBlocks();
    return cells;
  }

  /** this_i := this_i + other_i mod l. @throws KernelError BAD_LENGTH unless the lengths agree. */
  addInto(other: ScalarVector): void {
    this.#assertSameLength(other);
    update(this.bytes, other.bytes, kernels.addScalars);
  }

  /** this_i := this_i - other_i mod l. @throws KernelError BAD_LENGTH unless the lengths agree. */
  subtractInto(other: ScalarVector): void {
    this.#assertSameLength(other);
    update(this.bytes, other.bytes, kernels.subtractScalars);
  }

  toString(): string {
    return `ScalarVector(${this.length}, redacted)`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #assertSameLength(other: ScalarVector): void {
    if (other.length !== this.length) throw new KernelError('BAD_LENGTH', 'the vectors are not of one length');
  }
}

/** A pseudo-random mask of every cell: added (1) or subtracted (-1). Two parties that share the seed use opposite signs. */
export interface Mask {
  /** 32 bytes, secret, for one vector only. */
  readonly seed: Uint8Array;
  readonly sign: 1 | -1;
}

/**
 * The summed share t_i = x_i + sum over masks of sign * PRG(seed)_i mod l, `chunkCells` cells at a time: `docs/protocol.md`
 * section 3, steps 2 and 3, for the pair-wise form of the seeds.
 *
 * PRG(seed)_i is bytes 32 i to 32 i + 31 of AES-256-CTR under the seed, initial counter zero, over zeros, little-endian, with
 * the top four bits cleared. That is uniform on [0, 2^252), which misses only the 2^252 <= v < l of Z_l: the statistical
 * distance from uniform mod l is (l - 2^252) / l < 2^-127 a cell, so below 2^-107 for a million cells, and AES is the
 * only assumption that counts. A counter block never repeats below 2^127 cells, and a seed must never serve two vectors: the
 * difference of two shares under one mask is the difference of the cells.
 *
 * The yielded array holds 32 bytes a cell, canonical, and **is reused**: it is valid until the generator is next
 * resumed. Memory is constant in the number of cells. The bytes do not depend on `chunkCells`.
 *
 * Cost: a cell and mask take 32 bytes of AES (about 10 ns) and one addition mod l (about 5 ns).
 *
 * @throws KernelError BAD_LENGTH, when first resumed, for a seed not of 32 bytes or a chunk not of one cell or more.
 */
export function* maskedChunks(
  cells: CellVector,
  masks: readonly Mask[],
  chunkCells = 4096,
): Generator<Uint8Array, void, undefined> {
  if (!Number.isSafeInteger(chunkCells) || chunkCells < 1) {
    throw new KernelError('BAD_LENGTH', 'a chunk has one cell or more');
  }
  const streams = masks.map(({ seed, sign }) => ({ cipher: maskStream(seed, 0), negative: sign === -1 }));
  const chunk = new Uint8Array(SCALAR_BYTES * Math.min(chunkCells, cells.length));
  for (let start = 0; start < cells.length; start += chunkCells) {
    const end = Math.min(start + chunkCells, cells.length);
    for (let at = start; at < end; at += layout.block) {
      const n = Math.min(layout.block, end - at);
      maskBlock(cells, at, n, streams);
      chunk.set(read(layout.accumulator, SCALAR_BYTES * n), SCALAR_BYTES * (at - start));
    }
    eraseBlocks();
    eraseSegment();
    yield chunk.subarray(0, SCALAR_BYTES * (end - start));
  }
}

interface MaskStream {
  readonly cipher: Cipheriv;
  readonly negative: boolean;
}

/** Leaves cells at .. at + n under their masks in the accumulator. Two masks at a time are worked in with one reduction. */
function maskBlock(cells: CellVector, at: number, n: number, streams: readonly MaskStream[]): void {
  const [first, second] = streams;
  let next = 0;
  if (first === undefined || second === undefined) {
    encodeCells(cells, at, n);
  } else {
    memory().set(cells.bytes.subarray(CELL_BYTES * at, CELL_BYTES * (at + n)), layout.cells);
    fillMask(first, layout.operand, n);
    fillMask(second, layout.scalars, n);
    const { accumulator, operand, scalars } = layout;
    kernels.maskCells(accumulator, layout.cells, operand, first.negative, scalars, second.negative, n);
    next = 2;
  }
  for (; next + 1 < streams.length; next += 2) {
    const [b, c] = [streams[next]!, streams[next + 1]!];
    fillMask(b, layout.operand, n);
    fillMask(c, layout.scalars, n);
    kernels.maskScalars(layout.accumulator, layout.operand, b.negative, layout.scalars, c.negative, n);
  }
  if (next === streams.length) return;
  const last = streams[next]!;
  fillMask(last, layout.operand, n);
  (last.negative ? kernels.subtractMasks : kernels.addMasks)(layout.accumulator, layout.operand, n);
}

/** The next n raw masks of a stream. */
function fillMask({ cipher }: MaskStream, address: number, n: number): void {
  const mask = cipher.update(ZEROS.subarray(0, SCALAR_BYTES * n));
  memory().set(mask, address);
  discard(mask);
}

/**
 * Adds the summed shares of the parties, chunk by chunk as they arrive: X_i = sum_j t_ji mod l (`docs/protocol.md` section 3,
 * step 4). It does not keep count of who sent what: each party's chunks must cover each cell once.
 */
export class ShareSum {
  readonly length: number;
  /** The sum lies in memory of kernels of its own, so that only what is added must be copied. */
  readonly #kernels: ReturnType<typeof kernelsOver>['kernels'];
  readonly #address: number;
  readonly #memory: Uint8Array;

  constructor(length: number) {
    this.length = length;
    ({ kernels: this.#kernels, address: this.#address } = kernelsOver(SCALAR_BYTES * length));
    this.#memory = new Uint8Array(this.#kernels.memory.buffer);
  }

  /**
   * Adds whole scalars off the wire to the cells from `offsetCells` on. All or nothing: after an error the sum is as before.
   * Cost: about 12 ns a cell.
   *
   * @throws KernelError BAD_LENGTH if the chunk is not whole scalars, OUT_OF_RANGE if it reaches outside the vector,
   * NON_CANONICAL if a scalar is not below l.
   */
  add(offsetCells: number, chunk: Uint8Array): void {
    assertWhole(chunk);
    const end = offsetCells + chunk.length / SCALAR_BYTES;
    if (!Number.isSafeInteger(offsetCells) || offsetCells < 0 || end > this.length) {
      throw new KernelError('OUT_OF_RANGE', 'the chunk does not lie within the vector');
    }
    const added = this.#each(offsetCells, chunk, (at, n) => {
      if (!this.#kernels.scalarsCanonical(layout.operand, n)) return false;
      this.#kernels.addScalars(at, layout.operand, n);
      return true;
    });
    if (added === chunk.length) return;
    this.#each(offsetCells, chunk.subarray(0, added), (at, n) => {
      this.#kernels.subtractScalars(at, layout.operand, n);
      return true;
    });
    throw nonCanonical();
  }

  /** The sum so far, as a copy. */
  total(): ScalarVector {
    return ScalarVector.ofSum(this.#memory.slice(this.#address, this.#address + SCALAR_BYTES * this.length));
  }

  /** Brings scalars to `operand`, a block at a time, until `work` returns false; how many bytes of them it has worked in. */
  #each(offsetCells: number, scalars: Uint8Array, work: (at: number, n: number) => boolean): number {
    const block = SCALAR_BYTES * layout.block;
    for (let from = 0; from < scalars.length; from += block) {
      const part = scalars.subarray(from, from + block);
      this.#memory.set(part, layout.operand);
      if (!work(this.#address + SCALAR_BYTES * offsetCells + from, part.length / SCALAR_BYTES)) return from;
    }
    return scalars.length;
  }

  toString(): string {
    return `ShareSum(${this.length}, redacted)`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * A scalar from 64 random bytes reduced mod l: within 2^-259 of uniform.
 *
 * @throws KernelError BAD_LENGTH if `random` returns another number of bytes than asked.
 */
export function randomScalar(random: (n: number) => Uint8Array): Uint8Array {
  const wide = random(64);
  if (wide.length !== 64) throw new KernelError('BAD_LENGTH', 'the source of randomness did not return 64 bytes');
  return fromBigInt(toBigInt(wide) % SCALAR_ORDER);
}

/** a + b mod l. @throws KernelError BAD_LENGTH, NON_CANONICAL. */
export function addScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  return combine(a, b, kernels.addScalars);
}

/** a - b mod l. @throws KernelError BAD_LENGTH, NON_CANONICAL. */
export function subtractScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  return combine(a, b, kernels.subtractScalars);
}

/**
 * PRG(seed)_index of `maskedChunks`, one scalar. Cost: about 5 us, whatever the index.
 *
 * @throws KernelError BAD_LENGTH for a seed not of 32 bytes, OUT_OF_RANGE for an index that is no natural number.
 */
export function maskScalar(seed: Uint8Array, index: number): Uint8Array {
  if (!Number.isSafeInteger(index) || index < 0) throw new KernelError('OUT_OF_RANGE', 'an index is a natural number');
  const mask = new Uint8Array(maskStream(seed, index).update(ZEROS.subarray(0, SCALAR_BYTES)));
  mask[31] = mask[31]! & 0x0f;
  return mask;
}

/** @throws KernelError BAD_LENGTH if not 32 bytes, NON_CANONICAL if not below l. */
export function assertScalar(scalar: Uint8Array): void {
  if (scalar.length !== SCALAR_BYTES) throw new KernelError('BAD_LENGTH', 'a scalar is 32 bytes');
  assertCanonical(scalar);
}

/** AES runs over at most a block of 64 KiB at a time: node:crypto allocates every result, slowly when it is large. */
const ZEROS = new Uint8Array(SCALAR_BYTES * layout.block);

/** The key stream of a seed from cell `index` on; two counter blocks a cell. */
function maskStream(seed: Uint8Array, index: number): Cipheriv {
  if (seed.length !== SEED_BYTES) throw new KernelError('BAD_LENGTH', 'a mask seed is 32 bytes');
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(2n * BigInt(index), 8);
  return createCipheriv('aes-256-ctr', seed, counter);
}

type Kernel = (a: number, b: number, n: number) => void;

/** Runs `kernel` over target and operand, of one length, a block at a time. */
function update(target: Uint8Array, operand: Uint8Array, kernel: Kernel): void {
  const block = SCALAR_BYTES * layout.block;
  for (let at = 0; at < operand.length; at += block) {
    const part = operand.subarray(at, at + block);
    const destination = target.subarray(at, at + part.length);
    memory().set(destination, layout.accumulator);
    memory().set(part, layout.operand);
    kernel(layout.accumulator, layout.operand, part.length / SCALAR_BYTES);
    destination.set(read(layout.accumulator, part.length));
  }
}

function combine(a: Uint8Array, b: Uint8Array, kernel: Kernel): Uint8Array {
  assertScalar(a);
  assertScalar(b);
  const result = new Uint8Array(a);
  update(result, b, kernel);
  return result;
}

/** Leaves cells at .. at + n, as scalars, in the accumulator. */
function encodeCells(cells: CellVector, at: number, n: number): void {
  memory().set(cells.bytes.subarray(CELL_BYTES * at, CELL_BYTES * (at + n)), layout.operand);
  kernels.cellsToScalars(layout.accumulator, layout.operand, n);
}

function read(address: number, length: number): Uint8Array {
  return memory().subarray(address, address + length);
}

function assertWhole(bytes: Uint8Array): void {
  if (bytes.length % SCALAR_BYTES !== 0) throw new KernelError('BAD_LENGTH', 'scalars are 32 bytes each');
}

function assertCanonical(bytes: Uint8Array): void {
  assertWhole(bytes);
  const block = SCALAR_BYTES * layout.block;
  for (let at = 0; at < bytes.length; at += block) {
    const part = bytes.subarray(at, at + block);
    memory().set(part, layout.operand);
    if (!kernels.scalarsCanonical(layout.operand, part.length / SCALAR_BYTES)) throw nonCanonical();
  }
}

function nonCanonical(): KernelError {
  return new KernelError('NON_CANONICAL', 'a scalar is not below the group order');
}

function toBigInt(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function fromBigInt(value: bigint): Uint8Array {
  const bytes = new Uint8Array(SCALAR_BYTES);
  for (let i = 0; i < SCALAR_BYTES; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}
