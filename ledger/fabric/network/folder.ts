import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { decodeDocument } from '../../../protocol/canonical.ts';
import { Misuse } from '../../../protocol/errors.ts';
import { lockFolder } from '../../embedded/lock.ts';
import { networkDescription, type NetworkDescription } from './description.ts';
import { networkPlan, paths, type NetworkPlan, type Paths } from './plan.ts';

/** The folder of a network, in sole use. */
export interface NetworkFolder {
  readonly path: string;
  readonly at: Paths;
}

/** Does something with the folder of a network while no other command does. Errors: `Misuse BAD_CONFIG` when one does. */
export async function withFolder<T>(path: string, use: (folder: NetworkFolder) => Promise<T>): Promise<T> {
  const folder = resolve(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(folder, 'fabric command');
  try {
    return await use({ path: folder, at: paths(folder) });
  } finally {
    lock.release();
  }
}

/** The plan of a network that was begun here, whether or not it was finished. */
export function readPlan({ at }: NetworkFolder): NetworkPlan | undefined {
  return readIfThere(networkPlan, at.plan);
}

/** The description of a network, there from the moment it was ready for the first time. */
export function readDescription({ at }: Pick<NetworkFolder, 'at'>): NetworkDescription | undefined {
  return readIfThere(networkDescription, at.description);
}

/** Empties the folder of what an earlier `up` left, and of nothing else. Errors: `Misuse BAD_CONFIG` for other people's files. */
export function clearFolder({ path, at }: NetworkFolder): void {
  const inside = readdirSync(path).filter((name) => !name.startsWith('lock'));
  if (inside.length === 0) return;
  if (!existsSync(at.plan)) {
    throw new Misuse('BAD_CONFIG', `${path} is not empty, and no network of ours is in it`, {
      hint: 'Name an empty folder with --dir.',
    });
  }
  // The plan goes last: it is what says that the folder is ours to clear.
  for (const name of inside.filter((each) => join(path, each) !== at.plan)) {
    rmSync(join(path, name), { recursive: true, force: true });
  }
  rmSync(at.plan, { force: true });
}

/** Removes a folder that holds nothing any more but its lock. */
export function removeCleared(path: string): void {
  const inside = readdirSync(path);
  if (!inside.every((name) => name.startsWith('lock'))) return;
  for (const name of inside) rmSync(join(path, name), { force: true });
  rmdirSync(path);
}

export function writeJson(path: string, document: object): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.partial`, JSON.stringify(document, undefined, 2) + '\n', { mode: 0o600 });
  renameSync(`${path}.partial`, path);
}

function readIfThere<T>(type: Parameters<typeof decodeDocument<T>>[0], path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  return decodeDocument(type, readFileSync(path), { what: path, code: 'BAD_FILE' });
}
