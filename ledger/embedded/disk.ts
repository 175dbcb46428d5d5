import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../../protocol/errors.ts';

/** What the log asks of its file: a real one, or in tests one that fails. */
export interface AppendFile {
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves once all that was appended survives a power cut. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export async function openAppendFile(path: string): Promise<AppendFile> {
  const handle = await open(path, 'a', 0o600);
  await syncFolder(dirname(path));
  return {
    append: (bytes) => handle.appendFile(bytes),
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

/** A file's bytes, or undefined when there is none. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw diskFault(`cannot read ${path}`, cause);
  }
}

/** Replaces a file in one step: readers and a crash see the old text or the new, never a part. */
export async function replaceFile(path: string, text: string, options: { readonly durable: boolean }): Promise<void> {
  // A node and a command of the same member may write the same checkpoint at once: each has a draft of its own.
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeFile(draft, text, { mode: 0o600, flush: options.durable });
    await rename(draft, path);
    if (options.durable) await syncFolder(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw diskFault(`cannot write ${path}`, cause);
  }
}

/** A new or renamed file survives a power cut only once its folder is on disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const diskFault = (message: string, cause?: unknown): Fault =>
  new Fault('DISK', `${message}${describeCode(cause)}`, {
    hint: 'Check free space, permissions and the health of the disk.',
    cause,
  });

function describeCode(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? ` (${code})` : '';
}
