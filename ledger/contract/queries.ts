import { Refusal } from '../../protocol/errors.ts';
import { deriveQueryId, type ActionOf } from '../../protocol/ledger.ts';
import type { Query } from '../../protocol/query.ts';
import { shortfalls } from '../../protocol/release.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import {
  changed,
  made,
  requireHospital,
  requireQuery,
  requireRole,
  requireSortedNames,
  type Call,
  type Outcome,
} from './call.ts';
import { debitBudget, requireConsentEpoch } from './dataset-rules.ts';
import { KEY } from './keys.ts';
import { isPresent, readRow, ROW, writeRow } from './rows.ts';
import type { State } from './state.ts';
import { requireActive, requireActiveQuery } from './suspensions.ts';

/**
 * Puts a question to named hospitals. By a researcher. Checked here is what every hospital must agree on: that dataset
 * and hospitals exist, that the release rule is no weaker than the dataset's floor, that the epoch of consent is the one
 * the dataset's rule gives, and that the researcher has a query left to ask; that query is spent here. Not whether the query makes
 * sense on its columns, nor any hospital's own policy: each hospital decides that before it approves.
 *
 * Errors: `NOT_AUTHORIZED`, `UNKNOWN` (dataset, hospital), `SUSPENDED` hospital, `POLICY` naming the rule.
 */
export async function submitQuery(call: Call<ActionOf<'submitQuery'>>): Promise<Outcome> {
  requireRole(call, 'researcher');
  const { state, consortium, caller, action } = call;
  requireSortedNames(action.hospitals, 'hospitals');
  for (const hospital of action.hospitals) {
    await requireHospital(state, hospital);
    await requireActive(state, 'organisation', hospital);
  }
  const schema = await requireSchema(state, action.query.dataset);
  requireRelease(schema, action.query, action.hospitals.length);
  await requireConsentEpoch(call, schema);
  await debitBudget(state, caller.id, schema.dataset);
  const id = deriveQueryId(consortium, caller.id, action);
  await writeRow(state, KEY.query(id), ROW.query, {
    id,
    researcher: caller.id,
    query: action.query,
    answerKey: action.answerKey,
    hospitals: action.hospitals,
    steps: action.steps,
    ...(action.consentEpoch === undefined ? {} : { consentEpoch: action.consentEpoch }),
  });
  await writeRow(state, KEY.queryState(id), ROW.queryState, { status: 'submitted', sessions: [] });
  await writeRow(state, KEY.queryOf('dataset', schema.dataset, id), ROW.queryOf, 'asked');
  await writeRow(state, KEY.queryOf('researcher', caller.id, id), ROW.queryOf, 'asked');
  for (const hospital of action.hospitals) {
    await writeRow(state, KEY.queryOf('hospital', hospital, id), ROW.queryOf, 'asked');
  }
  return made(id, { record: 'query', id });
}

async function requireSchema(state: State, reference: string): Promise<DatasetSchema> {
  const [dataset = '', version = ''] = reference.split('@');
  const schema = await readRow(state, KEY.schema(dataset, Number(version)), ROW.schema);
  if (schema === undefined) {
    throw new Refusal('UNKNOWN', 'the dataset version of the query is not registered', {
      hint: 'The ledger export lists all datasets: healthchain ledger export.',
    });
  }
  return schema;
}

function requireRelease(schema: DatasetSchema, query: Query, hospitals: number): void {
  const [shortfall] = shortfalls(query.release, schema.release ?? {});
  if (shortfall !== undefined) {
    const { parameter, asked, least } = shortfall;
    throw new Refusal('POLICY', `release.${parameter} ${asked} is under the dataset's floor of ${least}`, {
      hint: `Ask for release.${parameter} of ${least} or stricter.`,
    });
  }
  const { minimumHospitals } = query.release;
  if (minimumHospitals > hospitals) {
    throw new Refusal('POLICY', `release.minimumHospitals ${minimumHospitals} is more than the ${hospitals} asked`, {
      hint: 'Ask more hospitals, or lower release.minimumHospitals in the query as far as dataset and sites allow.',
    });
  }
}

