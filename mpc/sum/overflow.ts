import { Refusal } from '../../protocol/errors.ts';
import { CELL_BYTES, CellVector } from '../cells.ts';
import { maskedChunks, type Mask } from '../masks.ts';
import { SCALAR_BYTES, SCALAR_ORDER, ScalarVector } from '../scalars.ts';

/**
 * Commitments are over Z_l, shares may be mod 2^128. What ties the two together when a cheat is looked for is the overflow of a share:
 * the k_j with x_j + masks = t_j + 2^128 k_j over the integers, where t_j, from 0 to 2^128 - 1, is what was sent (docs/protocol.md §4).
 */

/** Bytes of one k_j, signed: |k_j| is at most the number of parties. */
export const OVERFLOW_BYTES = 2;

/**
 * Cells add up to at most this where their overflow is told. It shifts a sum of masks, uniform on 2^128 values or more, by a
 * cell, so that what it tells of the cells is a statistical distance of sum |x_j| / 2^128 <= 2^-40.
 */
export const OVERFLOW_LIMIT = 2n ** 88n;

/** The k_j of one party's share, 2 bytes each, little-endian. Errors: `Refusal` when the cells add up to more than `OVERFLOW_LIMIT`. */
export function overflowOf(cells: CellVector, masks: readonly Mask[]): Uint8Array {
  refuseLargeCells(cells);
  const low = new BigUint64Array(copyOf(cells.bytes));
  const overflow = new Int16Array(cells.length);
  for (let i = 0; i < overflow.length; i++) overflow[i] = low[2 * i + 1]! >> 63n === 0n ? 0 : -1;
  for (const mask of masks) {
    let first = 0;
    for (const chunk of maskedChunks(CellVector.zeros(cells.length), [{ ...mask, sign: 1 }], 4096, '2^128')) {
      const added = new BigUint64Array(copyOf(chunk));
      for (let i = 0; i < added.length / 2; i++) {
        const before = integerAt(low, first + i);
        const [value, passed] = carry(before, integerAt(added, i), mask.sign);
        low[2 * (first + i)] = BigInt.asUintN(64, value);
        low[2 * (first + i) + 1] = value >> 64n;
        overflow[first + i]! += passed;
      }
      first += added.length / 2;
    }
  }
  return new Uint8Array(overflow.buffer);
}

/** Integers from 0 to 2^128 - 1 as scalars, with k 2^128 added to each where an overflow is given. */
export function scalarsOf(integers: Uint8Array, overflow?: Uint8Array): ScalarVector {
  const n = integers.length / CELL_BYTES;
  const scalars = ScalarVector.zeros(n);
  const words = new BigUint64Array(scalars.bytes.buffer);
  const low = new BigUint64Array(copyOf(integers));
  const multiples = new Int16Array(copyOf(overflow ?? new Uint8Array(OVERFLOW_BYTES * n)));
  for (let i = 0; i < n; i++) {
    const value = integerAt(low, i) + (BigInt(multiples[i]!) << 128n);
    let scalar = value < 0n ? value + SCALAR_ORDER : value;
    for (let word = 0; word < SCALAR_BYTES / 8; word++) {
      words[4 * i + word] = BigInt.asUintN(64, scalar);
      scalar >>= 64n;
    }
  }
  return scalars;
}

function carry(value: bigint, by: bigint, sign: 1 | -1): [value: bigint, passed: number] {
  const result = sign === 1 ? value + by : value - by;
  return [BigInt.asUintN(128, result), Number(result >> 128n)];
}

/** Memory of their own for bytes that may begin anywhere. */
const copyOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const integerAt = (words: BigUint64Array, i: number): bigint => words[2 * i]! | (words[2 * i + 1]! << 64n);

function refuseLargeCells(cells: CellVector): void {
  let total = 0n;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells.at(i);
    total += cell < 0n ? -cell : cell;
  }
  if (total <= OVERFLOW_LIMIT) return;
  throw new Refusal('POLICY', 'the cells of this hospital are too large to help in finding who sent a wrong share', {
    hint: 'What it would have to tell about its share could tell something of its cells.',
  });
}
