import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { hashBytes } from '../protocol/canonical.ts';
import { LABEL } from '../protocol/labels.ts';

export interface SketchRequest {
  readonly column: string;
  /** m: bits of a bitmap, a power of two. */
  readonly bits: number;
  /** 32 bytes that the hospitals of the session share, and nobody else knows. */
  readonly key: Uint8Array;
}

/**
 * The different values of one column, group by group, as bitmaps: a value sets the bit that
 *
 *     HMAC-SHA-256(H(key, column), text) mod m
 *
 * names. The same text sets the same bit at every hospital; without the key a bitmap says nothing of a text but how many
 * there are. For the hospitals' computation alone: it holds what can be tried out by those who have the key.
 */
export class Sketch {
  /** One for each group, packed with the least significant bit first. */
  readonly bitmaps: readonly Uint8Array[];
  /** Different values that were added to each group: each is added once. */
  readonly counts: BigUint64Array;
  readonly #key: Uint8Array;
  readonly #mask: number;

  constructor(groups: number, { column, bits, key }: SketchRequest) {
    this.bitmaps = Array.from({ length: groups }, () => new Uint8Array(bits / 8));
    this.counts = new BigUint64Array(groups);
    this.#key = hashBytes(LABEL.sketch, key, Buffer.from(column, 'utf8'));
    this.#mask = bits - 1;
  }

  add(group: number, text: string): void {
    const bit = createHmac('sha256', this.#key).update(text, 'utf8').digest().readUInt32LE() & this.#mask;
    this.bitmaps[group]![bit >> 3]! |= 1 << (bit & 7);
    this.counts[group]! += 1n;
  }

  toJSON(): string {
    return `Sketch(${this.bitmaps.length} groups, redacted)`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}
