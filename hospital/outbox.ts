import { existsSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../protocol/errors.ts';
import { MAX_PAYLOAD } from '../protocol/frame.ts';

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

  /** Stores the chunks, each behind its length; a chunk need be valid only until the next is asked for. Resolves when the share can be read as a whole. */
  async store(session: string, step: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const path = this.#path(session, step);
    try {
      const file = await open(`${path}.partial`, 'w', 0o600);
      try {
        for (const chunk of chunks) await append(file, chunk);
      } finally {
        await file.close();
      }
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

  /** The chunks as stored; each is valid until the next is asked for. Errors: `Fault DISK` for a file that is cut off. */
  async *read(session: string, step: number): AsyncGenerator<Uint8Array> {
    const file = await open(this.#path(session, step));
    try {
      const prefix = Buffer.alloc(4);
      let space = Buffer.alloc(0);
      for (;;) {
        const { bytesRead } = await file.read(prefix);
        if (bytesRead === 0) return;
        const length = prefix.readUInt32BE(0);
        if (bytesRead < 4 || length > MAX_PAYLOAD) throw damaged();
        if (space.length < length) space = Buffer.allocUnsafeSlow(length);
        const chunk = space.subarray(0, length);
        if ((await file.read(chunk)).bytesRead < length) throw damaged();
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  #path(session: string, step: number): string {
    return join(this.#folder, `${session}-${step}.share`);
  }
}

async function append(file: FileHandle, chunk: Uint8Array): Promise<void> {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(chunk.length);
  const { bytesWritten } = await file.writev([length, chunk]);
  if (bytesWritten < 4 + chunk.length) throw new Error('the disk took part of a chunk only');
}

const damaged = (): Fault => new Fault('DISK', 'the stored share is cut off');
