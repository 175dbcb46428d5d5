import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import { carries, carryOut, majority, type Thrift } from './carry.ts';

/**
 * The sum of any number of unsigned numbers modulo 2^width.
 *
 * With `triples`: each column is summed by full adders down to one bit, one AND for each bit that disappears (Boyar,
 * Peralta, 2008: a population count of n bits costs n minus the ones of n in binary). With `rounds`: a carry-save tree
 * (Wallace, IEEE Trans. EC 1964) of depth about log_1.5 of the summands, then one parallel-prefix adder.
 */
export function sum(circuit: CircuitBuilder, summands: readonly Bits[], width: number, thrift: Thrift): Bits {
  const columns = columnsOf(summands, width);
  if (thrift === 'triples') return byColumn(circuit, columns);
  const [a, b] = byTree(circuit, columns);
  const into = carries(circuit, a, b, false, thrift);
  return a.map((bit, i) => circuit.xor(circuit.xor(bit, b[i]!), into[i]!));
}

/** The highest bit of the sum modulo 2^width: in two's complement its sign. With `rounds` cheaper than the whole sum. */
export function topBit(circuit: CircuitBuilder, summands: readonly Bits[], width: number, thrift: Thrift): Signal {
  if (thrift === 'triples') return sum(circuit, summands, width, thrift).at(-1)!;
  const [a, b] = byTree(circuit, columnsOf(summands, width));
  const into = carryOut(circuit, a.slice(0, -1), b.slice(0, -1), false, thrift);
  return circuit.xor(circuit.xor(a.at(-1)!, b.at(-1)!), into);
}

const columnsOf = (summands: readonly Bits[], width: number): Signal[][] =>
  Array.from({ length: width }, (_, i) => summands.flatMap((bits) => (i < bits.length ? [bits[i]!] : [])));

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

/** Two numbers with the same sum. */
function byTree(circuit: CircuitBuilder, columns: Signal[][]): [Bits, Bits] {
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
  const row = (place: number): Bits => rows.map((column) => column[place] ?? false);
  return [row(0), row(1)];
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
