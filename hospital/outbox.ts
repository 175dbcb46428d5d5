import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { once } from 'node:events';
import { Fault } from '../protocol/errors.ts';

const KEEP_DAYS = 30;

/**
 * Sealed shares waiting for their researcher, one file per session and step. The files hold ciphertext for the
 * researcher's key alone; not even this hospital can open them.
 */
export class Outbox {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const oldest = Date.now() - KEEP_DAYS * 86_400_000;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).mtimeMs < oldest || name.endsWith('.partial')) unlinkSync(path);
    }
  }

  /** Stores the chunks, each behind its length. Resolves when the share can be read as a whole. */
  async store(session: string, step: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const path = this.#path(session, step);
    const stream = createWriteStream(`${path}.partial`, { mode: 0o600, highWaterMark: 1 << 20 });
    const failed = once(stream, 'error').then(([error]) => Promise.reject(error as Error));
    failed.catch(() => undefined);
    try {
      for (const chunk of chunks) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(chunk.length);
        stream.write(length);
        if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), failed]);
      }
      stream.end();
      await finished(stream);
      await rename(`${path}.partial`, path);
    } catch (cause) {
      throw new Fault('DISK', 'cannot store the sealed share', {
        hint: 'Free space on the disk of the state folder.',
        cause,
      });
    }
  }

  has(session: string, step: number): boolean {
    return existsSync(this.#path(session, step));
  }

  /** The chunks as stored. Reads ahead by at most one buffer. */
  async *read(session: string, step: number): AsyncGenerator<Uint8Array> {
    let pending: Buffer = Buffer.alloc(0);
    for await (const data of createReadStream(this.#path(session, step), { highWaterMark: 1 << 19 })) {
      pending = pending.length === 0 ? (data as Buffer) : Buffer.concat([pending, data as Buffer]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const end = 4 + pending.readUInt32BE(0);
        yield pending.subarray(4, end);
        pending = pending.subarray(end);
      }
    }
    if (pending.length > 0) throw new Fault('DISK', 'the stored share is cut off');
  }

  #path(session: string, step: number): string {
    return join(this.#folder, `${session}-${step}.share`);
  }
}
