import type { Ledger } from '../ledger/ledger.ts';
import { errorFromRecord, Fault, Refusal, type ErrorRecord } from '../protocol/errors.ts';
import type { AbortReason, CloseReason } from '../protocol/ledger.ts';
import type { QueryRecord } from '../protocol/records.ts';

/** Of the reasons on the ledger, those where nobody cheated are faults. */
function endedBy(reason: AbortReason): Pick<ErrorRecord, 'kind' | 'code' | 'hint'> {
  if (reason === 'DROP_OUT') return { kind: 'Fault', code: 'PEER_GONE', hint: 'Submit it anew when they are back.' };
  if (reason === 'DATA')
    return {
      kind: 'Fault',
      code: 'DATA',
      hint: 'That hospital’s log tells file, row and rule; submit the query anew.',
    };
  return { kind: reason === 'DEADLINE' || reason === 'INTERNAL' ? 'Fault' : 'Abort', code: reason };
}

const CLOSED: Readonly<Record<CloseReason, string>> = {
  TOO_FEW_HOSPITALS: 'too few hospitals can take part',
  TOO_MANY_ATTEMPTS: 'too many sessions of it failed',
  ALREADY_OPENED: 'a session ended after hospitals had sent their shares, and a query opens once',
  WITHDRAWN: 'withdrawn',
};

/** Throws for a query that gets no answer any more: `Refusal NOT_APPROVED`, or the error that its last session ended with. */
export function refuseEnded(ledger: Ledger, record: QueryRecord): void {
  if (record.status === 'denied') {
    const denials = record.decisions
      .filter((each) => each.decision === 'denied')
      .map((each) => `${each.hospital}: ${each.reason}`);
    throw new Refusal('NOT_APPROVED', `too few hospitals approve this query. ${denials.join('. ')}`, {
      hint: 'Talk to the hospitals, change the query, and submit it anew.',
    });
  }
  if (record.status !== 'failed') return;
  if (record.closed !== undefined)
    throw new Fault('PEER_GONE', `the query was closed by ${record.closed.by}: ${CLOSED[record.closed.reason]}`, {
      hint: 'Submit it anew when this is mended.',
    });
  const abort = ledger.session(record.sessions.at(-1) ?? '')?.abort;
  const blamed = abort?.blame === undefined ? '' : `; ${abort.by} names ${abort.blame}`;
  const reason = abort?.reason ?? 'DROP_OUT';
  const message = `the query failed: ${abort?.reason ?? 'no hospitals left'}${blamed}`;
  throw errorFromRecord({ ...endedBy(reason), message, ...(abort?.blame === undefined ? {} : { party: abort.blame }) });
}

/** The session ended on the ledger while its shares were fetched. */
export class SessionEnded extends Error {}

/** A signal that ends with the outer one, or with `SessionEnded` when the ledger shows the session aborted. */
export function sessionEnd(
  ledger: Ledger,
  session: string,
  outer: AbortSignal,
): { signal: AbortSignal; stop: () => void } {
  const ended = new AbortController();
  const watching = new AbortController();
  const watch = async (): Promise<void> => {
    for await (const entry of ledger.entries(ledger.head().size - 1, watching.signal)) {
      if (entry.index + 1 === ledger.head().size && ledger.session(session)?.status === 'aborted')
        ended.abort(new SessionEnded());
    }
  };
  watch().catch(() => undefined);
  return { signal: AbortSignal.any([outer, ended.signal]), stop: () => watching.abort() };
}

export const tooLate = (): Fault =>
  new Fault('DEADLINE', 'the answer did not come in the time allowed', {
    hint: 'The query goes on; fetch its answer later with: healthchain query result.',
  });
