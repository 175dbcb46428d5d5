import { z } from 'zod';
import { canonicalBytes, decodeDocument } from '../../protocol/canonical.ts';
import { digest, organisationId } from '../../protocol/names.ts';
import { SealedFile, type Unusable } from './sealed-file.ts';

const batch = z.strictObject({
  id: digest,
  /** How many there were, and what each holds. */
  slices: z.int().min(1),
  triples: z.int().min(0),
  masks: z.int().min(0),
  /** The first that was never handed out. */
  next: z.int().min(0),
});
export type Batch = z.infer<typeof batch>;

const journal = z.strictObject({
  roster: z.array(organisationId).min(2),
  setup: digest.nullable(),
  /** The session in which setup and stock are being used: found at a start, it did not end well. */
  inUse: digest.nullable(),
  batches: z.array(batch),
});
/** What of one roster's stock was spent. On disk before anything is handed out. */
export type JournalState = z.infer<typeof journal>;

/**
 * Written anew as a whole each time, not appended to: a file that is appended to keeps its place, and an older content
 * brought back into it would look like its own.
 */
export const writeJournal = (path: string, key: Uint8Array, name: string, state: JournalState): void =>
  SealedFile.write(path, key, name, [canonicalBytes(state)]);

export function readJournal(path: string, key: Uint8Array, name: string): JournalState | Unusable {
  const file = SealedFile.open(path, key, name);
  if (typeof file === 'string') return file;
  try {
    const record = file.read(0);
    return record === undefined ? 'damaged' : decodeDocument(journal, record, { what: 'journal' });
  } catch {
    return 'damaged';
  } finally {
    file.close();
  }
}
