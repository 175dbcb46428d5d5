import { glob, open, stat } from 'node:fs/promises';
import { basename, extname, resolve, sep } from 'node:path';
import { Misuse } from '../../protocol/errors.ts';
import type { Format } from './config.ts';

/** One file as it was when looked at; a rewritten file differs in at least one of the numbers. */
export interface FileIdentity {
  readonly path: string;
  readonly size: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
  readonly inode: bigint;
}

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'csv',
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.arrow': 'arrow',
  '.feather': 'arrow',
  '.ipc': 'arrow',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};

export const nameOf = (path: string): string => basename(path);

/** What to call some files where all of them are spoken of: the shortest ends of their paths that tell them apart. */
export function namesOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const parts = paths.map((path) => path.split(sep));
  const most = Math.max(...parts.map(({ length }) => length));
  let length = 1;
  const ends = (): string[] => parts.map((each) => each.slice(-length).join(sep));
  while (length < most && new Set(ends()).size < paths.length) length += 1;
  return new Map(ends().map((end, index) => [paths[index]!, end]));
}

/**
 * The files that paths and globs name, sorted, each once. Errors: `Misuse BAD_FILE` for one that is absent, a folder,
 * empty, or not to be read.
 */
export async function findFiles(patterns: readonly string[]): Promise<FileIdentity[]> {
  const paths = new Set<string>();
  for (const pattern of patterns) {
    const found = await expand(resolve(pattern));
    if (found.length === 0) {
      throw new Misuse('BAD_FILE', `no file matches ${nameOf(pattern)}`, { hint: 'Check the path and the glob.' });
    }
    for (const path of found) paths.add(path);
  }
  return Promise.all([...paths].sort().map(identify));
}

/** Looks at one file. */
export async function identify(path: string): Promise<FileIdentity> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (found.isDirectory()) {
    throw new Misuse('BAD_FILE', `${nameOf(path)} is a folder`, { hint: 'Name its files, as folder/*.csv.' });
  }
  if (!found.isFile()) throw new Misuse('BAD_FILE', `${nameOf(path)} is not a regular file`);
  if (found.size === 0n) {
    throw new Misuse('BAD_FILE', `${nameOf(path)} is empty`, { hint: 'Export it again, or take it off the list.' });
  }
  return { path, size: found.size, modified: found.mtimeNs, changed: found.ctimeNs, inode: found.ino };
}

/** Whether two looks saw the same files with the same contents, as far as size and times tell. */
export const sameFiles = (left: readonly FileIdentity[], right: readonly FileIdentity[]): boolean =>
  left.length === right.length && left.every((file, index) => sameFile(file, right[index]!));

const sameFile = (left: FileIdentity, right: FileIdentity): boolean =>
  left.path === right.path &&
  left.size === right.size &&
  left.modified === right.modified &&
  left.changed === right.changed &&
  left.inode === right.inode;

/** The files by their formats. Errors: `Misuse BAD_CONFIG` where an extension does not tell it. */
export const byFormat = (paths: readonly string[], stated?: Format): Map<Format, string[]> =>
  Map.groupBy(paths, (path) => formatOf([path], stated));

/** The one format of all files. Errors: `Misuse BAD_CONFIG` where the extensions do not tell it. */
export function formatOf(paths: readonly string[], stated?: Format): Format {
  if (stated !== undefined) return stated;
  const formats = new Set(paths.map((path) => BY_EXTENSION[extname(path).toLowerCase()]));
  const [format] = formats;
  if (formats.size === 1 && format !== undefined) return format;
  throw new Misuse('BAD_CONFIG', `cannot tell the format of ${nameOf(paths[0] ?? 'no file')} from its extension`, {
    hint: `All files of a dataset have one of ${Object.keys(BY_EXTENSION).join(', ')}, or the configuration sets format. Export spreadsheets as CSV; decompress what is compressed.`,
  });
}

export const twoAlike = (path: string): Misuse =>
  new Misuse('BAD_FILE', `${nameOf(path)}: two columns have the same name`, {
    hint: 'Rename one of them; capitals alone do not tell names apart.',
  });

/** The first bytes of a file, at most `length`. */
export async function readStart(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function expand(pattern: string): Promise<string[]> {
  // A path that exists is taken as it stands, so that [ and * in real file names need no escape.
  const exists = await stat(pattern).then(
    () => true,
    () => false,
  );
  if (exists || !/[*?[{]/.test(pattern)) return [pattern];
  return Array.fromAsync(glob(pattern));
}

function unreadable(path: string, error: unknown): Misuse {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new Misuse('BAD_FILE', `${nameOf(path)} does not exist`, { hint: 'Check the path.' });
  if (code === 'EACCES' || code === 'EPERM') {
    return new Misuse('BAD_FILE', `no permission to read ${nameOf(path)}`, {
      hint: 'Let the account that runs this program read it.',
    });
  }
  return new Misuse('BAD_FILE', `${nameOf(path)} cannot be read`);
}
