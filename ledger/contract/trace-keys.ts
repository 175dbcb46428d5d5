import { KEY, lastPart, type TracedKind } from './keys.ts';
import { readRow, ROW } from './rows.ts';
import type { State } from './state.ts';

/** What can be traced, and its id: a query's 64 digits, a dataset's name without version, a member's name. */
export interface TraceSubject {
  readonly kind: 'query' | TracedKind;
  readonly id: string;
}

/**
 * The keys whose history is the history of a subject, in no particular order: where a store keeps each key's past
 * (Fabric: getHistoryForKey), a trace is the past of these keys, sorted by transaction. Range reads alone: nothing is
 * searched. Of a hospital: itself, every query that asked it, and of those its own decision, sessions, commitments and
 * credits. Empty for what the ledger does not know.
 *
 * Cost: a few range reads for each query of the subject and each of its sessions.
 */
export async function traceKeys(state: State, { kind, id }: TraceSubject): Promise<readonly string[]> {
  if (kind === 'query') return present(state, await queryKeys(state, id));
  const keys = await ownKeys(state, kind, id);
  const only = kind === 'hospital' ? id : undefined;
  for (const { key } of await state.list(KEY.queriesOf(kind, id))) {
    keys.push(...(await queryKeys(state, lastPart(key), only)));
  }
  return present(state, keys);
}

async function ownKeys(state: State, kind: TracedKind, id: string): Promise<string[]> {
  if (kind === 'dataset') return under(state, `${KEY.schemas}${id}/`);
  const budgets = kind === 'researcher' ? await under(state, KEY.budgets(id)) : [];
  const identityKeys = await under(state, KEY.keysOf(id));
  return [KEY.organisation(id), KEY.suspension('organisation', id), ...identityKeys, ...budgets];
}

async function queryKeys(state: State, query: string, only?: string): Promise<string[]> {
  const keys = [KEY.query(query), KEY.queryState(query), KEY.suspension('query', query)];
  const decisions =
    only === undefined
      ? [...(await under(state, KEY.approvals(query))), ...(await under(state, KEY.denials(query)))]
      : [KEY.approval(query, only), KEY.denial(query, only)];
  keys.push(...decisions);
  const current = await readRow(state, KEY.queryState(query), ROW.queryState);
  for (const session of current?.sessions ?? []) keys.push(...(await sessionKeys(state, session, only)));
  return keys;
}

async function sessionKeys(state: State, session: string, only?: string): Promise<string[]> {
  const roster = (await readRow(state, KEY.session(session), ROW.session))?.roster ?? [];
  if (only !== undefined && !roster.includes(only)) return [];
  const commitments = await under(state, KEY.commitments(session));
  const of = (key: string): boolean => only === undefined || lastPart(key) === only;
  return [
    KEY.session(session),
    KEY.sessionState(session),
    ...commitments.filter(of),
    ...(await under(state, KEY.receipts(session))),
    ...roster.map((hospital) => KEY.credit(session, hospital)).filter(of),
    ...(await under(state, KEY.publications(session))),
  ];
}

const under = async (state: State, prefix: string): Promise<string[]> =>
  (await state.list(prefix)).map(({ key }) => key);

async function present(state: State, keys: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const key of keys) if ((await state.get(key)) !== undefined) found.push(key);
  return found;
}
