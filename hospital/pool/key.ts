import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Fault } from '../../protocol/errors.ts';
import { syncFolder } from './sealed-file.ts';

const KEY_BYTES = 32;

/** The secret from which the keys of all files of the pool are derived; undefined where there is none, or none that is whole. */
export function readPoolKey(path: string): Uint8Array | undefined {
  try {
    const key = new Uint8Array(readFileSync(path));
    return key.length === KEY_BYTES ? key : undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Fault('DISK', 'cannot read the key of the stock made ahead', {
      hint: 'Check the permissions of pool.key in the state folder.',
      cause,
    });
  }
}

/** A fresh one in the place of whatever was there. */
export function makePoolKey(path: string): Uint8Array {
  const key = new Uint8Array(randomBytes(KEY_BYTES));
  try {
    rmSync(path, { force: true });
    const file = openSync(path, 'wx', 0o600);
    try {
      if (writeSync(file, key) !== KEY_BYTES) throw new Error('only a part was written');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    syncFolder(dirname(path));
  } catch (cause) {
    throw new Fault('DISK', 'cannot write the key of the stock made ahead', {
      hint: 'Free space on the disk of the state folder.',
      cause,
    });
  }
  return key;
}
