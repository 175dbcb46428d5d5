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

export const writeCheckpoint = (path: string, head: TreeHead): Promise<void> =>
  replaceFile(path, canonicalText(head), { durable: true });
