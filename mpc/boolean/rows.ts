import { Misuse } from '../../protocol/errors.ts';

/**
 * Bit-sliced integers: bit i of value j is bit j of row i; rows are packed, least significant bit first. Negative values are
 * in two's complement. `Misuse OUT_OF_RANGE` for a value that does not fit, without naming it.
 */
export function bitRows(values: readonly bigint[], width: number, lanes: number, signed = false): Uint8Array[] {
  const rows = Array.from({ length: width }, () => new Uint8Array(lanes / 8));
  values.forEach((value, lane) => {
    if (value !== (signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value))) {
      throw new Misuse('OUT_OF_RANGE', `a value that does not fit ${width} bits`);
    }
    for (let bit = 0, rest = value; bit < width; bit++, rest >>= 1n) {
      rows[bit]![lane >> 3]! |= Number(rest & 1n) << (lane & 7);
    }
  });
  return rows;
}

/** Lane `lane` of a packed row. */
export const bitAt = (row: Uint8Array, lane: number): boolean => ((row[lane >> 3]! >> (lane & 7)) & 1) === 1;

/** The first `count` unsigned integers of bit rows. */
export const integersOf = (rows: readonly Uint8Array[], count: number): number[] =>
  Array.from({ length: count }, (_, lane) =>
    rows.reduce((value, row, bit) => value + (bitAt(row, lane) ? 2 ** bit : 0), 0),
  );
