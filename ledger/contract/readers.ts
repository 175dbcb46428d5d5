import type { AccessRecord, ConsentEpoch, ConsentRecord, PatientRecord } from '../../protocol/consent.ts';
import type { OrganisationRecord, PublicationRecord, QueryRecord, SessionRecord } from '../../protocol/records.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import { standingEpoch } from './epochs.ts';
import { keysOf } from './identity-keys.ts';
import { KEY, lastPart } from './keys.ts';
import { decodeRow, readRow, ROW } from './rows.ts';
import type { State } from './state.ts';
import { suspensionOf } from './suspensions.ts';

/** Records as every reader of the ledger sees them, put together from the rows of the state. */

export async function readOrganisation(state: State, id: string): Promise<OrganisationRecord | undefined> {
  const organisation = await readRow(state, KEY.organisation(id), ROW.organisation);
  if (organisation === undefined) return undefined;
  const suspended = await suspensionOf(state, 'organisation', id);
  return {
    ...withoutUndefined(organisation),
    keys: await keysOf(state, id),
    ...(suspended === undefined ? {} : { suspended }),
  };
}

export async function readOrganisations(state: State): Promise<readonly OrganisationRecord[]> {
  const ids = (await state.list(KEY.organisations)).map(({ key }) => lastPart(key));
  return present(ids, (id) => readOrganisation(state, id));
}

/** By reference: `heart@1`. */
export async function readSchema(state: State, reference: string): Promise<DatasetSchema | undefined> {
  const [dataset = '', version = ''] = reference.split('@');
  return readRow(state, KEY.schema(dataset, Number(version)), ROW.schema);
}

/** Every version of every dataset, or of one. */
export async function readSchemas(state: State, dataset?: string): Promise<readonly DatasetSchema[]> {
  const pairs = await state.list(dataset === undefined ? KEY.schemas : `${KEY.schemas}${dataset}/`);
  return pairs.map(({ value }) => decodeRow(ROW.schema, value));
}

/** Decisions are ordered by hospital: they were made side by side, and no one order is theirs. */
export async function readQuery(state: State, id: string): Promise<QueryRecord | undefined> {
  const query = await readRow(state, KEY.query(id), ROW.query);
  const current = await readRow(state, KEY.queryState(id), ROW.queryState);
  if (query === undefined || current === undefined) return undefined;
  const approved = (await state.list(KEY.approvals(id))).map(
    ({ key }) => ({ hospital: lastPart(key), decision: 'approved' }) as const,
  );
  const denied = (await state.list(KEY.denials(id))).map(
    ({ key, value }) =>
      ({ hospital: lastPart(key), decision: 'denied', reason: decodeRow(ROW.denial, value) }) as const,
  );
  const decisions =
    denied.length === 0 ? approved : [...approved, ...denied].sort((a, b) => (a.hospital < b.hospital ? -1 : 1));
  const { status, sessions, closed } = current;
  const suspended = await suspensionOf(state, 'query', id);
  return {
    ...withoutUndefined(query),
    status,
    sessions,
    ...(closed === undefined ? {} : { closed }),
    ...(suspended === undefined ? {} : { suspended }),
    decisions,
  };
}

/** In the order of ids, which is nobody's. */
export async function readQueries(state: State): Promise<readonly QueryRecord[]> {
  const ids = (await state.list(KEY.queries)).map(({ key }) => lastPart(key));
  return present(ids, (id) => readQuery(state, id));
}

export async function readSession(state: State, id: string): Promise<SessionRecord | undefined> {
  const session = await readRow(state, KEY.session(id), ROW.session);
  const current = await readRow(state, KEY.sessionState(id), ROW.sessionState);
  if (session === undefined || current === undefined) return undefined;
  const commitments: Record<string, string>[] = [];
  const prefix = KEY.commitments(id);
  for (const { key, value } of await state.list(prefix)) {
    const hospital = lastPart(key);
    const step = key.slice(prefix.length, -hospital.length - 1);
    // Without a prototype: a hospital may be called "constructor", and its absence must read as absence.
    const ofStep = (commitments[Number(step)] ??= Object.create(null) as Record<string, string>);
    ofStep[hospital] = decodeRow(ROW.commitment, value);
  }
  const receipts = (await state.list(KEY.receipts(id))).map(({ value }) => decodeRow(ROW.receipt, value));
  const { status, abort } = current;
  const credits = status === 'completed' ? await readCredits(state, session) : undefined;
  return {
    ...session,
    status,
    commitments,
    receipts,
    ...(credits === undefined ? {} : { credits }),
    ...(abort === undefined ? {} : { abort: withoutUndefined(abort) }),
  };
}

async function readCredits(
  state: State,
  session: { readonly id: string; readonly roster: readonly string[] },
): Promise<Readonly<Record<string, number>> | undefined> {
  const credits = Object.create(null) as Record<string, number>;
  for (const hospital of session.roster) {
    const amount = await readRow(state, KEY.credit(session.id, hospital), ROW.credit);
    if (amount === undefined) return undefined;
    credits[hospital] = amount;
  }
  return credits;
}

/** Undefined for a key that has said nothing here. */
export async function readPatient(state: State, patient: string): Promise<PatientRecord | undefined> {
  const consents: ConsentRecord[] = [];
  for (const { value } of await state.list(KEY.consents(patient))) {
    const { statement, epoch: recordedIn } = decodeRow(ROW.consent, value);
    const { sequence, decision, dataset, purposes, hospitals } = statement;
    const epoch = await standingEpoch(state, recordedIn);
    consents.push({ sequence, decision, dataset, purposes, hospitals, ...(epoch === undefined ? {} : { epoch }) });
  }
  const accesses = (await state.list(KEY.accesses(patient))).map(({ value }): AccessRecord => {
    const statement = decodeRow(ROW.access, value);
    const { sequence, decision, doctor, hospital } = statement;
    const { until } = statement.decision === 'grant' ? statement : {};
    return { sequence, decision, doctor, hospital, ...(until === undefined ? {} : { until }) };
  });
  return consents.length + accesses.length === 0 ? undefined : { patient, consents, accesses };
}

export async function readEpoch(state: State, period: string): Promise<ConsentEpoch | undefined> {
  const epoch = await readRow(state, KEY.epoch(period), ROW.epoch);
  if (epoch === undefined) return undefined;
  const { by, withdrawn } = epoch;
  return { period, by, ...(withdrawn && { withdrawn: { by: withdrawn.by, reason: withdrawn.reason } }) };
}

/** What was published of a session: by its researcher, and on a ledger that cannot tell by whoever says so. */
export async function readPublications(state: State, session: string): Promise<readonly PublicationRecord[]> {
  const pairs = await state.list(KEY.publications(session));
  return pairs.map(({ key, value }) => ({
    researcher: lastPart(key),
    session,
    ...withoutUndefined(decodeRow(ROW.publication, value)),
  }));
}

/** zod types an absent field as `T | undefined`; a record has it or has it not. */
const withoutUndefined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;

async function present<T>(ids: readonly string[], read: (id: string) => Promise<T | undefined>): Promise<T[]> {
  const records: T[] = [];
  for (const id of ids) {
    const record = await read(id);
    if (record !== undefined) records.push(record);
  }
  return records;
}
