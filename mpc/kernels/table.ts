import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { kernels, layout, memory } from './load.ts';

/**
 * The first generators as a file beside the kernels, made when they are built: x and y of each, 64 bytes. A block of it is used
 * only if it has the digest below, which anyone can recompute from the definition in `generators.ts`, as a test does; without
 * the file, or with another, generators are derived, which takes twenty times as long.
 */
export const TABLE_FILE = new URL('./generators.bin', import.meta.url);
export const TABLE_BLOCK = 4096;
export const COORDINATES_BYTES = 64;

/** SHA-256 of each block of 4096 generators. */
export const TABLE_DIGESTS: readonly string[] = [
  '135de637f9a92d81a4a6d8dc61d59f423b6a19bab83f5d72eeee087908e85be7',
  '754c025882ce1850539b8a1bf0a39f5d13c6a0686dc6c9979732ef29df01421e',
  'dda4624180c483af5a38ff6bb57272c1fe04dfaae787a0cfcd9e74fae53cf40c',
  '928b671a0b4dd89be44dec18186b68f0f265601501568c2f698fc9b63ec53cfe',
];

/** Loads the generators of a block to where they belong in memory, which must reach there; false if there is no such table. */
export function loadBlock(block: number, file: URL = TABLE_FILE): boolean {
  const expected = TABLE_DIGESTS[block];
  const coordinates = expected === undefined ? undefined : readBlock(block, file);
  if (coordinates === undefined || digestOf(coordinates) !== expected) return false;
  const room = COORDINATES_BYTES * TABLE_PART;
  for (let from = 0; from < TABLE_BLOCK; from += TABLE_PART) {
    const at = COORDINATES_BYTES * from;
    memory().set(coordinates.subarray(at, at + room), layout.operand);
    kernels.loadGenerators(layout.operand, TABLE_BLOCK * block + from, TABLE_PART);
  }
  return true;
}

/** The coordinates of a block whose generators are in memory. */
export function blockOf(block: number): Uint8Array {
  const coordinates = new Uint8Array(COORDINATES_BYTES * TABLE_BLOCK);
  const room = COORDINATES_BYTES * TABLE_PART;
  for (let from = 0; from < TABLE_BLOCK; from += TABLE_PART) {
    kernels.storeGenerators(layout.operand, TABLE_BLOCK * block + from, TABLE_PART);
    coordinates.set(memory().subarray(layout.operand, layout.operand + room), COORDINATES_BYTES * from);
  }
  return coordinates;
}

export const digestOf = (coordinates: Uint8Array): string => createHash('sha256').update(coordinates).digest('hex');

/** Generators whose coordinates fit at `operand`. */
const TABLE_PART = 1024;

function readBlock(block: number, file: URL): Uint8Array | undefined {
  const coordinates = new Uint8Array(COORDINATES_BYTES * TABLE_BLOCK);
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const read = readSync(handle, coordinates, { position: block * coordinates.length });
    return read === coordinates.length ? coordinates : undefined;
  } catch {
    // No table: the generators are derived.
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
