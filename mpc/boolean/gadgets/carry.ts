import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import { factorsOf, weightOf } from '../holders.ts';

/** Which of the two to spend less of: triples or rounds. */
export type Thrift = 'triples' | 'rounds';

/**
 * The carries of a + b + carryIn: element i is the carry into position i, the last one the carry out.
 *
 * Cost for w bits: with `triples` one AND a bit and depth w (Boyar, Damgard, Peralta, J. Cryptology 2013: the majority
 * ((a + c)(b + c)) + c); with `rounds` the parallel prefix of Sklansky (IRE Trans. 1960), depth 1 + ceil(log2 w) and about
 * w + w log2 w ANDs.
 */
export function carries(circuit: CircuitBuilder, a: Bits, b: Bits, carryIn: Signal, thrift: Thrift): Signal[] {
  return thrift === 'triples' ? rippled(circuit, a, b, carryIn) : prefixed(circuit, a, b, carryIn);
}

/**
 * The carry out alone. With `rounds`, blocks of positions ripple and their spans are joined in a tree: as deep as the prefix, or
 * less, and with blocks of m positions about 2 w + w / m ANDs.
 */
export function carryOut(circuit: CircuitBuilder, a: Bits, b: Bits, carryIn: Signal, thrift: Thrift): Signal {
  if (thrift === 'triples' || a.length === 0) return rippled(circuit, a, b, carryIn).at(-1)!;
  const size = blockSize(a.length);
  const blocks = Array.from({ length: Math.ceil(a.length / size) }, (_, i): Span => {
    const [left, right] = [a, b].map((bits) => bits.slice(size * i, size * (i + 1)));
    if (i === 0) return { makes: rippled(circuit, left!, right!, carryIn).at(-1)!, passes: false };
    const differ = left!.map((bit, j) => circuit.xor(bit, right![j]!));
    return {
      makes: rippled(circuit, left!, right!, false).at(-1)!,
      passes: differ.reduce((all, bit) => circuit.and(all, bit)),
    };
  });
  return joinAll(circuit, blocks).makes;
}

/** The longest blocks that make the carry out no deeper than blocks of one position do. */
function blockSize(width: number): number {
  const depth = (size: number): number => size + Math.ceil(Math.log2(Math.ceil(width / size)));
  let size = 1;
  while (depth(size + 1) <= depth(1)) size++;
  return size;
}

/** Carry of one full adder: the majority of three bits. Cost: one AND, of the factors that are cheapest to prepare. */
export function majority(circuit: CircuitBuilder, a: Signal, b: Signal, c: Signal): Signal {
  const weight = ([x, y, z]: readonly [Signal, Signal, Signal]): number => {
    const [left, right, both] = [circuit.holders(x), circuit.holders(y), circuit.holders(z)];
    return weightOf(factorsOf(left | both, right | both));
  };
  const orders = [
    [a, b, c],
    [b, c, a],
    [a, c, b],
  ] as const;
  const [x, y, z] = orders.reduce((best, order) => (weight(order) < weight(best) ? order : best));
  return circuit.xor(circuit.and(circuit.xor(x, z), circuit.xor(y, z)), z);
}

function rippled(circuit: CircuitBuilder, a: Bits, b: Bits, carryIn: Signal): Signal[] {
  const result = [carryIn];
  a.forEach((bit, i) => result.push(majority(circuit, bit, b[i]!, result[i]!)));
  return result;
}

/** A span of positions makes a carry of its own, or passes on the one that comes in; never both. */
interface Span {
  readonly makes: Signal;
  readonly passes: Signal;
}

const join = (circuit: CircuitBuilder, low: Span, high: Span): Span => ({
  makes: circuit.xor(high.makes, circuit.and(high.passes, low.makes)),
  passes: circuit.and(high.passes, low.passes),
});

function joinAll(circuit: CircuitBuilder, spans: readonly Span[]): Span {
  if (spans.length === 1) return spans[0]!;
  const middle = spans.length >> 1;
  return join(circuit, joinAll(circuit, spans.slice(0, middle)), joinAll(circuit, spans.slice(middle)));
}

function prefixed(circuit: CircuitBuilder, a: Bits, b: Bits, carryIn: Signal): Signal[] {
  /** Spans from `first` to each position below `end`. */
  const scan = (first: number, end: number): Span[] => {
    if (end - first === 1) {
      // Position -1 is the carry in.
      if (first < 0) return [{ makes: carryIn, passes: false }];
      return [{ makes: circuit.and(a[first]!, b[first]!), passes: circuit.xor(a[first]!, b[first]!) }];
    }
    const middle = (first + end) >> 1;
    const low = scan(first, middle);
    return [...low, ...scan(middle, end).map((span) => join(circuit, low.at(-1)!, span))];
  };
  return scan(-1, a.length).map((span) => span.makes);
}
