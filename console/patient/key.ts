/**
 * A patient's key in a browser, by the Web Cryptography API alone. The file it is kept in is encrypted under a passphrase:
 * PBKDF2 with HMAC-SHA-256 and 600,000 iterations (OWASP, Password Storage Cheat Sheet, 2023) to a key of AES-256-GCM.
 */

const ITERATIONS = 600_000;
const FORMAT = 'healthchain-patient-key/1';

export interface KeyFile {
  readonly format: typeof FORMAT;
  /** Hexadecimal, as all bytes here. */
  readonly publicKey: string;
  readonly iterations: number;
  readonly salt: string;
  readonly iv: string;
  readonly data: string;
}

export interface PatientKey {
  readonly publicKey: string;
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** The key as the text of an encrypted file. */
  seal(passphrase: string): Promise<string>;
}

/** Why a key cannot be had, in words for the person who asked. */
export class KeyProblem extends Error {}

export async function makeKey(): Promise<PatientKey> {
  const made = await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify']).catch(() => undefined);
  if (made === undefined) {
    throw new KeyProblem('This browser cannot make Ed25519 keys. A newer one can, or the command line.');
  }
  // Node's and browsers' types differ here.
  return asKey((made as unknown as { privateKey: CryptoKey }).privateKey);
}

/** Reads what `seal` wrote, or an unencrypted PEM file as the command line writes. */
export async function readKey(text: string, passphrase: string): Promise<PatientKey> {
  if (text.includes('-----BEGIN PRIVATE KEY-----')) return importKey(ofPem(text));
  const file = ofJson(text);
  const cipher = await cipherKey(passphrase, ofHex(file.salt), file.iterations);
  const algorithm = { name: 'AES-GCM', iv: ofHex(file.iv), additionalData: bound(file.publicKey) };
  const opened = await crypto.subtle.decrypt(algorithm, cipher, ofHex(file.data)).catch(() => {
    throw new KeyProblem('The passphrase is wrong, or the file was changed.');
  });
  const key = await importKey(new Uint8Array(opened));
  if (key.publicKey !== file.publicKey) throw new KeyProblem('The file was changed.');
  return key;
}

function importKey(pkcs8: Uint8Array<ArrayBuffer>): Promise<PatientKey> {
  return crypto.subtle
    .importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign'])
    .catch(() => {
      throw new KeyProblem('This is no Ed25519 key, or this browser does not know them.');
    })
    .then(asKey);
}

async function asKey(privateKey: CryptoKey): Promise<PatientKey> {
  const { x = '' } = await crypto.subtle.exportKey('jwk', privateKey);
  const publicKey = toHex(ofBase64(x.replaceAll('-', '+').replaceAll('_', '/')));
  return {
    publicKey,
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message)),
    seal: async (passphrase) => {
      const salt = crypto.getRandomValues(new Uint8Array(16));
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const cipher = await cipherKey(passphrase, salt, ITERATIONS);
      const plain = await crypto.subtle.exportKey('pkcs8', privateKey);
      const algorithm = { name: 'AES-GCM', iv, additionalData: bound(publicKey) };
      const data = new Uint8Array(await crypto.subtle.encrypt(algorithm, cipher, plain));
      const file: KeyFile = {
        ...{ format: FORMAT, publicKey, iterations: ITERATIONS },
        ...{ salt: toHex(salt), iv: toHex(iv), data: toHex(data) },
      };
      return `${JSON.stringify(file, undefined, 2)}\n`;
    },
  };
}

async function cipherKey(passphrase: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const secret = new TextEncoder().encode(passphrase.normalize('NFKC'));
  const base = await crypto.subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

/** The public half cannot be exchanged for another without the passphrase. */
const bound = (publicKey: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(`${FORMAT} ${publicKey}`);

function ofJson(text: string): KeyFile {
  const problem = new KeyProblem('This is no key file.');
  let file: Partial<KeyFile> | null;
  try {
    file = JSON.parse(text) as Partial<KeyFile> | null;
  } catch {
    throw problem;
  }
  const { format, publicKey, iterations, salt, iv, data } = file ?? {};
  const bytes = [publicKey, salt, iv, data].every((each) => typeof each === 'string' && /^([0-9a-f]{2})+$/.test(each));
  // A file that asks for ten million rounds would keep the browser for minutes.
  const rounds = Number.isInteger(iterations) && iterations! >= 1 && iterations! <= 10_000_000;
  if (format !== FORMAT || !bytes || !rounds) throw problem;
  return file as KeyFile;
}

function ofPem(text: string): Uint8Array<ArrayBuffer> {
  const inside = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(text)?.[1];
  if (inside === undefined) throw new KeyProblem('This is no key file.');
  try {
    return ofBase64(inside.replaceAll(/\s/g, ''));
  } catch {
    throw new KeyProblem('This is no key file.');
  }
}

const ofBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const ofHex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g) ?? [], (each) => Number.parseInt(each, 16));
