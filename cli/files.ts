import { existsSync, mkdirSync, readFileSync, writeFileSync, renameSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { decodeDocument } from '../protocol/canonical.ts';
import { Fault, Misuse, type MisuseCode } from '../protocol/errors.ts';
import { handWritten } from '../protocol/hand-written.ts';

/** Reads a text file that the user named. Errors: `Misuse BAD_FILE` saying which and why. */
export function readText(path: string, what: string): string {
  if (!existsSync(path))
    throw new Misuse('BAD_FILE', `${what}: ${path} does not exist`, {
      hint: 'Check the path; it is relative to the present folder.',
    });
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Misuse('BAD_FILE', `${what}: ${path} cannot be read`, {
      hint: 'Is it a file, and may you read it?',
      cause,
    });
  }
}

/** A document that a person wrote. */
export function readDocument<T>(type: z.ZodType<T>, path: string, what: string, code: MisuseCode = 'MALFORMED'): T {
  const named = `${what} (${path})`;
  return decodeDocument(type, handWritten(readText(path, what), named, code), {
    what: named,
    code,
    limit: 64 << 20,
    own: true,
  });
}

/** Writes a file whole or not at all: a full disk leaves no half of a result behind. */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): void {
  try {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    writeFileSync(`${path}.partial`, content, { mode });
    renameSync(`${path}.partial`, path);
  } catch (cause) {
    throw new Fault('DISK', `cannot write ${path}`, { hint: 'Check free space and permissions of the folder.', cause });
  }
}
