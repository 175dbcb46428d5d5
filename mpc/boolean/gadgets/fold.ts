import { lanesFor } from '../bits.ts';
import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import { NOWHERE } from '../circuit.ts';
import { sum } from './sum.ts';

/** Pieces that a wire is cut into at once. More make longer circuits, fewer cost more ANDs. */
const PIECES = 64;

/**
 * Population count over lanes. The wire holds `rows` rows of `columns` lanes, one after another, padded at the end; lane j
 * of the result counts the ones of column j, for j below `columns`.
 *
 * Cost: 1.1 to 1.4 triples for each lane of the wire, once it has some thousand lanes.
 */
export function countColumns(circuit: CircuitBuilder, wire: Signal, rows: number, columns: number): Bits {
  let number: Bits = [wire];
  let greatest = 1;
  for (let left = rows; left > 1;) {
    const pieces = piecesOf(left, columns);
    const height = Math.ceil(left / pieces);
    const parts = Array.from({ length: pieces }, (_, i) =>
      number.map((bit) =>
        rowsOf(circuit, bit, { first: i * height, end: Math.min(left, (i + 1) * height), height }, columns),
      ),
    );
    greatest *= pieces;
    number = sum(circuit, parts, Math.min(greatest, rows).toString(2).length, 'triples');
    left = height;
  }
  return number;
}

/** As many pieces as the blocks of lanes allow without waste; halves where they do not. */
function piecesOf(rows: number, columns: number): number {
  for (let pieces = Math.min(PIECES, rows); pieces > 2; pieces--) {
    const piece = (rows / pieces) * columns;
    if (rows % pieces === 0 && piece === lanesFor(piece)) return pieces;
  }
  return 2;
}

/** The rows from `first` up to `end`, as a wire for `height` rows. */
function rowsOf(
  circuit: CircuitBuilder,
  bit: Signal,
  { first, end, height }: { first: number; end: number; height: number },
  columns: number,
): Signal {
  if (typeof bit !== 'number') return bit;
  const lanes = lanesFor(height * columns);
  if ((first * columns) % 128 === 0 && lanes === height * columns && end - first === height) {
    return circuit.slice(bit, first * columns, lanes);
  }
  const from = Uint32Array.from({ length: lanes }, (_, lane) =>
    lane < (end - first) * columns ? first * columns + lane : NOWHERE,
  );
  return circuit.gather(bit, from);
}
