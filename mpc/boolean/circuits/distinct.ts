import { CircuitBuilder, constantBits, widthOf } from '../builder.ts';
import type { Circuit } from '../circuit.ts';
import { anyOf, atLeast } from '../gadgets/compare.ts';
import { countColumns } from '../gadgets/fold.ts';
import { lanesFor } from '../bits.ts';

/**
 * Ones in the OR of all parties' bitmaps, for each of `groups` bitmaps of `bits` bits, or zero where there are fewer than
 * `minimum`. Each party enters one wire: bit i of group j in lane i * groups + j.
 */
export function distinctCircuit(parties: number, groups: number, bits: number, minimum: number): Circuit {
  const builder = new CircuitBuilder();
  const bitmaps = Array.from({ length: parties }, (_, party) => builder.input(party, lanesFor(bits * groups)));
  const count = countColumns(builder, anyOf(builder, bitmaps), bits, groups);
  const least = BigInt(minimum);
  const enough = atLeast(builder, count, constantBits(least, widthOf(least)));
  return builder.build(count.map((bit) => builder.and(bit, enough)));
}
