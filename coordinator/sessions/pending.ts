import type { Entry } from '../../protocol/ledger.ts';
import type { SessionRecord } from '../../protocol/records.ts';
import { culprits } from './decide.ts';
import type { LiveSession } from './live.ts';

/** What is remembered of a query that has not ended, beside the ledger. Losing it costs an attempt, never an answer. */
export interface Pending {
  readonly submittedAt: number;
  readonly excluded: Set<string>;
  /** How often a hospital's lost connection ended a session. */
  readonly dropOuts: Map<string, number>;
  /** A share of an earlier session opened: no other session can replace it. */
  opened: boolean;
  enoughSince: number | undefined;
  timer: NodeJS.Timeout | undefined;
  /** An act on the ledger is under way; its end looks again. */
  busy: boolean;
}

/** A hospital that ended so many sessions of a query by its connection is left out of the next. */
const MOST_DROP_OUTS = 2;

export function freshlyPending(submission: Entry, now: number): Pending {
  return {
    // The ledger's clock may be wrong: at worst hospitals are waited for too short, or as if asked just now.
    submittedAt: Math.min(now, Date.parse(submission.time)),
    excluded: new Set(),
    dropOuts: new Map(),
    opened: false,
    enoughSince: undefined,
    timer: undefined,
    busy: false,
  };
}

/** Whom to leave out next time, and whether there can be a next time. */
export function learnFromAbort(pending: Pending, ended: SessionRecord, live: LiveSession | undefined): void {
  for (const hospital of culprits(ended, live)) pending.excluded.add(hospital);
  if (live?.opened === true) pending.opened = true;
  if (ended.abort?.reason !== 'DROP_OUT' || live?.tornBy === undefined) return;
  const count = (pending.dropOuts.get(live.tornBy) ?? 0) + 1;
  pending.dropOuts.set(live.tornBy, count);
  if (count >= MOST_DROP_OUTS) pending.excluded.add(live.tornBy);
}
