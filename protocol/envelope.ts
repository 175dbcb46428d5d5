import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import { concatBytes, discard, fromHex, toHex } from './bytes.ts';
import { Abort, Misuse } from './errors.ts';

/** DER header of a raw X25519 public key (RFC 8410): SubjectPublicKeyInfo. */
const SPKI_HEADER = Buffer.from('302a300506032b656e032100', 'hex');
/** DER header of a raw X25519 private key (RFC 8410): PKCS #8. */
const PKCS8_HEADER = Buffer.from('302e020100300506032b656e04220420', 'hex');
export const TAG_BYTES = 16;

/** An X25519 key pair for one session or one answer (RFC 7748). Prints its public half only. */
export class ExchangeKey {
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    this.publicKey = toHex(spki.subarray(spki.length - 32));
  }

  static generate(): ExchangeKey {
    return new ExchangeKey(generateKeyPairSync('x25519').privateKey);
  }

  /** The key pair of 32 secret random bytes. */
  static fromSecret(secret: Uint8Array): ExchangeKey {
    if (secret.length !== 32) throw new Misuse('BAD_KEY', 'an X25519 secret has 32 bytes');
    return new ExchangeKey(
      createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, secret]), format: 'der', type: 'pkcs8' }),
    );
  }

  static fromPem(pem: string): ExchangeKey {
    let key: KeyObject;
    try {
      key = createPrivateKey(pem);
    } catch {
      throw new Misuse('BAD_KEY', 'this is not a private key in PEM form');
    }
    if (key.asymmetricKeyType !== 'x25519') throw new Misuse('BAD_KEY', 'this private key is not an X25519 key');
    return new ExchangeKey(key);
  }

  toPem(): string {
    return this.#privateKey.export({ format: 'pem', type: 'pkcs8' });
  }

  /**
   * The secret shared with the holder of `theirs`, through HKDF-SHA-256 (RFC 5869) with the session as salt.
   * A key of small order (all-zero secret) is refused by the platform and becomes `Abort FORGED_HELLO`, which names
   * `owner` where it is given.
   */
  derive(theirs: string, salt: Uint8Array, info: Uint8Array, bytes: number, owner?: string): Uint8Array {
    let secret: Buffer;
    try {
      const publicKey = createPublicKey({
        key: Buffer.concat([SPKI_HEADER, fromHex(theirs, 32)]),
        format: 'der',
        type: 'spki',
      });
      secret = diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch {
      throw new Abort('FORGED_HELLO', `the session key of ${owner ?? 'the other side'} is not a valid X25519 key`, {
        round: 'hello',
        ...(owner === undefined ? {} : { party: owner }),
      });
    }
    return new Uint8Array(hkdfSync('sha256', secret, salt, info, bytes));
  }

  toJSON(): string {
    return `ExchangeKey(${this.publicKey})`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

/**
 * One direction of a sealed channel: AES-256-GCM with a counter as nonce. A frame that is forged, altered, repeated,
 * left out or out of order does not open, because both sides count and the place is part of the authenticated data.
 */
export class Sealer {
  readonly #key: Uint8Array;
  #counter = 0;
  constructor(key: Uint8Array) {
    this.#key = key;
  }
  /** head || ciphertext || tag (16 bytes). The head is not sealed: what it says belongs into `associated`. */
  seal(plaintext: Uint8Array, associated: Uint8Array, head: Uint8Array = NOTHING): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#counter++));
    cipher.setAAD(associated);
    const body = cipher.update(plaintext);
    cipher.final();
    const sealed = concatBytes(head, body, cipher.getAuthTag());
    discard(body);
    return sealed;
  }
}

export class Opener {
  readonly #key: Uint8Array;
  readonly #party: string;
  #counter = 0;
  constructor(key: Uint8Array, party: string) {
    this.#key = key;
    this.#party = party;
  }
  /** Throws `Abort FORGED_FRAME`: somebody on the way, or the sender, put something else in this place. */
  open(sealed: Uint8Array, associated: Uint8Array): Uint8Array {
    try {
      if (sealed.length < TAG_BYTES) throw new RangeError();
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(this.#counter), { authTagLength: TAG_BYTES });
      decipher.setAAD(associated);
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      const plaintext = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
      decipher.final();
      this.#counter++;
      return plaintext;
    } catch {
      throw new Abort(
        'FORGED_FRAME',
        `a sealed frame from ${this.#party} does not open: altered, repeated, out of order or not from it`,
        {
          party: this.#party,
          hint: 'The relay or the sender changed the stream. Nothing was opened; the session can be attempted again.',
        },
      );
    }
  }
}

const NOTHING = new Uint8Array(0);

function nonceOf(counter: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(Math.floor(counter / 2 ** 32), 4);
  nonce.writeUInt32BE(counter % 2 ** 32, 8);
  return nonce;
}
