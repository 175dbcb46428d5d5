import { inspect } from 'node:util';
import { CELL_BYTES, CellVector } from './cells.ts';
import { KernelError } from './kernels/errors.ts';
import { eraseBlocks, kernels, layout, memory } from './kernels/load.ts';

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

/** @throws KernelError BAD_LENGTH if not 32 bytes, NON_CANONICAL if not below l. */
export function assertScalar(scalar: Uint8Array): void {
  if (scalar.length !== SCALAR_BYTES) throw new KernelError('BAD_LENGTH', 'a scalar is 32 bytes');
  assertCanonical(scalar);
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
