import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import type { Thrift } from './carry.ts';
import { atLeast, sameWidth } from './compare.ts';

/** The first number where the selector is 1, else the second. Cost: one AND a bit. */
export function choose(circuit: CircuitBuilder, selector: Signal, one: Bits, zero: Bits): Bits {
  const [a, b] = sameWidth(one, zero);
  return a.map((bit, i) => circuit.xor(circuit.and(selector, circuit.xor(bit, b[i]!)), b[i]!));
}

/** Both numbers, the greater first. Cost for w bits and `triples`: w ANDs to compare and w to exchange. */
export function ordered(
  circuit: CircuitBuilder,
  left: Bits,
  right: Bits,
  thrift: Thrift = 'triples',
): { greater: Bits; lesser: Bits } {
  const [a, b] = sameWidth(left, right);
  const greater = choose(circuit, atLeast(circuit, a, b, thrift), a, b);
  // What one of the two does not take, the other does: their XOR is known.
  return { greater, lesser: a.map((bit, i) => circuit.xor(circuit.xor(bit, b[i]!), greater[i]!)) };
}

/**
 * All numbers but the greatest. A knock-out tournament: each match keeps its loser.
 *
 * Cost for n numbers of w bits: 2 w (n - 1) ANDs, depth (w + 1) ceil(log2 n).
 */
export function withoutGreatest(circuit: CircuitBuilder, numbers: readonly Bits[]): Bits[] {
  const losers: Bits[] = [];
  let players = [...numbers];
  while (players.length > 1) {
    const winners: Bits[] = [];
    for (let i = 0; i + 1 < players.length; i += 2) {
      const { greater, lesser } = ordered(circuit, players[i]!, players[i + 1]!);
      winners.push(greater);
      losers.push(lesser);
    }
    if (players.length % 2 === 1) winners.push(players.at(-1)!);
    players = winners;
  }
  return losers;
}
