import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalText, decodeCanonical } from '../../protocol/canonical.ts';
import { signedAction, type SignedAction } from '../../protocol/ledger.ts';
import { diskFault, replaceFile } from '../embedded/disk.ts';

/** An action that is to reach the ledger. */
export interface Letter {
  readonly signed: SignedAction;
  /** Its file; undefined where it is kept in memory alone. */
  readonly path: string | undefined;
}

const ACTION_LIMIT = 2 << 20;

/**
 * Actions on their way to the ledger, each in a file of its own from before it is sent until its outcome is known: what a
 * crash or an outage cuts off is sent again, in the order in which it was handed in. Sending twice does no harm: the
 * contract refuses an action that took effect.
 */
export class Outbox {
  readonly #folder: string | undefined;
  #sequence: number;

  private constructor(folder: string | undefined, sequence: number) {
    this.#folder = folder;
    this.#sequence = sequence;
  }

  /** Opens a folder with what an earlier process left in it, oldest first. Errors: `Fault DISK`. */
  static async open(folder: string | undefined): Promise<{ outbox: Outbox; left: readonly Letter[] }> {
    if (folder === undefined) return { outbox: new Outbox(undefined, 0), left: [] };
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const names = (await readdir(folder)).filter((name) => /^\d{12}\.json$/.test(name)).sort();
      const left = await Promise.all(names.map((name) => readLetter(join(folder, name))));
      const last = names.at(-1);
      return { outbox: new Outbox(folder, last === undefined ? 0 : Number(last.slice(0, 12)) + 1), left };
    } catch (cause) {
      throw diskFault(`cannot read ${folder}`, cause);
    }
  }

  /** Resolves once the action survives a power cut. Errors: `Fault DISK`. */
  async add(signed: SignedAction): Promise<Letter> {
    if (this.#folder === undefined) return { signed, path: undefined };
    const path = join(this.#folder, `${String(this.#sequence++).padStart(12, '0')}.json`);
    await replaceFile(path, canonicalText(signed), { durable: true });
    return { signed, path };
  }

  /** Forgets a letter whose outcome is known. One that comes back after a crash is refused as done. */
  async remove({ path }: Letter): Promise<void> {
    if (path !== undefined) await rm(path, { force: true });
  }
}

async function readLetter(path: string): Promise<Letter> {
  const options = { what: path, code: 'BAD_FILE', limit: ACTION_LIMIT } as const;
  return { signed: decodeCanonical(signedAction, await readFile(path), options), path };
}
