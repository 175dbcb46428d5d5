import { createCipheriv, createDecipheriv } from 'node:crypto';
import { discard } from '../../protocol/bytes.ts';
import { TAG_BYTES } from '../../protocol/envelope.ts';

/**
 * Chunks sealed in the form of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) by AES-256-GCM: counter nonce
 * and last-flag are authenticated, so that chunks cannot be cut, dropped, repeated or put in another order. A key serves one stream.
 */
export class ChunkSealer {
  readonly #key: Uint8Array;
  #place = 0;
  #space = new Uint8Array();

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Body and tag, valid until the next call. */
  seal(plain: Uint8Array, last: boolean): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#place++));
    cipher.setAAD(Uint8Array.of(last ? 1 : 0));
    const body = cipher.update(plain);
    cipher.final();
    const length = plain.length + TAG_BYTES;
    if (this.#space.length < length) this.#space = Buffer.allocUnsafeSlow(length);
    this.#space.set(body);
    this.#space.set(cipher.getAuthTag(), plain.length);
    discard(body);
    return this.#space.subarray(0, length);
  }
}

/** The other end. */
export class ChunkOpener {
  readonly #key: Uint8Array;
  #place = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The plain bytes, which are the caller's to `discard`. Throws unless it is the next chunk as it was sealed. */
  open(chunk: Uint8Array, last: boolean): Uint8Array {
    const end = chunk.length - TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(this.#place), { authTagLength: TAG_BYTES });
    decipher.setAAD(Uint8Array.of(last ? 1 : 0));
    decipher.setAuthTag(chunk.subarray(end));
    const plain = decipher.update(chunk.subarray(0, end));
    decipher.final();
    this.#place++;
    return plain;
  }
}

function nonceOf(place: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(place, 8);
  return nonce;
}
