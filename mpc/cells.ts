import { inspect } from 'node:util';
import { KernelError } from './kernels/errors.ts';
import { eraseBlocks, kernels, layout, memory } from './kernels/load.ts';

/** Cells are integers strictly between -2^119 and 2^119, so that the sum of 2^8 of them still fits 128 bits. */
export const CELL_LIMIT = 2n ** 119n;

/** Bytes of a cell. */
export const CELL_BYTES = 16;

/**
 * A vector of n cells: signed 128-bit integers, little-endian two's complement, 16 bytes each, |x| < 2^119.
 *
 * Cells are a hospital's own numbers: the vector prints as `CellVector(n, redacted)`. `bytes` is the storage itself, not a
 * copy; whoever writes to it answers for the range.
 */
export class CellVector {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static zeros(length: number): CellVector {
    return new CellVector(new Uint8Array(CELL_BYTES * length));
  }

  /** @throws KernelError OUT_OF_RANGE for a value outside (-2^119, 2^119). Cost: about 50 ns a cell. */
  static fromBigInts(values: Iterable<bigint>): CellVector {
    const list = Array.isArray(values) ? (values as readonly bigint[]) : [...values];
    const cells = CellVector.zeros(list.length);
    list.forEach((value, i) => write(cells.#view, i, value));
    return cells;
  }

  /**
   * Takes over bytes in the layout above, without a copy.
   *
   * @throws KernelError BAD_LENGTH if they are not whole cells, OUT_OF_RANGE if a cell is outside (-2^119, 2^119).
   */
  static fromBytes(bytes: Uint8Array): CellVector {
    if (bytes.length % CELL_BYTES !== 0) throw new KernelError('BAD_LENGTH', 'cells are 16 bytes each');
    const block = layout.block * CELL_BYTES;
    for (let at = 0; at < bytes.length; at += block) {
      const part = bytes.subarray(at, at + block);
      memory().set(part, layout.operand);
      if (!kernels.cellsInRange(layout.operand, part.length / CELL_BYTES)) throw outOfRange();
    }
    eraseBlocks();
    return new CellVector(bytes);
  }

  /** Of bytes that are cells because the kernels made them: `ShareSum`. */
  static ofSum(bytes: Uint8Array): CellVector {
    return new CellVector(bytes);
  }

  get length(): number {
    return this.bytes.length / CELL_BYTES;
  }

  /** @throws KernelError OUT_OF_RANGE if there is no cell i. */
  at(i: number): bigint {
    this.#assertIndex(i);
    return read(this.#view, i);
  }

  /** @throws KernelError OUT_OF_RANGE if there is no cell i or the value is outside (-2^119, 2^119). */
  set(i: number, value: bigint): void {
    this.#assertIndex(i);
    write(this.#view, i, value);
  }

  /** cell i += value. @throws KernelError OUT_OF_RANGE if there is no cell i or the sum is outside (-2^119, 2^119). */
  add(i: number, value: bigint): void {
    this.#assertIndex(i);
    if (value === 0n) return;
    write(this.#view, i, read(this.#view, i) + value);
  }

  toBigInts(): bigint[] {
    return Array.from({ length: this.length }, (_, i) => read(this.#view, i));
  }

  toString(): string {
    return `CellVector(${this.length}, redacted)`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #assertIndex(i: number): void {
    if (!Number.isInteger(i) || i < 0 || i >= this.length) {
      throw new KernelError('OUT_OF_RANGE', 'the index is not within the vector');
    }
  }
}

function read(view: DataView, i: number): bigint {
  return (view.getBigInt64(CELL_BYTES * i + 8, true) << 64n) | view.getBigUint64(CELL_BYTES * i, true);
}

function write(view: DataView, i: number, value: bigint): void {
  if (value >= CELL_LIMIT || value <= -CELL_LIMIT) throw outOfRange();
  view.setBigUint64(CELL_BYTES * i, BigInt.asUintN(64, value), true);
  view.setBigInt64(CELL_BYTES * i + 8, value >> 64n, true);
}

function outOfRange(): KernelError {
  return new KernelError('OUT_OF_RANGE', 'a cell lies strictly between -2^119 and 2^119');
}
