import { canonicalText, decodeCanonical } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import { treeHead, type TreeHead } from '../../protocol/ledger.ts';
import type { Pins } from '../heads.ts';
import { verifyHeadSignature } from '../heads.ts';
import { readIfPresent, replaceFile } from './disk.ts';

/**
 * The last head a member saw, kept between runs: a ledger that shows an older or another past to the next run is found
 * out. It also holds what was trusted on first use. Errors: `Misuse BAD_FILE`, `Misuse BAD_CONFIG`, `Fault DISK`.
 */
export async function readCheckpoint(path: string, pins: Pins): Promise<TreeHead | undefined> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  const head = decodeCanonical(treeHead, bytes, { what: 'ledger checkpoint', code: 'BAD_FILE' });
  try {
    verifyHeadSignature(head, pins);
  } catch (cause) {
    throw new Misuse('BAD_CONFIG', `the ledger checkpoint ${path} is not of the configured ledger`, {
      hint: 'Check the pinned consortium and operator key; remove the file only if you mean to trust this ledger anew.',
      cause,
    });
  }
  return head;
}

const writeCheckpoint = (path: string, head: TreeHead): Promise<void> =>
  replaceFile(path, canonicalText(head), { durable: true });

/** Heads may come by the hundred in a second; a run that is cut off forgets this much of what it saw. */
const SAVE_EVERY_MS = 500;

/** Keeps the newest head in its file: at once the first time and at the end, in between a little behind. */
export class Checkpoint {
  readonly #path: string;
  #newest: TreeHead | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(path: string) {
    this.#path = path;
  }

  /** Errors: the `Fault DISK` of an earlier write, so that a full disk does not go unnoticed. */
  save(head: TreeHead): void {
    if (this.#failure !== undefined) {
      const failure = this.#failure as Error;
      this.#failure = undefined;
      throw failure;
    }
    if (this.#newest !== undefined && head.size <= this.#newest.size) return;
    this.#newest = head;
    this.#timer ??= setTimeout(
      () => void this.flush().catch((error: unknown) => (this.#failure = error)),
      SAVE_EVERY_MS,
    ).unref();
  }

  /** Resolves when the newest head is on the disk. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const head = this.#newest;
    if (head !== undefined)
      this.#writing = this.#writing.catch(() => undefined).then(() => writeCheckpoint(this.#path, head));
    return this.#writing;
  }
}
