import { z } from 'zod';
import { entry, treeHead } from '../../protocol/ledger.ts';
import { digest } from '../../protocol/names.ts';
import type { HealthchainError } from '../../protocol/errors.ts';

/** The answers of the embedded ledger's HTTP interface, as server and client both understand them. */

export const acknowledgement = z.strictObject({
  index: z.int().min(0),
  id: z.string().max(64),
  head: treeHead,
});

/** Entries in order; fewer than asked for where the answer would grow too large. */
export const entryPage = z.strictObject({ entries: z.array(entry).max(500) });

/** What a stream tells at a time: a head, and the entries it adds to what was told before, or the first of them. */
export const entryBatch = entryPage.extend({ head: treeHead });

export const proof = z.strictObject({ proof: z.array(digest).max(128) });

export const errorRecord = z.strictObject({
  kind: z.enum(['Refusal', 'Abort', 'Fault', 'Misuse']),
  code: z.string().max(64),
  message: z.string().max(2000),
  hint: z.string().max(2000).optional(),
  party: z.string().max(64).optional(),
  round: z.string().max(64).optional(),
});

/** Largest body of a submitted action. */
export const ACTION_LIMIT = 1 << 20;
/** Most entries of one page, and the bytes after which a page ends early. */
export const PAGE_ENTRIES = 500;
export const PAGE_BYTES = 4 << 20;
/** What a client reads of one answer at most: a page and one entry over. */
export const ANSWER_LIMIT = 8 << 20;
/** A quiet stream says so this often. */
export const HEARTBEAT_MS = 15_000;

export type HttpStatus = 400 | 403 | 409 | 413 | 429 | 500 | 503;

/** 403: never for this caller; 409: not in this state; 503: try again. */
export function httpStatus(error: HealthchainError): HttpStatus {
  if (error.kind === 'Misuse') return 400;
  if (error.kind === 'Fault') return 503;
  if (error.kind === 'Abort') return 500;
  switch (error.code) {
    case 'TOO_LARGE':
      return 413;
    case 'TOO_MANY':
      return 429;
    case 'ALREADY_DONE':
    case 'STALE':
    case 'UNKNOWN':
    case 'REPLAY':
      return 409;
    default:
      return 403;
  }
}
