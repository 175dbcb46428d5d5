import { fstatSync, openSync, closeSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Where the file system keeps a file or folder. A copy is kept in another place, and so is what a backup brings back. */
export const place = z.strictObject({ device: z.string(), inode: z.string(), born: z.string() });
export type Place = z.infer<typeof place>;

const CLOCK_TICK_MS = 20;

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
}

const placeIn = ({ dev, ino, birthtimeNs }: Stats): Place => ({
  device: String(dev),
  inode: String(ino),
  born: String(birthtimeNs),
});

/** `path` may be an open file. */
export const placeOf = (path: string | number): Place =>
  placeIn(typeof path === 'number' ? fstatSync(path, { bigint: true }) : statSync(path, { bigint: true }));

export const samePlace = (one: Place, other: Place): boolean =>
  one.device === other.device && one.inode === other.inode && one.born === other.born;

/** What the operating system calls this machine; empty where it has no such name. */
export function machineName(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}

/**
 * True where a file keeps its time of birth. Without it a file that is overwritten with its own older content cannot be told from
 * one that was left alone, because numbers of files are given out again.
 */
export function keepsBirths(folder: string): boolean {
  const path = join(folder, 'birth');
  const draft = `${path}.new`;
  try {
    const file = openSync(draft, 'w', 0o600);
    const before = placeOf(file);
    // Some file systems answer with the time of the last change instead: that moves on with the clock.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CLOCK_TICK_MS);
    writeSync(file, Buffer.from('x'));
    closeSync(file);
    renameSync(draft, path);
    const after = placeOf(path);
    return BigInt(after.born) > 0n && samePlace(after, before);
  } catch {
    return false;
  } finally {
    rmSync(path, { force: true });
    rmSync(draft, { force: true });
  }
}
