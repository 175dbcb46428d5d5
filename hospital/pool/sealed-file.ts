import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { ByteReader, ByteWriter, discard } from '../../protocol/bytes.ts';
import { canonicalBytes, decodeDocument } from '../../protocol/canonical.ts';
import { Fault } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { machineName, place, placeOf, samePlace } from './place.ts';

const SALT = 32;
const TAG = 16;
const HEAD = SALT + 4;
const TABLE_LIMIT = 1 << 20;

/** The first record of each file: where it was written, and how long the others are. */
const table = z.strictObject({
  machine: z.string(),
  folder: place,
  file: place,
  lengths: z.array(z.int().min(0)),
});

/** Why a file cannot be used. `moved`: it is whole, but a copy, or it was brought back by a backup. */
export type Unusable = 'missing' | 'damaged' | 'moved';

/**
 * A file of secret records, each sealed by itself with AES-256-GCM under a key of this file alone (HKDF-SHA-256 of the pool's
 * key, a fresh salt, and the file's name), the place of a record as nonce. It says inside where it lies, so that a copy is known as
 * one. Written once and as a whole; what was used may be overwritten with zeros.
 */
export class SealedFile {
  readonly #file: number;
  readonly #key: Uint8Array;
  readonly #name: string;
  readonly #start: number;
  readonly lengths: readonly number[];

  private constructor(file: number, key: Uint8Array, name: string, start: number, lengths: readonly number[]) {
    this.#file = file;
    this.#key = key;
    this.#name = name;
    this.#start = start;
    this.lengths = lengths;
  }

  /**
   * Replaces the file in one step, and returns once the new one survives a power cut. A crash leaves the old one or the new one.
   * Errors: `Fault DISK`; then the old one is still there.
   */
  static write(path: string, poolKey: Uint8Array, name: string, records: readonly Uint8Array[]): void {
    const draft = `${path}.new`;
    try {
      rmSync(draft, { force: true });
      const file = openSync(draft, 'wx', 0o600);
      try {
        const salt = new Uint8Array(randomBytes(SALT));
        const key = deriveKey(poolKey, salt, name);
        const first = canonicalBytes({
          machine: machineName(),
          folder: placeOf(dirname(path)),
          file: placeOf(file),
          lengths: records.map(({ length }) => length),
        } satisfies z.infer<typeof table>);
        const head = new ByteWriter().fixed(salt).uint32(first.length).finish();
        writeWhole(file, head);
        [first, ...records].forEach((record, i) => writeWhole(file, seal(key, name, i, record)));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(draft, path);
      syncFolder(dirname(path));
    } catch (cause) {
      rmSync(draft, { force: true });
      throw new Fault('DISK', `cannot write ${basename(path)} of the stock made ahead`, {
        hint: 'Free space on the disk of the state folder.',
        cause,
      });
    }
  }

  /** The caller closes it. */
  static open(path: string, poolKey: Uint8Array, name: string): SealedFile | Unusable {
    let file: number;
    try {
      file = openSync(path, 'r+');
    } catch (cause) {
      return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'damaged';
    }
    try {
      const reader = new ByteReader(readAt(file, 0, HEAD));
      const key = deriveKey(poolKey, reader.fixed(SALT), name);
      const length = reader.uint32();
      if (length > TABLE_LIMIT) throw new RangeError();
      const first = openSealed(key, name, 0, readAt(file, HEAD, length + TAG));
      const { machine, folder, file: own, lengths } = decodeDocument(table, first, { what: 'table' });
      if (machine !== machineName() || !samePlace(own, placeOf(file)) || !samePlace(folder, placeOf(dirname(path)))) {
        closeSync(file);
        return 'moved';
      }
      return new SealedFile(file, key, name, HEAD + length + TAG, lengths);
    } catch {
      closeSync(file);
      return 'damaged';
    }
  }

  /** Undefined for a record that is torn, altered, or overwritten. */
  read(index: number): Uint8Array | undefined {
    try {
      const sealed = readAt(this.#file, this.#at(index), this.lengths[index]! + TAG);
      const record = openSealed(this.#key, this.#name, index + 1, sealed);
      discard(sealed);
      return record;
    } catch {
      return undefined;
    }
  }

  /** Overwrites a record with zeros. A precaution: a disk may keep the old blocks, and nothing rests on it. */
  erase(index: number): void {
    try {
      const zeros = new Uint8Array(this.lengths[index]! + TAG);
      writeSync(this.#file, zeros, 0, undefined, this.#at(index));
      discard(zeros);
    } catch {
      // The journal says that it is spent.
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #at(index: number): number {
    return this.lengths.slice(0, index).reduce((sum, length) => sum + length + TAG, this.#start);
  }
}

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const deriveKey = (poolKey: Uint8Array, salt: Uint8Array, name: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', poolKey, salt, new ByteWriter().text(LABEL.poolFile).text(name).finish(), 32));

const nonceOf = (index: number): Uint8Array => new ByteWriter().uint32(0).uint32(0).uint32(index).finish();

function seal(key: Uint8Array, name: string, index: number, record: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index));
  cipher.setAAD(Buffer.from(name));
  const body = cipher.update(record);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

function openSealed(key: Uint8Array, name: string, index: number, sealed: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const record = decipher.update(sealed.subarray(0, sealed.length - TAG));
  decipher.final();
  return record;
}

function readAt(file: number, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (readSync(file, bytes, 0, length, at) !== length) throw new RangeError();
  return bytes;
}

/** A full disk takes a part and says so by the count alone. */
function writeWhole(file: number, bytes: Uint8Array): void {
  if (writeSync(file, bytes) !== bytes.length) throw new Error('only a part was written');
}
