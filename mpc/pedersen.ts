import { CELL_BYTES, type CellVector } from './cells.ts';
import { KernelError } from './kernels/errors.ts';
import { deriveGenerators } from './kernels/generators.ts';
import { kernels, layout, memory } from './kernels/load.ts';
import { SCALAR_BYTES, type ScalarVector, assertScalar } from './scalars.ts';

export { BLINDING_LABEL, GENERATOR_LABEL, STREAM_GENERATORS } from './kernels/generators.ts';

/**
 * Vector Pedersen commitments over ristretto255: C = sum_j x_j G_j + r H.
 *
 * A commitment is the 32-byte encoding of the element (RFC 9496), whatever the length of the vector, so two commitments are
 * equal if and only if their bytes are. (Points as such must not be compared: representatives that differ by torsion are one
 * element, and multiples by s < 0 and by l + s differ so.) Perfectly hiding for a uniform r; binding while discrete
 * logarithms are hard. Vectors that differ only in zeros at the end have the same commitment: the length is bound elsewhere.
 *
 * Leaks: time and memory access depend on cells, scalars and blinding. Run it where they may be known.
 */
export const COMMITMENT_BYTES = 32;

/**
 * C = sum_j x_j G_j + r H for cells x and blinding r.
 *
 * Cost: about 2 us a cell of 64 bits when there are thousands, 0.5 us for 16 bits (work follows the true bit lengths), 5 us a
 * cell of 64 bits for hundreds; and about 10 us for each generator used for the first time in the process.
 *
 * @throws KernelError BAD_LENGTH for a blinding not of 32 bytes or more than 2^22 cells, NON_CANONICAL for a blinding
 * not below l.
 */
export function commitCells(cells: CellVector, blinding: Uint8Array): Uint8Array {
  return commit(cells.length, blinding, (first, n) => {
    memory().set(cells.bytes.subarray(CELL_BYTES * first, CELL_BYTES * (first + n)), layout.cells);
    kernels.widenCells(layout.scalars, layout.cells, n);
    memory().fill(0, layout.cells, layout.cells + CELL_BYTES * n);
  });
}

/**
 * C = sum_j s_j G_j + r H for any scalars, for instance shares. Scalars near 0 or l cost no more than the cells they
 * stand for; full-width ones about 7 us each.
 *
 * @throws KernelError as `commitCells`.
 */
export function commitScalars(values: ScalarVector, blinding: Uint8Array): Uint8Array {
  return commit(values.length, blinding, (first, n) => {
    memory().set(values.bytes.subarray(SCALAR_BYTES * first, SCALAR_BYTES * (first + n)), layout.scalars);
    kernels.centreScalars(layout.scalars, n);
  });
}

/**
 * The commitment to the sum of vectors and blindings; of none, the identity (32 zero bytes). Cost: about 10 us each.
 *
 * @throws KernelError BAD_LENGTH, BAD_POINT for bytes that are not the encoding of an element.
 */
export function addCommitments(list: readonly Uint8Array[]): Uint8Array {
  kernels.beginSum();
  for (const commitment of list) addEncoded(commitment, false);
  return encodeTotal();
}

/** The commitment to a - b. @throws KernelError BAD_LENGTH, BAD_POINT. */
export function subtractCommitments(a: Uint8Array, b: Uint8Array): Uint8Array {
  kernels.beginSum();
  addEncoded(a, false);
  addEncoded(b, true);
  return encodeTotal();
}

/** `load` leaves values first .. first + n, as signed 256-bit numbers, where the kernel looks for them. */
function commit(length: number, blinding: Uint8Array, load: (first: number, n: number) => void): Uint8Array {
  assertScalar(blinding);
  deriveGenerators(length);
  kernels.beginSum();
  for (let first = 0; first < length; first += layout.segment) {
    const n = Math.min(layout.segment, length - first);
    load(first, n);
    kernels.sumSegment(first, n);
  }
  memory().set(blinding, layout.scalars);
  kernels.addBlinding();
  const commitment = encodeTotal();
  kernels.eraseSum(Math.min(length + 1, layout.segment));
  return commitment;
}

function addEncoded(commitment: Uint8Array, negative: boolean): void {
  if (commitment.length !== COMMITMENT_BYTES) throw new KernelError('BAD_LENGTH', 'a commitment is 32 bytes');
  memory().set(commitment, layout.operand);
  if (!kernels.addEncoded(layout.operand, negative)) {
    throw new KernelError('BAD_POINT', 'not the encoding of a ristretto255 element');
  }
}

function encodeTotal(): Uint8Array {
  kernels.encodeTotal(layout.operand);
  return memory().slice(layout.operand, layout.operand + COMMITMENT_BYTES);
}
