import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import { carries, majority, type Thrift } from './carry.ts';

/**
 * The sum of any number of unsigned numbers modulo 2^width.
 *
 * With `triples`: each column is summed by full adders down to one bit, one AND for each bit that disappears (Boyar,
 * Peralta, 2008: a population count of n bits costs n minus the ones of n in binary). With `rounds`: a carry-save tree
 * (Wallace, IEEE Trans. EC 1964) of depth about log_1.5 of the summands, then one parallel-prefix adder.
 */
export function sum(circuit: CircuitBuilder, summands: readonly Bits[], width: number, thrift: Thrift): Bits {
  const columns: Signal[][] = Array.from({ length: width }, (_, i) =>
    summands.flatMap((bits) => (i < bits.length ? [bits[i]!] : [])),
  );
  return thrift === 'triples' ? byColumn(circuit, columns) : byTree(circuit, columns);
}

function byColumn(circuit: CircuitBuilder, columns: Signal[][]): Signal[] {
  return columns.map((column, i) => {
    const carry = columns[i + 1];
    while (column.length > 1) {
      shallowestFirst(circuit, column);
      const [a, b, c = false] = column.splice(0, 3);
      column.push(circuit.xor(circuit.xor(a!, b!), c));
      carry?.push(majority(circuit, a!, b!, c));
    }
    return column[0] ?? false;
  });
}

function byTree(circuit: CircuitBuilder, columns: Signal[][]): Signal[] {
  let rows = columns;
  while (rows.some((column) => column.length > 2)) {
    const next: Signal[][] = rows.map(() => []);
    rows.forEach((column, i) => {
      shallowestFirst(circuit, column);
      while (column.length > 2) {
        const [a, b, c] = column.splice(0, 3);
        next[i]!.push(circuit.xor(circuit.xor(a!, b!), c!));
        next[i + 1]?.push(majority(circuit, a!, b!, c!));
      }
      next[i]!.push(...column);
    });
    rows = next;
  }
  const [a, b] = [0, 1].map((row) => rows.map((column) => column[row] ?? false));
  const into = carries(circuit, a!, b!, false, 'rounds');
  return a!.map((bit, i) => circuit.xor(circuit.xor(bit, b![i]!), into[i]!));
}

/** What is known in the earliest round first; public bits last, where adding them to a single bit costs nothing. */
function shallowestFirst(circuit: CircuitBuilder, signals: Signal[]): void {
  const rank = (signal: Signal): number => (typeof signal === 'number' ? circuit.depth(signal) : Infinity);
  signals.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

/** Number of ones among the bits. Cost with `triples`: less than one AND a bit. */
export const countOnes = (circuit: CircuitBuilder, bits: Bits, thrift: Thrift = 'triples'): Bits =>
  sum(
    circuit,
    bits.map((bit) => [bit]),
    bits.length.toString(2).length,
    thrift,
  );
