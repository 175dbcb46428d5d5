/** The little of ASN.1 DER (ITU-T X.690) that Fabric's headers, signatures and certificates need. */

export const TAG = { integer: 0x02, bitString: 0x03, octets: 0x04, oid: 0x06, sequence: 0x30, set: 0x31 } as const;

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** The elements of a DER encoding, one after the other. Throws a `RangeError` for what is not DER. */
export function readElements(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const { start, end } = extent(bytes, at);
    elements.push({ tag: bytes[at]!, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

function extent(bytes: Uint8Array, at: number): { start: number; end: number } {
  const first = bytes[at + 1];
  if (first === undefined || (bytes[at]! & 0x1f) === 0x1f) throw new RangeError('not DER');
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new RangeError('not DER');
    length = 0;
    for (const byte of bytes.subarray(start, start + count)) length = length * 256 + byte;
    start += count;
  }
  if (start + length > bytes.length) throw new RangeError('not DER');
  return { start, end: start + length };
}

export const readSequence = (bytes: Uint8Array): Element[] => {
  const [outer, ...rest] = readElements(bytes);
  if (outer?.tag !== TAG.sequence || rest.length > 0) throw new RangeError('not a DER sequence');
  return readElements(outer.content);
};

/** An element of the given tag; content parts are joined. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tag, length), content]);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.concat([Uint8Array.of(tag, 0x80 | digits.length, ...digits), content]);
}

/** A non-negative integer. */
export function integer(value: bigint | number): Uint8Array {
  const digits = BigInt(value).toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return element(TAG.integer, bytes[0]! >= 0x80 ? Uint8Array.of(0) : Uint8Array.of(), bytes);
}

export const toBigInt = (content: Uint8Array): bigint => BigInt(`0x${Buffer.from(content).toString('hex') || '0'}`);
