import { Refusal } from '../../protocol/errors.ts';
import type { AbortReason, ActionOf } from '../../protocol/ledger.ts';
import { changed, requireQuery, requireSession, type Call, type Outcome } from './call.ts';
import { KEY } from './keys.ts';
import { ROW, writeRow, type Row } from './rows.ts';

/** Reasons that prove nobody a cheat: the query may be tried again. */
const RETRYABLE: ReadonlySet<AbortReason> = new Set([
  'DROP_OUT',
  'DEADLINE',
  'DATA',
  'SUSPENDED',
  'INTERNAL',
  'ROSTER_MISMATCH',
]);

/** Sessions count from 0 to this; the form of openSession knows no later attempt. */
const LAST_ATTEMPT = 1000;

type Session = Row<'session'> & Row<'sessionState'>;
type Abort = NonNullable<Row<'sessionState'>['abort']>;

/**
 * Ends a session without an answer. By any coordinator, a hospital of the roster, or the researcher that submitted.
 * The ledger records who says so, why, and whom he blames; it does not judge: `evidence` names a document that anyone can.
 *
 *   reason                                                   the query becomes
 *   DROP_OUT, DEADLINE, SUSPENDED, INTERNAL                  submitted: another session may open
 *   ROSTER_MISMATCH (refused before anything left)           submitted
 *   DATA, nobody blamed                                      submitted
 *   DATA, and without the blamed hospital the roster
 *     would fall under minimumHospitals                      failed: the next session would end the same way
 *   EQUIVOCATION, SEED_MISMATCH, FORGED_FRAME, FORGED_HELLO,
 *     FORGED_SHARE, VERIFICATION_FAILED, BLAME_REFUSED       failed: somebody cheated
 *   any, at attempt 1000                                     failed: no attempt is left
 *
 * A blamed hospital is not shut out of the next roster: coordinator and hospitals choose whom to work with.
 *
 * Finding the cheat takes a round after the abort. So an aborted session takes one more abort, by the researcher that
 * submitted, with blame and evidence, if the first named neither: it replaces the first in the record (the entries keep
 * both). Of the query it then decides only while no later session is open or completed.
 *
 * Errors: `UNKNOWN` session; `NOT_AUTHORIZED`; `POLICY` when the blamed hospital is not of the roster; `ALREADY_DONE` for a second
 * abort; `STALE` when the session is completed.
 */
export async function abortSession(call: Call<ActionOf<'abortSession'>>): Promise<Outcome> {
  const { state, caller, action } = call;
  const session = await requireSession(state, action.session);
  const query = await requireQuery(state, session.query);
  requireTakesPart(call, session, query);
  if (action.blame !== undefined && !session.roster.includes(action.blame)) {
    throw new Refusal('POLICY', 'the blamed hospital is not in the roster of the session', {
      party: caller.id,
      hint: 'Leave blame out when the cheat is not of the roster.',
    });
  }
  if (session.status === 'completed') {
    throw new Refusal('STALE', 'the session is completed', { hint: 'A receipt stands: it cannot be aborted.' });
  }
  if (session.status === 'aborted') requireLateBlame(call, session, query);

  const { reason, blame, round, evidence } = action;
  const abort: Abort = {
    by: caller.id,
    reason,
    ...(blame === undefined ? {} : { blame }),
    ...(round === undefined ? {} : { round }),
    ...(evidence === undefined ? {} : { evidence }),
  };
  await writeRow(state, KEY.sessionState(session.id), ROW.sessionState, { status: 'aborted', abort });
  const event = { record: 'session', id: session.id } as const;
  const decides = session.status === 'open' || query.status === 'submitted';
  if (!decides) return changed(event);
  const status = statusAfter(abort, session, query);
  await writeRow(state, KEY.queryState(query.id), ROW.queryState, { status, sessions: query.sessions });
  return changed(event, { record: 'query', id: query.id });
}

function requireTakesPart(call: Call, session: Session, query: Row<'query'>): void {
  const { id, roles } = call.caller;
  if (roles.includes('coordinator') || session.roster.includes(id) || query.researcher === id) return;
  throw new Refusal('NOT_AUTHORIZED', 'this organisation takes no part in the session', {
    party: id,
    hint: 'A session is aborted by a coordinator, a hospital of its roster, or the researcher that asked.',
  });
}

function requireLateBlame(call: Call<ActionOf<'abortSession'>>, session: Session, query: Row<'query'>): void {
  const first = session.abort;
  const named = first?.blame !== undefined || first?.evidence !== undefined;
  const names = call.action.blame !== undefined && call.action.evidence !== undefined;
  if (call.caller.id === query.researcher && names && !named) return;
  throw new Refusal('ALREADY_DONE', 'the session is aborted already', {
    hint: 'Only the researcher that asked may add blame with evidence, once, where the first abort named none.',
  });
}

function statusAfter(abort: Abort, session: Session, query: Row<'query'>): 'submitted' | 'failed' {
  if (!RETRYABLE.has(abort.reason) || session.attempt >= LAST_ATTEMPT) return 'failed';
  const left = session.roster.length - (abort.reason === 'DATA' && abort.blame !== undefined ? 1 : 0);
  return left < query.query.release.minimumHospitals ? 'failed' : 'submitted';
}
