import { Refusal } from '../../protocol/errors.ts';
import { deriveSessionId, type ActionOf } from '../../protocol/ledger.ts';
import {
  changed,
  made,
  requireQuery,
  requireRole,
  requireSession,
  requireSortedNames,
  type Call,
  type Outcome,
} from './call.ts';
import { creditHospitals } from './dataset-rules.ts';
import { KEY } from './keys.ts';
import { isPresent, ROW, writeRow, type Row } from './rows.ts';
import type { State } from './state.ts';
import { requireActive, requireActiveQuery } from './suspensions.ts';

/**
 * Opens the next session of an approved query. By a coordinator, which decides who is present but not who may be.
 *
 * Rosters are nested: each is a subset of the one before. A hospital that has sent its summed share never takes part
 * again, so a session that opens lacks every hospital of an earlier one that did; with nested rosters two openings
 * could then never be told apart by one hospital's input alone.
 *
 * Errors: `NOT_AUTHORIZED`; `UNKNOWN` query; `ALREADY_DONE` when it is completed; `STALE` when it failed, was denied, has a
 * session open or another attempt is due; `SUSPENDED` query, researcher or hospital; `NOT_APPROVED` by one of the roster; `POLICY` for the roster's form and size.
 */
export async function openSession(call: Call<ActionOf<'openSession'>>): Promise<Outcome> {
  requireRole(call, 'coordinator');
  const { state, action } = call;
  const query = await requireQuery(state, action.query);
  requireSessionDue(query, action.attempt);
  await requireActiveQuery(state, query);
  await requireRoster(state, query, action.roster);
  const { attempt, roster } = action;
  const id = deriveSessionId({ query: query.id, attempt, roster });
  await writeRow(state, KEY.session(id), ROW.session, { id, query: query.id, attempt, roster });
  await writeRow(state, KEY.sessionState(id), ROW.sessionState, { status: 'open' });
  await writeRow(state, KEY.queryState(query.id), ROW.queryState, {
    status: 'running',
    sessions: [...query.sessions, id],
  });
  return made(id, { record: 'session', id }, { record: 'query', id: query.id });
}

function requireSessionDue(query: Row<'queryState'>, attempt: number): void {
  if (query.status === 'completed') {
    throw new Refusal('ALREADY_DONE', 'the query is completed', { hint: 'Its receipt is on the ledger.' });
  }
  if (query.status === 'running') {
    throw new Refusal('STALE', 'a session of this query is open', {
      hint: 'Abort it before opening the next.',
    });
  }
  if (query.status !== 'submitted') {
    throw new Refusal('STALE', `the query is ${query.status}`, { hint: 'The researcher may submit it anew.' });
  }
  if (attempt !== query.sessions.length) {
    throw new Refusal('STALE', `attempt ${attempt} where ${query.sessions.length} is due`, {
      hint: 'Read the ledger again: another coordinator may have opened a session.',
    });
  }
}

async function requireRoster(
  state: State,
  query: Row<'query'> & Row<'queryState'>,
  roster: readonly string[],
): Promise<void> {
  requireSortedNames(roster, 'roster');
  const { minimumHospitals } = query.query.release;
  if (roster.length < minimumHospitals) {
    throw new Refusal('POLICY', `a roster of ${roster.length} where release.minimumHospitals is ${minimumHospitals}`, {
      hint: 'Wait until enough hospitals are present.',
    });
  }
  for (const hospital of roster) {
    if (!(await isPresent(state, KEY.approval(query.id, hospital)))) {
      throw new Refusal('NOT_APPROVED', 'a hospital of the roster has not approved the query', {
        party: hospital,
        hint: 'Leave it out, or wait for its approval.',
      });
    }
    await requireActive(state, 'organisation', hospital);
  }
  if (query.sessions.length === 0) return;
  const { roster: before } = await requireSession(state, query.sessions[query.sessions.length - 1]!);
  const newcomer = roster.find((hospital) => !before.includes(hospital));
  if (newcomer !== undefined) {
    throw new Refusal('POLICY', 'a roster must be a subset of the previous session of the query', {
      party: newcomer,
      hint: 'A hospital that was left out once cannot join again: submit the query anew.',
    });
  }
}

