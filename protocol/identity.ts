import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as edSign,
  verify as edVerify,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import { fromHex, toHex } from './bytes.ts';
import { hashBytes } from './canonical.ts';
import { Misuse } from './errors.ts';
import { LABEL, type Label } from './labels.ts';

/** DER header of a raw Ed25519 public key (RFC 8410): SubjectPublicKeyInfo. */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex');

const publicKeys = new Map<string, KeyObject>();

function publicKeyObject(publicKeyHex: string): KeyObject {
  let key = publicKeys.get(publicKeyHex);
  if (key === undefined) {
    const der = Buffer.concat([SPKI_HEADER, fromHex(publicKeyHex, 32)]);
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (publicKeys.size > 10_000) publicKeys.clear();
    publicKeys.set(publicKeyHex, key);
  }
  return key;
}

/** An Ed25519 identity key pair. Prints its public half only. */
export class Identity {
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    this.publicKey = toHex(spki.subarray(spki.length - 32));
  }

  static generate(): Identity {
    return new Identity(generateKeyPairSync('ed25519').privateKey);
  }

  /** Reads a PKCS #8 PEM file's text, as `openssl genpkey -algorithm ed25519` writes it. */
  static fromPem(pem: string): Identity {
    let key: KeyObject;
    try {
      key = createPrivateKey(pem);
    } catch {
      throw new Misuse('BAD_KEY', 'this is not a private key in PEM form', {
        hint: 'Make one with: healthchain keys generate',
      });
    }
    if (key.asymmetricKeyType !== 'ed25519') throw new Misuse('BAD_KEY', 'this private key is not an Ed25519 key');
    return new Identity(key);
  }

  toPem(): string {
    return this.#privateKey.export({ format: 'pem', type: 'pkcs8' });
  }

  /** Ed25519 over label and message, both length-prefixed. 64 bytes. */
  sign(label: Label, message: Uint8Array): Uint8Array {
    return new Uint8Array(edSign(null, hashBytes(label, message), this.#privateKey));
  }

  toJSON(): string {
    return `Identity(${this.publicKey})`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

/** True when `signature` is `publicKey`'s over label and message. Malformed keys and signatures are false. */
export function verifySignature(publicKey: string, label: Label, message: Uint8Array, signature: Uint8Array): boolean {
  return verifyDigest(publicKey, hashBytes(label, message), signature);
}

/** As `verifySignature`, by a caller who has the hash of label and message already. */
export function verifyDigest(publicKey: string, digest: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  try {
    return edVerify(null, digest, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
}

/** Eight groups of four digits that two people can read to each other over the telephone. */
export function keyFingerprint(publicKey: string): string {
  const hash = toHex(hashBytes(LABEL.keyFingerprint, fromHex(publicKey, 32)));
  return hash.slice(0, 32).match(/.{4}/g)!.join(' ');
}
