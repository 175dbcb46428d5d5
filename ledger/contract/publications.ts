import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { changed, requireQuery, requireRole, requireSession, type Call, type Outcome } from './call.ts';
import { KEY } from './keys.ts';
import { isPresent, readRow, ROW, writeRow } from './rows.ts';

/**
 * Makes public that a session gave a result, by the digest of its file. By the researcher of the query. On a ledger of
 * everything the contract checks session, researcher and receipt; the public ledger of a consortium with two cannot see
 * them: there the entry is the researcher's word, which anyone compares with the ledger it names (`publicationHolds`).
 * For that a session has one publication by each who claims it, and nobody can take another's place.
 *
 * Errors: `NOT_AUTHORIZED`; `UNKNOWN` session or ledger; `STALE` before it is completed; `POLICY` for another receipt;
 * `ALREADY_DONE`.
 */
export async function publishResult(call: Call<ActionOf<'publishResult'>>): Promise<Outcome> {
  requireRole(call, 'researcher');
  const { state, caller, action } = call;
  const { session, ledger, receipt, result, title, link } = action;
  if (call.tier === undefined) await requireCompleted(call);
  const key = KEY.publication(session, caller.id);
  if (await isPresent(state, key)) {
    throw new Refusal('ALREADY_DONE', 'this researcher has published the result of the session', { party: caller.id });
  }
  await writeRow(state, key, ROW.publication, {
    ledger,
    receipt,
    result,
    title,
    ...(link === undefined ? {} : { link }),
  });
  return changed({ record: 'publication', id: session });
}

async function requireCompleted({ state, consortium, caller, action }: Call<ActionOf<'publishResult'>>): Promise<void> {
  if (action.ledger !== consortium) {
    throw new Refusal('UNKNOWN', 'the result is of a query on another ledger', {
      hint: 'Publish it on the ledger of its query, or on the public ledger of that consortium.',
    });
  }
  const session = await requireSession(state, action.session);
  const query = await requireQuery(state, session.query);
  if (query.researcher !== caller.id) {
    throw new Refusal('NOT_AUTHORIZED', 'this query was submitted by another researcher', { party: caller.id });
  }
  if (session.status !== 'completed') {
    throw new Refusal('STALE', `the session is ${session.status}`, { hint: 'A result stands with its final receipt.' });
  }
  for (let step = query.steps - 1; step >= 0; step--) {
    const last = await readRow(state, KEY.receipt(session.id, step), ROW.receipt);
    if (last === undefined) continue;
    if (last === action.receipt) return;
    break;
  }
  throw new Refusal('POLICY', 'the receipt is not the last one of the session', {
    party: caller.id,
    hint: 'Name the receipt that the ledger holds.',
  });
}
