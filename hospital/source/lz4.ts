/**
 * Decompresses an LZ4 frame (lz4 Frame Format Description 1.6), as Feather files of pandas and R have by default.
 * Checksums are skipped: the records are checked against the schema. Throws `RangeError` on malformed input.
 */
export function decompressLz4(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== 0x184d2204) throw new RangeError('not an LZ4 frame');
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1 || (flags & 1) !== 0)
    throw new RangeError('LZ4 frame of an unknown version or with a dictionary');
  let position = 6 + ((flags & 8) === 0 ? 0 : 8) + 1;
  const checksum = (flags & 16) === 0 ? 0 : 4;
  const out = new Output();
  for (;;) {
    const size = view.getUint32(position, true);
    position += 4;
    if (size === 0) return out.bytes();
    const length = size & 0x7fffffff;
    if (position + length > frame.length) throw new RangeError('LZ4 block is cut off');
    const block = frame.subarray(position, position + length);
    if (size >>> 31 === 1) out.append(block);
    else decodeBlock(block, out);
    position += length + checksum;
  }
}

/** A growing buffer; matches refer back into it, across blocks. */
class Output {
  #buffer = new Uint8Array(1 << 16);
  #length = 0;

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Repeats `length` bytes from `offset` back; they may overlap with what is being written. */
  repeat(offset: number, length: number): void {
    if (offset === 0 || offset > this.#length) throw new RangeError('LZ4 match out of range');
    this.#reserve(length);
    const end = this.#length + length;
    if (offset >= length) this.#buffer.copyWithin(this.#length, this.#length - offset, end - offset);
    else for (let index = this.#length; index < end; index++) this.#buffer[index] = this.#buffer[index - offset]!;
    this.#length = end;
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

function decodeBlock(block: Uint8Array, out: Output): void {
  let position = 0;
  const byte = (): number => {
    const value = block[position++];
    if (value === undefined) throw new RangeError('LZ4 block is cut off');
    return value;
  };
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let more = 255; more === 255; length += more) more = byte();
    return length;
  };
  while (position < block.length) {
    const token = byte();
    const literals = extended(token >> 4);
    if (position + literals > block.length) throw new RangeError('LZ4 block is cut off');
    out.append(block.subarray(position, position + literals));
    position += literals;
    // The last sequence has literals only.
    if (position === block.length) return;
    const offset = byte() | (byte() << 8);
    out.repeat(offset, extended(token & 15) + 4);
  }
}
