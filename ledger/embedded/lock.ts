import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { Fault, Misuse } from '../../protocol/errors.ts';

/** Sole use of a folder, until `release` or the end of the process. */
export interface FolderLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Locks a folder against a second process of its kind, which `user` names for people. Node has no flock; SQLite has, in the form of an exclusive
 * transaction on an empty database: the kernel drops it with the process, so that `kill -9` leaves no stale lock, and
 * it holds between containers of one machine, where process ids say nothing. Not between machines on a network file system.
 *
 * Errors: `Misuse BAD_CONFIG` when the folder is in use; `Fault DISK`.
 */
export function lockFolder(folder: string, user = 'ledger process'): FolderLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, 'lock'));
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) {
      throw new Misuse('BAD_CONFIG', `another ${user} uses the folder ${folder}`, {
        hint: 'Stop that process, or give this one a folder of its own.',
      });
    }
    throw new Fault('DISK', `cannot lock the folder ${folder}`, {
      hint: 'Check that it exists and that this user may write to it.',
      cause,
    });
  }
  const held = database;
  return { release: () => held.close() };
}
