import type { AbortReason, CloseReason, Role } from './ledger.ts';
import type { Query } from './query.ts';

/** Records as every reader of a ledger sees them, put together by the contract from what entries changed. */

export interface OrganisationRecord {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly msp?: string;
  readonly keys: readonly { readonly publicKey: string; readonly status: 'active' | 'revoked' }[];
  /** While an auditor's suspension stands: the contract refuses whatever it does. */
  readonly suspended?: Suspension;
}

export interface Suspension {
  /** The auditor. */
  readonly by: string;
  readonly reason: string;
}

export type QueryStatus = 'submitted' | 'running' | 'completed' | 'failed' | 'denied';

export interface QueryRecord {
  readonly id: string;
  readonly researcher: string;
  readonly query: Query;
  readonly answerKey: string;
  readonly hospitals: readonly string[];
  readonly steps: number;
  readonly status: QueryStatus;
  readonly decisions: readonly (
    | { readonly hospital: string; readonly decision: 'approved' }
    | { readonly hospital: string; readonly decision: 'denied'; readonly reason: string }
  )[];
  /** Session ids by attempt. */
  readonly sessions: readonly string[];
  /** Who gave it up, and why, where no session of it ended it. */
  readonly closed?: { readonly by: string; readonly reason: CloseReason };
  /** The epoch of consent that its cohort follows. */
  readonly consentEpoch?: string;
  /** While an auditor's suspension stands: no approval, session, commitment or receipt. */
  readonly suspended?: Suspension;
}

export interface SessionRecord {
  readonly id: string;
  readonly query: string;
  readonly attempt: number;
  /** Sorted. */
  readonly roster: readonly string[];
  readonly status: 'open' | 'completed' | 'aborted';
  /** commitments[step][hospital] = point. */
  readonly commitments: readonly Readonly<Record<string, string>>[];
  /** receipts[step] = digest of the opened result. */
  readonly receipts: readonly string[];
  /** What the completed session credited to each hospital, where the dataset's schema has a rule. */
  readonly credits?: Readonly<Record<string, number>>;
  readonly abort?: {
    readonly by: string;
    readonly reason: AbortReason;
    readonly blame?: string;
    readonly round?: string;
    readonly evidence?: string;
  };
}

/** A result that its researcher made public. Whether the ledger it names bears it out is for the reader to check. */
export interface PublicationRecord {
  readonly researcher: string;
  readonly ledger: string;
  readonly session: string;
  readonly receipt: string;
  readonly result: string;
  readonly title: string;
  readonly link?: string;
}