/**
 * Records a hospital's input commitment to one step. Once, before any share of that step leaves the hospital.
 * Errors: `UNKNOWN` session; `NOT_AUTHORIZED` outside the roster; `STALE` when the session is over or the step before has no
 * receipt; `SUSPENDED` query or researcher; `POLICY` past the declared steps or for another epoch of consent than the query's;
 * `ALREADY_DONE`.
 */
export async function recordCommitment(call: Call<ActionOf<'recordCommitment'>>): Promise<Outcome> {
  requireRole(call, 'hospital');
  const { state, caller, action } = call;
  const session = await requireSession(state, action.session);
  if (!session.roster.includes(caller.id)) {
    throw new Refusal('NOT_AUTHORIZED', 'this hospital is not in the roster of the session', {
      party: caller.id,
      hint: 'Only hospitals of the roster commit.',
    });
  }
  const key = KEY.commitment(session.id, action.step, caller.id);
  if (await isPresent(state, key)) {
    throw new Refusal('ALREADY_DONE', 'this hospital has committed to the step', {
      party: caller.id,
      hint: 'A commitment stands: a new one needs a new session.',
    });
  }
  requireOpen(session);
  const query = await requireQuery(state, session.query);
  await requireActiveQuery(state, query);
  if (action.consentEpoch !== query.consentEpoch) {
    throw new Refusal('POLICY', `the query uses the consent of ${query.consentEpoch ?? 'no epoch'}`, {
      party: caller.id,
      hint: 'Compute the cohort with the epoch that the query names.',
    });
  }
  if (action.step >= query.steps) {
    throw new Refusal('POLICY', `step ${action.step} of a query that declares ${query.steps}`, {
      hint: 'Steps count from 0.',
    });
  }
  if (action.step > 0 && !(await isPresent(state, KEY.receipt(session.id, action.step - 1)))) {
    throw new Refusal('STALE', `step ${action.step} before the receipt of the step before`, {
      hint: 'Wait for the researcher to record it.',
    });
  }
  await writeRow(state, key, ROW.commitment, action.commitment);
  return changed({ record: 'session', id: session.id });
}

/**
 * Records the digest of what a step opened; the final one completes session and query and credits the hospitals. By the researcher that
 * submitted the query. That the result matches the commitments is not checked here: anyone who holds it can.
 *
 * Errors: `UNKNOWN` session; `NOT_AUTHORIZED`; `SUSPENDED` query; `ALREADY_DONE`; `STALE` when the session is over, a commitment is missing, or
 * the last declared step is not marked final.
 */
export async function recordReceipt(call: Call<ActionOf<'recordReceipt'>>): Promise<Outcome> {
  requireRole(call, 'researcher');
  const { state, caller, action } = call;
  const session = await requireSession(state, action.session);
  const query = await requireQuery(state, session.query);
  if (query.researcher !== caller.id) {
    throw new Refusal('NOT_AUTHORIZED', 'this query was submitted by another researcher', {
      party: caller.id,
      hint: 'The receipt comes from whom the answer is sealed to.',
    });
  }
  const key = KEY.receipt(session.id, action.step);
  if (await isPresent(state, key)) {
    throw new Refusal('ALREADY_DONE', 'the step has its receipt', { hint: 'A receipt stands.' });
  }
  requireOpen(session);
  await requireActive(state, 'query', query.id);
  for (const hospital of session.roster) {
    if (await isPresent(state, KEY.commitment(session.id, action.step, hospital))) continue;
    throw new Refusal('STALE', `step ${action.step} lacks the commitment of a hospital`, {
      party: hospital,
      hint: 'No answer can verify before every hospital has committed.',
    });
  }
  if (!action.final && action.step + 1 === query.steps) {
    throw new Refusal('STALE', 'the receipt of the last declared step must be final', {
      hint: 'Mark it final, or abort the session.',
    });
  }
  await writeRow(state, key, ROW.receipt, action.result);
  if (!action.final) return changed({ record: 'session', id: session.id });
  await writeRow(state, KEY.sessionState(session.id), ROW.sessionState, { status: 'completed' });
  const { sessions } = query;
  await writeRow(state, KEY.queryState(query.id), ROW.queryState, { status: 'completed', sessions });
  await creditHospitals(state, query, session);
  return changed({ record: 'session', id: session.id }, { record: 'query', id: query.id });
}

function requireOpen(session: Row<'sessionState'>): void {
  if (session.status === 'open') return;
  throw new Refusal('STALE', `the session is ${session.status}`, { hint: 'Take part in the next session, if any.' });
}
