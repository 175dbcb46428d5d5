import { Misuse } from '../../protocol/errors.ts';

/** A set of cells, one bit each, least significant first: which of a step's cells open. Public. */
export class CellSet {
  readonly length: number;
  readonly bytes: Uint8Array;

  private constructor(length: number, bytes: Uint8Array) {
    this.length = length;
    this.bytes = bytes;
  }

  static of(length: number, has: (index: number) => boolean): CellSet {
    const bytes = new Uint8Array(Math.ceil(length / 8));
    for (let i = 0; i < length; i++) if (has(i)) bytes[i >> 3] = bytes[i >> 3]! | (1 << (i & 7));
    return new CellSet(length, bytes);
  }

  static all(length: number): CellSet {
    return CellSet.of(length, () => true);
  }

  /** Errors: `Misuse MALFORMED` unless the bytes are exactly those of a set over `length` cells. */
  static fromBase64(length: number, text: string): CellSet {
    const bytes = new Uint8Array(Buffer.from(text, 'base64'));
    const spare = 8 * bytes.length - length;
    const clean = spare === 0 || (spare > 0 && spare < 8 && bytes.at(-1)! >> (8 - spare) === 0);
    if (!clean || Buffer.from(bytes).toString('base64') !== text) {
      throw new Misuse('MALFORMED', `not a set of ${length} cells`);
    }
    return new CellSet(length, bytes);
  }

  toBase64(): string {
    return Buffer.from(this.bytes).toString('base64');
  }

  has(index: number): boolean {
    return ((this.bytes[index >> 3]! >> (index & 7)) & 1) === 1;
  }

  get size(): number {
    let size = 0;
    for (let i = 0; i < this.length; i++) if (this.has(i)) size++;
    return size;
  }

  get full(): boolean {
    return this.size === this.length;
  }
}
