import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Misuse } from './errors.ts';

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** Decodes lower-case hexadecimal of exactly `length` bytes; anything else is `Misuse MALFORMED`. */
export function fromHex(text: string, length: number): Uint8Array {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) {
    throw new Misuse('MALFORMED', `expected ${length} bytes as lower-case hexadecimal`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // Every byte is written below, so the memory need not be cleared first.
  const whole = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Gives back the memory of bytes that nobody reads any more, at once: buffers of a cipher or a socket would else pile up until a garbage
 * collection, which costs more than the work on them. Leaves them empty, and does nothing to a view of part of a buffer, which others may share.
 */
export function discard(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.length > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) buffer.transfer(0);
}

/** Compares in time that depends on the lengths only. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** A zod type for lower-case hexadecimal of exactly `length` bytes. */
export const hexOf = (length: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * length}}$`), `expected ${length} bytes as lower-case hexadecimal`);

/** Writes the fixed binary layouts of `docs/protocol.md`: big-endian integers, length-prefixed byte strings. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  uint8(value: number): this {
    return this.#integer(value, 1);
  }
  uint32(value: number): this {
    return this.#integer(value, 4);
  }
  fixed(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }
  /** Length (uint32), then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.uint32(bytes.length).fixed(bytes);
  }
  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }
  finish(): Uint8Array {
    return concatBytes(...this.#parts);
  }
  #integer(value: number, width: 1 | 4): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
      throw new Misuse('OUT_OF_RANGE', `not an unsigned integer of ${width} bytes`);
    }
    return this.fixed(
      width === 1 ? Uint8Array.of(value) : Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value),
    );
  }
}

/** Reads what `ByteWriter` wrote. Truncated input and trailing bytes are `Misuse MALFORMED`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  uint32(): number {
    return this.#view.getUint32(this.#advance(4));
  }
  fixed(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }
  /** A length-prefixed byte string of at most `limit` bytes. */
  bytes(limit: number): Uint8Array {
    const length = this.uint32();
    if (length > limit)
      throw new Misuse('MALFORMED', `byte string of ${length} bytes where at most ${limit} are allowed`);
    return this.fixed(length);
  }
  text(limit: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(limit));
    } catch (cause) {
      if (cause instanceof Misuse) throw cause;
      throw new Misuse('MALFORMED', 'text that is not UTF-8');
    }
  }
  rest(): Uint8Array {
    return this.fixed(this.#bytes.length - this.#at);
  }
  end(): void {
    if (this.#at !== this.#bytes.length) throw new Misuse('MALFORMED', 'trailing bytes');
  }
  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new Misuse('MALFORMED', 'truncated');
    this.#at = start + length;
    return start;
  }
}
