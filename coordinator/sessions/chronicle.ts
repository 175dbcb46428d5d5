import { deriveQueryId, deriveSessionId, type Entry } from '../../protocol/ledger.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { ProgressEvent } from './events.ts';

/** What one entry of the ledger means for a query. */
export interface Happening {
  readonly query: string;
  /** The session concerned, for openSession and abortSession. */
  readonly session?: string;
  readonly event: ProgressEvent;
}

/** Reads an entry as an event of a query; undefined for those that concern no query. */
export function happeningOf(entry: Entry, ledger: Ledger): Happening | undefined {
  const { action, caller } = entry.signed;
  const hospital = caller.organisation;
  switch (action.type) {
    case 'submitQuery': {
      const query = deriveQueryId(ledger.consortium, caller.organisation, action);
      return { query, event: { stage: 'submitted', hospitals: action.hospitals } };
    }
    case 'approveQuery':
      return { query: action.query, event: { stage: 'approved', hospital } };
    case 'denyQuery':
      return { query: action.query, event: { stage: 'denied', hospital, reason: action.reason } };
    case 'openSession': {
      const { query, attempt, roster } = action;
      const session = deriveSessionId(action);
      return { query, session, event: { stage: 'session', session, attempt, roster } };
    }
    case 'recordCommitment': {
      const { session, step } = action;
      return ofSession(session, { stage: 'committed', session, hospital, step });
    }
    case 'recordReceipt': {
      const { session, step, final } = action;
      return ofSession(session, { stage: 'receipt', session, step, final });
    }
    case 'abortSession': {
      const { session, reason, blame } = action;
      const event: ProgressEvent = { stage: 'aborted', session, reason, by: hospital, ...(blame && { blame }) };
      return ofSession(session, event);
    }
    default:
      return undefined;
  }

  function ofSession(session: string, event: ProgressEvent): Happening | undefined {
    const query = ledger.session(session)?.query;
    return query === undefined ? undefined : { query, session, event };
  }
}
