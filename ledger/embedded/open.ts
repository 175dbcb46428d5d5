import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalText, decodeCanonical } from '../../protocol/canonical.ts';
import { asHealthchainError, Fault, Misuse } from '../../protocol/errors.ts';
import { treeHead, type Entry, type SignedAction, type TreeHead } from '../../protocol/ledger.ts';
import { Chain } from '../chain.ts';
import { actionDigest } from '../contract/call.ts';
import { signHead, verifyHeadSignature } from '../heads.ts';
import { diskFault, readIfPresent, replaceFile } from './disk.ts';
import { Engine } from './engine.ts';
import { lockFolder, type FolderLock } from './lock.ts';
import { damaged, EntryLog } from './log.ts';
import { operatorKey } from './operator-key.ts';

export interface FolderOptions {
  readonly folder: string;
  /** The founding action (`found`): needed for an empty folder; where there is a ledger it must be the same, if given. */
  readonly founding?: SignedAction | undefined;
  /** Milliseconds since 1970, for the time in entries. */
  readonly clock: () => number;
}

/**
 * Opens the ledger of a folder, or founds one in an empty folder. Replays and checks every entry before it serves any.
 *
 *   entries.jsonl   the ledger (log.ts)
 *   head.json       newest signed head: shows when acknowledged entries are missing at the end of the log
 *   operator.pem    the operator's private key
 *   lock            held while a process uses the folder
 *
 * Errors: `Misuse BAD_CONFIG` (folder in use, founding action missing or another, operator key lost); `Fault DISK`, naming the
 * damaged or missing entry; the contract's `Refusal` of the founding action.
 */
export async function openEngine(options: FolderOptions): Promise<Engine> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw diskFault(`cannot make the folder ${folder}`, cause);
  });
  const lock = lockFolder(folder);
  try {
    const { log, entries } = await EntryLog.open(join(folder, 'entries.jsonl'));
    try {
      return await assemble(options, lock, log, entries);
    } catch (error) {
      await log.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function assemble(
  options: FolderOptions,
  lock: FolderLock,
  log: EntryLog,
  entries: readonly Entry[],
): Promise<Engine> {
  const { folder, founding, clock } = options;
  const kept = await readHead(folder);
  if (entries.length === 0 && kept !== undefined) throw missing(0, kept);
  requireFounding(entries[0], founding);
  const operator = await operatorKey(folder, { founded: entries.length > 0 });
  const chain = new Chain();
  if (entries.length > 0) await replay(chain, entries);
  else if (founding !== undefined) await recordFounding(chain, log, founding, clock);
  if (kept !== undefined) requireKept(chain, kept);
  await log.trim();
  const size = chain.size;
  const head = signHead(operator, { consortium: chain.consortium!, size, root: chain.tree.rootAt(size) });
  const keepHead = (newest: TreeHead): Promise<void> =>
    replaceFile(join(folder, 'head.json'), canonicalText(newest), { durable: false });
  await keepHead(head);
  return new Engine({ log, chain, operator, head, lock, keepHead, clock });
}

function requireFounding(first: Entry | undefined, founding: SignedAction | undefined): void {
  if (first === undefined && founding === undefined) {
    throw new Misuse('BAD_CONFIG', 'the ledger folder is empty and there is no founding action', {
      hint: 'Found the consortium with: healthchain ledger found',
    });
  }
  if (first !== undefined && founding !== undefined && actionDigest(first.signed) !== actionDigest(founding)) {
    throw new Misuse('BAD_CONFIG', 'the ledger in this folder was founded by another action', {
      hint: 'Leave the founding action out, or use an empty folder.',
    });
  }
}

async function recordFounding(chain: Chain, log: EntryLog, founding: SignedAction, clock: () => number): Promise<void> {
  const stage = chain.stage();
  const { entry } = await stage.propose(founding, new Date(clock()).toISOString());
  await log.append([entry]);
  await stage.commit();
}

async function replay(chain: Chain, entries: readonly Entry[]): Promise<void> {
  const stage = chain.stage();
  for (const entry of entries) {
    try {
      await stage.accept(entry);
    } catch (cause) {
      throw damaged(stage.size, asHealthchainError(cause, (other) => diskFault('replay', other)).message, cause);
    }
  }
  await stage.commit();
}

async function readHead(folder: string): Promise<TreeHead | undefined> {
  const bytes = await readIfPresent(join(folder, 'head.json'));
  // A power cut may leave it empty: it is not synced, since the log alone decides what was acknowledged.
  if (bytes === undefined || bytes.length === 0) return undefined;
  return decodeCanonical(treeHead, bytes, { what: 'head.json in the ledger folder', code: 'BAD_FILE' });
}

/** The newest head that was ever kept must be a head of this log, or entries were lost or exchanged. */
function requireKept(chain: Chain, kept: TreeHead): void {
  verifyHeadSignature(kept, {});
  if (kept.size > chain.size) throw missing(chain.size, kept);
  if (toHex(chain.tree.rootAt(kept.size)) !== kept.root) {
    throw new Fault('DISK', `the first ${kept.size} entries of the ledger file are not the ones that were signed`, {
      hint: 'Stop; restore the file from a backup or from the export of a member, which can be verified.',
    });
  }
}

const missing = (size: number, kept: TreeHead): Fault =>
  new Fault('DISK', `the ledger file ends before entry ${size}, but ${kept.size} entries were acknowledged`, {
    hint: 'Stop; restore the file from a backup or from the export of a member, which can be verified.',
  });
