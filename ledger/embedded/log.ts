import { canonicalText, decodeCanonical } from '../../protocol/canonical.ts';
import { Fault, HealthchainError } from '../../protocol/errors.ts';
import { entry, type Entry } from '../../protocol/ledger.ts';
import { diskFault, openAppendFile, readIfPresent, type AppendFile } from './disk.ts';

const NEWLINE = 0x0a;
/** An entry is an action of at most 1 MiB and its link. */
const LINE_LIMIT = 2 << 20;

/**
 * The ledger on disk: one canonical JSON entry a line, append-only. A line counts once its newline is there.
 *
 * Crash rules. `append` resolves after fdatasync, so an acknowledged line survives; what a crash leaves behind the last
 * newline was never acknowledged and is cut off. A complete line that does not decode is damage, not a
 * crash: it is reported with its number and nothing is dropped.
 */
export class EntryLog {
  readonly #file: AppendFile;
  /** Up to the last newline. */
  #length: number;
  #torn: boolean;
  #broken: unknown;

  constructor(file: AppendFile, length: number, torn = false) {
    this.#file = file;
    this.#length = length;
    this.#torn = torn;
  }

  /** Opens the log and returns its entries; changes nothing yet. Errors: `Fault DISK`, naming a damaged entry. */
  static async open(path: string): Promise<{ readonly log: EntryLog; readonly entries: readonly Entry[] }> {
    const bytes = (await readIfPresent(path)) ?? Buffer.alloc(0);
    const length = bytes.lastIndexOf(NEWLINE) + 1;
    const entries = decodeLines(bytes.subarray(0, length));
    try {
      return { log: new EntryLog(await openAppendFile(path), length, length < bytes.length), entries };
    } catch (cause) {
      throw diskFault(`cannot open ${path}`, cause);
    }
  }

  /**
   * Cuts a torn tail off. For the caller that has made sure that no acknowledged entry is missing: what looks torn could
   * be one that lost its end. Errors: `Fault DISK`.
   */
  async trim(): Promise<void> {
    if (!this.#torn) return;
    await this.#file.truncate(this.#length).catch((cause: unknown) => {
      throw diskFault('cannot cut the torn end off the ledger file', cause);
    });
    this.#torn = false;
  }

  /**
   * Appends entries and resolves once they are durable. On failure none of them is on the log, and `Fault DISK` tells; a
   * log that could not be brought back to its last good line, or whose disk failed to sync, takes nothing more
   * until it is opened again.
   */
  async append(entries: readonly Entry[]): Promise<void> {
    await this.trim();
    if (this.#broken !== undefined) {
      throw new Fault('DISK', 'the ledger file takes no more entries since a write error', {
        hint: 'Repair the disk and restart the ledger: acknowledged entries are safe.',
        cause: this.#broken,
      });
    }
    const bytes = Buffer.from(entries.map((each) => `${canonicalText(each)}\n`).join(''), 'utf8');
    try {
      await this.#file.append(bytes);
    } catch (cause) {
      await this.#cutBack();
      throw diskFault('cannot write to the ledger file', cause);
    }
    try {
      await this.#file.sync();
    } catch (cause) {
      // After a failed fsync the kernel may have dropped the pages: a second fsync that succeeds proves nothing.
      this.#broken = cause;
      await this.#cutBack();
      throw diskFault('cannot sync the ledger file', cause);
    }
    this.#length += bytes.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#length);
      await this.#file.sync();
    } catch (cause) {
      this.#broken = cause;
    }
  }
}

function decodeLines(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let begin = 0; begin < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, begin);
    const index = entries.length;
    try {
      const line = bytes.subarray(begin, end);
      entries.push(decodeCanonical(entry, line, { what: `entry ${index}`, limit: LINE_LIMIT }));
    } catch (cause) {
      throw damaged(index, cause instanceof HealthchainError ? cause.message : 'it does not decode', cause);
    }
    begin = end + 1;
  }
  return entries;
}

export const damaged = (index: number, check: string, cause?: unknown): Fault =>
  new Fault('DISK', `entry ${index} of the ledger file is damaged: ${check}`, {
    hint: 'Stop; restore the file from a backup or from the export of a member, which can be verified.',
    cause,
  });