/** Approves a query. By a hospital that was asked, once. Errors: as `decide`; `SUSPENDED` query or researcher. */
export async function approveQuery(call: Call<ActionOf<'approveQuery'>>): Promise<Outcome> {
  const query = await decide(call);
  const { id } = query;
  await requireActiveQuery(call.state, query);
  await writeRow(call.state, KEY.approval(id, call.caller.id), ROW.approval, 'approved');
  return changed({ record: 'query', id });
}

/**
 * Denies a query, with a reason that all members read. By a hospital that was asked, once. When too few hospitals are
 * left to reach `minimumHospitals`, the query ends as denied. Errors: as `decide`.
 */
export async function denyQuery(call: Call<ActionOf<'denyQuery'>>): Promise<Outcome> {
  const { state, action, caller } = call;
  const query = await decide(call);
  await writeRow(state, KEY.denial(query.id, caller.id), ROW.denial, action.reason);
  const denials = await state.list(KEY.denials(query.id));
  if (query.hospitals.length - denials.length < query.query.release.minimumHospitals) {
    await writeRow(state, KEY.queryState(query.id), ROW.queryState, { status: 'denied', sessions: query.sessions });
  }
  return changed({ record: 'query', id: query.id });
}

/**
 * Ends a query that no session is running for: by a coordinator that cannot form another one, or withdrawn by the
 * researcher who submitted it. So everybody who waits for it learns that it is over, and why.
 *
 * Errors: `UNKNOWN` query; `NOT_AUTHORIZED`; `STALE` while a session runs and after the query ended.
 */
export async function closeQuery(call: Call<ActionOf<'closeQuery'>>): Promise<Outcome> {
  const { state, caller, action } = call;
  const query = await requireQuery(state, action.query);
  const withdrawn = action.reason === 'WITHDRAWN';
  if (withdrawn ? caller.id !== query.researcher : !caller.roles.includes('coordinator')) {
    throw new Refusal(
      'NOT_AUTHORIZED',
      withdrawn ? 'only its researcher withdraws a query' : 'only a coordinator gives up a query',
      {
        party: caller.id,
      },
    );
  }
  if (query.status !== 'submitted') {
    throw new Refusal('STALE', `the query is ${query.status}`, {
      hint: query.status === 'running' ? 'Its session must end first.' : 'Nothing is left to close.',
    });
  }
  const closed = { by: caller.id, reason: action.reason };
  await writeRow(state, KEY.queryState(query.id), ROW.queryState, {
    status: 'failed',
    sessions: query.sessions,
    closed,
  });
  return changed({ record: 'query', id: query.id });
}

/** `UNKNOWN` query; `NOT_AUTHORIZED` unless the hospital was asked; `STALE` when the query has ended; `ALREADY_DONE`. */
async function decide(call: Call<ActionOf<'approveQuery'> | ActionOf<'denyQuery'>>) {
  requireRole(call, 'hospital');
  const { state, caller, action } = call;
  const query = await requireQuery(state, action.query);
  if (!query.hospitals.includes(caller.id)) {
    throw new Refusal('NOT_AUTHORIZED', 'this hospital was not asked', {
      party: caller.id,
      hint: 'Only the hospitals that the query names decide on it.',
    });
  }
  const decided =
    (await isPresent(state, KEY.approval(query.id, caller.id))) ||
    (await isPresent(state, KEY.denial(query.id, caller.id)));
  if (decided) {
    throw new Refusal('ALREADY_DONE', 'this hospital has decided on the query', {
      party: caller.id,
      hint: 'A decision stands; a researcher may submit the query anew.',
    });
  }
  if (query.status !== 'submitted' && query.status !== 'running') {
    throw new Refusal('STALE', `the query is ${query.status}`, { hint: 'Nothing is left to decide.' });
  }
  return query;
}
