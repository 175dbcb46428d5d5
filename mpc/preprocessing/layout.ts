import { BLOCK_BITS } from '../boolean/bits.ts';
import { holds, type Factors } from '../boolean/holders.ts';
import { CHECK_BITS } from './cot.ts';
import { HIDING_BITS } from './product-check.ts';

/** Leaky triples of one kind in a row: a multiple of 128. */
export interface Segment {
  readonly factors: Factors;
  readonly count: number;
}

/**
 * Where each party's bits lie in its string of a block of leaky triples: for each segment its bits of x, if it has any, then those
 * of y; at the end everybody's 128 that hide the sums of the check, and the check bits of the transfer.
 */
export class Layout {
  readonly segments: readonly (Segment & { readonly first: number })[];
  /** Leaky triples of all segments. */
  readonly count: number;
  readonly #roster: readonly string[];

  constructor(roster: readonly string[], segments: readonly Segment[]) {
    let first = 0;
    this.segments = segments.map((segment) => {
      const placed = { ...segment, first };
      first += segment.count;
      return placed;
    });
    this.count = first;
    this.#roster = roster;
  }

  /** Bits of x that this party has in a segment: the place of the first, undefined for none. */
  x(party: string, segment: number): number | undefined {
    return this.#has(party, segment, 'a') ? this.#end(party, segment) : undefined;
  }

  /** The same for y. */
  y(party: string, segment: number): number | undefined {
    if (!this.#has(party, segment, 'b')) return undefined;
    return this.#end(party, segment) + (this.#has(party, segment, 'a') ? this.segments[segment]!.count : 0);
  }

  /** The bits that hide sums. */
  hiding(party: string): number {
    return this.#end(party, this.segments.length);
  }

  /** All bits of this party. */
  bitsOf(party: string): number {
    return this.hiding(party) + HIDING_BITS + CHECK_BITS;
  }

  /** Products that this party gets from each other: those in whose x it has bits. */
  productsOf(party: string): number {
    return this.segments.reduce((sum, { count }, i) => sum + (this.#has(party, i, 'a') ? count : 0), 0);
  }

  /** Bits of all segments before this one. */
  #end(party: string, segment: number): number {
    let end = 0;
    for (let i = 0; i < segment; i++) {
      const { count } = this.segments[i]!;
      end += count * (Number(this.#has(party, i, 'a')) + Number(this.#has(party, i, 'b')));
    }
    return end;
  }

  #has(party: string, segment: number, factor: 'a' | 'b'): boolean {
    return holds(this.segments[segment]!.factors[factor], this.#roster.indexOf(party));
  }
}

/** Segments in order, cut into blocks of at most `limit` leaky triples. */
export function cutBlocks(segments: readonly Segment[], limit: number): Segment[][] {
  const blocks: Segment[][] = [];
  let room = 0;
  for (const { factors, count } of segments) {
    for (let left = count; left > 0;) {
      if (room < BLOCK_BITS) {
        blocks.push([]);
        room = limit;
      }
      const taken = Math.min(left, room);
      blocks.at(-1)!.push({ factors, count: taken });
      left -= taken;
      room -= taken;
    }
  }
  return blocks;
}
