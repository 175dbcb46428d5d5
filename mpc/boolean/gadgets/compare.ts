import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import { carryOut, type Thrift } from './carry.ts';

/** Pads the shorter of two numbers with zeros. */
export function sameWidth(a: Bits, b: Bits): [Bits, Bits] {
  const width = Math.max(a.length, b.length);
  const padded = (bits: Bits): Bits => [...bits, ...Array.from({ length: width - bits.length }, () => false)];
  return [padded(a), padded(b)];
}

/**
 * [a >= b] for unsigned numbers: the carry out of a + NOT b + 1. Either may be public, in all lanes or lane by lane, and
 * then costs less.
 *
 * Cost for w bits and `triples`: w ANDs; with b the same in all lanes at most w - 1, less one for each zero at b's low end.
 */
export function atLeast(circuit: CircuitBuilder, a: Bits, b: Bits, thrift: Thrift = 'triples'): Signal {
  const [left, right] = sameWidth(a, b);
  const negated = right.map((bit) => circuit.not(bit));
  return carryOut(circuit, left, negated, true, thrift);
}

/** [a = b]. Cost: w - 1 ANDs, depth ceil(log2 w). */
export function equals(circuit: CircuitBuilder, a: Bits, b: Bits): Signal {
  const [left, right] = sameWidth(a, b);
  return allOf(
    circuit,
    left.map((bit, i) => circuit.not(circuit.xor(bit, right[i]!))),
  );
}

/** AND of any number of bits; true for none. Cost: one AND less than bits; depth logarithmic. */
export function allOf(circuit: CircuitBuilder, bits: Bits): Signal {
  const open = [...bits];
  while (open.length > 1) {
    open.sort((a, b) => circuit.depth(a) - circuit.depth(b));
    const [a, b] = open.splice(0, 2);
    open.push(circuit.and(a!, b!));
  }
  return open[0] ?? true;
}

/**
 * As `allOf`, one after the other. For bits of one party each: every product then has a factor that is one party's own, which is
 * cheaper to prepare. Depth one less than bits.
 */
export const allInTurn = (circuit: CircuitBuilder, bits: Bits): Signal =>
  bits.reduce((all, bit) => circuit.and(all, bit), true);

/** OR of any number of bits; false for none. Cost: one AND less than bits; depth logarithmic. */
export const anyOf = (circuit: CircuitBuilder, bits: Bits): Signal =>
  circuit.not(
    allOf(
      circuit,
      bits.map((bit) => circuit.not(bit)),
    ),
  );
