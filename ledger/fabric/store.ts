import { mkdir, open, readFile, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalText, decodeCanonical } from '../../protocol/canonical.ts';
import { Fault, Misuse } from '../../protocol/errors.ts';
import { exportedBlock } from '../../protocol/ledger.ts';
import { diskFault } from '../embedded/disk.ts';
import { lockFolder, type FolderLock } from '../embedded/lock.ts';
import type { Block } from './blocks/block.ts';
import { exportBlock, importBlock } from './export.ts';

/** Blocks of a channel are a few MB at most. */
const LINE_LIMIT = 256 << 20;

/**
 * The verified blocks of a channel on disk, one canonical JSON text a line: a restart reads them, verifies them again as if
 * a peer had delivered them, and asks the network only for what came after. A line that a crash cut off is fetched anew.
 *
 * Only one process of a member writes; another on the same folder reads what is there and keeps the rest in memory.
 */
export class BlockStore {
  readonly #path: string | undefined;
  readonly #file: FileHandle | undefined;
  readonly #lock: FolderLock | undefined;
  /** Blocks in the file that this process read or wrote. */
  #inFile = 0;
  /** Blocks that are in no file, as they would stand there. */
  readonly #inMemory: string[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(path?: string, file?: FileHandle, lock?: FolderLock) {
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
  }

  /** Errors: `Fault DISK`. Without a folder blocks are kept in memory. */
  static async open(folder: string | undefined): Promise<BlockStore> {
    if (folder === undefined) return new BlockStore();
    const path = join(folder, 'blocks.jsonl');
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const lock = tryLock(folder);
      return new BlockStore(path, lock === undefined ? undefined : await open(path, 'a', 0o600), lock);
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw diskFault(`cannot open ${path}`, cause);
    }
  }

  /** Whether this process alone writes to the folder. */
  get isHeld(): boolean {
    return this.#lock !== undefined;
  }
  /** Every kept block as one canonical JSON text each, in order. Errors: `Fault DISK`. */
  async lines(): Promise<readonly string[]> {
    await this.#writing;
    const stored = this.#path === undefined ? [] : (await this.#read(this.#path)).toString('utf8').split('\n');
    return [...stored.slice(0, this.#inFile), ...this.#inMemory];
  }

  /** The kept blocks in order. `take` rejects for a block that does not verify. Errors: `Fault DISK`. */
  async load(take: (block: Block) => Promise<void>): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    const content = await this.#read(path);
    let at = 0;
    for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, at)) {
      const line = content.subarray(at, end).toString('utf8');
      await take(this.#decode(path, line));
      this.#inFile += 1;
      at = end + 1;
    }
    if (at < content.length && this.isHeld) await truncate(path, at);
  }

  /** Keeps a verified block; the write is finished later. Throws the `Fault DISK` of an earlier write. */
  async append(block: Block): Promise<void> {
    const line = canonicalText(exportBlock(block));
    const file = this.#file;
    if (file === undefined) {
      this.#inMemory.push(line);
      return;
    }
    await this.#writing;
    this.#inFile += 1;
    this.#writing = file.appendFile(`${line}\n`).catch((cause: unknown) => {
      throw diskFault('cannot write the blocks of the channel', cause);
    });
    // Whoever appends or closes next hears of it.
    this.#writing.catch(() => undefined);
  }

  async close(): Promise<void> {
    try {
      await this.#writing;
    } finally {
      await this.#file?.close();
      this.#lock?.release();
    }
  }

  #read(path: string): Promise<Buffer> {
    return readFile(path).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
      throw diskFault(`cannot read ${path}`, cause);
    });
  }

  #decode(path: string, line: string): Block {
    try {
      return importBlock(decodeCanonical(exportedBlock, line, { what: path, code: 'BAD_FILE', limit: LINE_LIMIT }));
    } catch (cause) {
      throw damaged(path, cause);
    }
  }
}

/** What is on this disk was verified before it came there: it was changed since. */
export const damaged = (path: string, cause: unknown): Fault =>
  new Fault('DISK', `${path} was changed: ${(cause as Error).message}`, {
    hint: 'Remove the file to fetch the channel anew; look at the disk and at who can write to it.',
    cause,
  });

function tryLock(folder: string): FolderLock | undefined {
  try {
    return lockFolder(folder, 'process of this member');
  } catch (error) {
    if (error instanceof Misuse) return undefined;
    throw error;
  }
}
