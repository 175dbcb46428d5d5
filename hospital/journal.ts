import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { canonicalText, decodeDocument } from '../protocol/canonical.ts';
import { Fault } from '../protocol/errors.ts';
import { digest } from '../protocol/names.ts';

const line = z.strictObject({ opened: digest, session: digest });

/**
 * Which queries this hospital has opened a share of: append-only, fsynced before the share leaves. One opening per
 * authorization (docs/protocol.md §2) rests on this file, so a file that cannot be read whole stops the node.
 */
export class Journal {
  readonly #file: number;
  /** query id to session id */
  readonly #opened = new Map<string, string>();

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    try {
      this.#file = openSync(path, 'a+', 0o600);
      this.#load(readFileSync(this.#file, 'utf8'), path);
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw new Fault('DISK', `cannot open the journal ${path}`, {
        hint: 'Check that the folder exists and belongs to the user who runs the node.',
        cause,
      });
    }
  }

  /** The session in which this query was opened here, if any. */
  openedIn(query: string): string | undefined {
    return this.#opened.get(query);
  }

  /** Returns once the fact is on the disk. Throws `Fault DISK` and records nothing if it cannot be written. */
  recordOpened(query: string, session: string): void {
    const before = fstatSync(this.#file).size;
    try {
      const bytes = Buffer.from(canonicalText({ opened: query, session } satisfies z.infer<typeof line>) + '\n');
      // A full disk takes a part and says so by the count alone.
      if (writeSync(this.#file, bytes) !== bytes.length) throw new Error('only a part was written');
      fsyncSync(this.#file);
    } catch (cause) {
      this.#cutBackTo(before);
      throw new Fault('DISK', 'cannot write the journal, so no share may leave', {
        hint: 'Free space on the disk of the state folder.',
        cause,
      });
    }
    this.#opened.set(query, session);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Takes half a line away, so that the next one stands on its own. */
  #cutBackTo(length: number): void {
    try {
      ftruncateSync(this.#file, length);
    } catch {
      // The next start finds the half line without its line feed and drops it.
    }
  }

  #load(text: string, path: string): void {
    const lines = text.split('\n');
    // What follows the last line feed was cut by a crash before it was fsynced: that share never left.
    const torn = lines.pop() ?? '';
    lines.forEach((each, index) => {
      try {
        const { opened, session } = decodeDocument(line, each, { what: 'journal' });
        this.#opened.set(opened, session);
      } catch (cause) {
        throw new Fault('DISK', `line ${index + 1} of the journal ${path} is damaged`, {
          hint: 'Restore the file from a copy. Without it the node cannot know which queries it has answered.',
          cause,
        });
      }
    });
    if (torn !== '') ftruncateSync(this.#file, Buffer.byteLength(text) - Buffer.byteLength(torn));
  }
}
