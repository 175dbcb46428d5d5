import { createCipheriv, createDecipheriv } from 'node:crypto';
import { discard } from '../../protocol/bytes.ts';
import { TAG_BYTES } from '../../protocol/envelope.ts';

/** Plain bytes of a chunk, as a rule at most. */
export const CHUNK_LIMIT = 256 * 1024;

/** Bytes that are worked on at a time, so that whatever is done with them finds them in the second-level cache. */
const PIECE = 64 * 1024;

/**
 * Chunks sealed in the form of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) by AES-256-GCM: counter nonce
 * and last-flag are authenticated, so that chunks cannot be cut, dropped, repeated or put in another order. A key serves one stream.
 */
export class ChunkSealer {
  readonly #key: Uint8Array;
  #place = 0;
  #space = Buffer.allocUnsafeSlow(CHUNK_LIMIT + TAG_BYTES);

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Body and tag of the pieces as one chunk, valid until the next call. Each piece need be valid only until the next is asked for. */
  seal(pieces: Iterable<Uint8Array>, last: boolean): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#place++));
    cipher.setAAD(Uint8Array.of(last ? 1 : 0));
    let length = 0;
    for (const piece of pieces) {
      const body = cipher.update(piece);
      this.#reserve(length + body.length + TAG_BYTES);
      this.#space.set(body, length);
      length += body.length;
      discard(body);
    }
    cipher.final();
    this.#space.set(cipher.getAuthTag(), length);
    return this.#space.subarray(0, length + TAG_BYTES);
  }

  #reserve(length: number): void {
    if (length > this.#space.length) this.#space = Buffer.concat([this.#space], 2 * length);
  }
}

/** The other end. */
export class ChunkOpener {
  readonly #key: Uint8Array;
  #place = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /**
   * Opens the next chunk into `space`, and returns the part of it that is filled. Throws unless it is the next chunk as it was sealed; what lies in
   * `space` is nothing then. `hash`, if given, takes in the plain bytes while they are at hand: after an error it is worthless.
   */
  open(chunk: Uint8Array, last: boolean, space: Uint8Array, hash?: { update(bytes: Uint8Array): unknown }): Uint8Array {
    const end = chunk.length - TAG_BYTES;
    if (end < 0 || end > space.length) throw new RangeError('a chunk of a length that no chunk has');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(this.#place), { authTagLength: TAG_BYTES });
    decipher.setAAD(Uint8Array.of(last ? 1 : 0));
    decipher.setAuthTag(chunk.subarray(end));
    for (let at = 0; at < end; at += PIECE) {
      const plain = decipher.update(chunk.subarray(at, Math.min(at + PIECE, end)));
      hash?.update(plain);
      space.set(plain, at);
      discard(plain);
    }
    decipher.final();
    this.#place++;
    return space.subarray(0, end);
  }
}

function nonceOf(place: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(place, 8);
  return nonce;
}
