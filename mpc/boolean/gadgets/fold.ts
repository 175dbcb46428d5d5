import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import { sum } from './sum.ts';

/** Pieces that a wire is cut into at once. More make longer circuits, fewer cost more ANDs. */
const PIECES = 64;

/**
 * Population count over lanes: the wire of m * lanes lanes is cut into m pieces of `lanes` lanes, and result lane j counts
 * the ones in lane j of every piece.
 *
 * Cost: about 1.1 triples for each lane of the wire.
 */
export function countOverLanes(circuit: CircuitBuilder, wire: Signal, from: number, lanes: number): Bits {
  let number: Bits = [wire];
  let greatest = 1;
  for (let width = from; width > lanes;) {
    const pieces = largestDivisor(width / lanes);
    const piece = width / pieces;
    const parts = Array.from({ length: pieces }, (_, i) => number.map((bit) => circuit.slice(bit, i * piece, piece)));
    greatest *= pieces;
    number = sum(circuit, parts, greatest.toString(2).length, 'triples');
    width = piece;
  }
  return number;
}

/** The largest divisor of `count` up to PIECES; `count` itself when it is prime and greater. */
function largestDivisor(count: number): number {
  for (let divisor = Math.min(PIECES, count); divisor > 1; divisor--) if (count % divisor === 0) return divisor;
  return count;
}
