import { CircuitBuilder } from '../builder.ts';
import type { Circuit } from '../circuit.ts';
import { isSumNegative } from '../gadgets/signed.ts';

/**
 * [sum of all parties' numbers >= 0], for one number of `width` bits in two's complement from each; `width` holds the sum.
 *
 * Cost: depth about log_1.5 of the parties and log2 of the width, so that a search of many steps takes few rounds.
 */
export function signCircuit(parties: number, width: number, lanes: number): Circuit {
  const builder = new CircuitBuilder();
  const numbers = Array.from({ length: parties }, (_, party) => builder.inputs(party, lanes, width));
  return builder.build([builder.not(isSumNegative(builder, numbers, width, 'rounds'))]);
}
