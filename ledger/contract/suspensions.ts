import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf, SuspensionSubject } from '../../protocol/ledger.ts';
import { changed, requireQuery, requireRole, type Call, type LedgerEvent, type Outcome } from './call.ts';
import { keysOf } from './identity-keys.ts';
import { KEY } from './keys.ts';
import { decodeRow, isPresent, readRow, ROW, writeRow, type Row } from './rows.ts';
import type { State } from './state.ts';

type SubjectKind = 'organisation' | 'query';

/**
 * Suspends a member or a query, with a reason that all members read. By an auditor.
 *
 * A suspended member does nothing on the ledger, neither what helps it (a new key) nor what would harm only itself: its
 * keys may be in other hands. What is under way with it is ended by others: sessions are aborted by a coordinator or a
 * hospital, keys are revoked by an admin. A suspended query takes no approval, session, commitment or receipt; it can be
 * denied, aborted, closed and withdrawn.
 *
 * Nobody suspends itself, and one admin always stays: it can register another auditor, should all keys of the
 * auditors be lost or stolen.
 *
 * Errors: `NOT_AUTHORIZED`; `UNKNOWN` subject; `ALREADY_DONE`; `POLICY` for itself and for the last admin.
 */
export async function suspend(call: Call<ActionOf<'suspend'>>): Promise<Outcome> {
  requireRole(call, 'auditor');
  const { state, caller, action } = call;
  const [kind, id] = await requireSubject(state, action.subject);
  if ((await suspensionOf(state, kind, id)) !== undefined) {
    throw new Refusal('ALREADY_DONE', `this ${kind} is suspended already`, party(kind, id));
  }
  if (kind === 'organisation') await requireSomebodyLeft(state, caller.id, id);
  await write(call, kind, id, 'suspended');
  return changed(eventOf(kind, id));
}

/** Ends a suspension. By an auditor; the reason is for all to read. Errors: `NOT_AUTHORIZED`, `UNKNOWN`, `STALE`. */
export async function reinstate(call: Call<ActionOf<'reinstate'>>): Promise<Outcome> {
  requireRole(call, 'auditor');
  const { state, action } = call;
  const [kind, id] = await requireSubject(state, action.subject);
  if ((await suspensionOf(state, kind, id)) === undefined) {
    throw new Refusal('STALE', `this ${kind} is not suspended`, party(kind, id));
  }
  await write(call, kind, id, 'reinstated');
  return changed(eventOf(kind, id));
}

/** The suspension that stands, or undefined. */
export async function suspensionOf(
  state: State,
  kind: SubjectKind,
  id: string,
): Promise<{ by: string; reason: string } | undefined> {
  const row = await readRow(state, KEY.suspension(kind, id), ROW.suspension);
  return row?.status === 'suspended' ? { by: row.by, reason: row.reason } : undefined;
}

/** Refuses with `SUSPENDED` while a suspension stands. */
export async function requireActive(state: State, kind: SubjectKind, id: string): Promise<void> {
  const suspension = await suspensionOf(state, kind, id);
  if (suspension === undefined) return;
  throw new Refusal('SUSPENDED', `this ${kind} is suspended by ${suspension.by}`, {
    ...party(kind, id),
    hint: `Its record on the ledger has the reason; ${suspension.by} can reinstate it.`,
  });
}

/** Refuses with `SUSPENDED` to go on with a query that is suspended, or whose researcher is. */
export async function requireActiveQuery(state: State, query: Pick<Row<'query'>, 'id' | 'researcher'>): Promise<void> {
  await requireActive(state, 'query', query.id);
  await requireActive(state, 'organisation', query.researcher);
}

async function requireSubject(state: State, subject: SuspensionSubject): Promise<[SubjectKind, string]> {
  if ('query' in subject) return ['query', (await requireQuery(state, subject.query)).id];
  if (await isPresent(state, KEY.organisation(subject.organisation))) return ['organisation', subject.organisation];
  throw new Refusal('UNKNOWN', 'no organisation of this name is registered', {
    party: subject.organisation,
    hint: 'The ledger export lists all members: healthchain ledger export.',
  });
}

async function requireSomebodyLeft(state: State, caller: string, id: string): Promise<void> {
  if (caller === id) {
    throw new Refusal('POLICY', 'nobody suspends itself: it could not come back', {
      party: id,
      hint: 'Ask another auditor, or an admin to revoke the key.',
    });
  }
  const admins = await activeAdmins(state);
  if (admins.length !== 1 || admins[0] !== id) return;
  throw new Refusal('POLICY', 'this is the last active admin of the consortium', {
    party: id,
    hint: 'An admin must be left to register members and revoke keys: have another one registered first.',
  });
}

async function activeAdmins(state: State): Promise<string[]> {
  const active: string[] = [];
  for (const { value } of await state.list(KEY.organisations)) {
    const { id, roles } = decodeRow(ROW.organisation, value);
    if (!roles.includes('admin') || (await suspensionOf(state, 'organisation', id)) !== undefined) continue;
    if ((await keysOf(state, id)).some(({ status }) => status === 'active')) active.push(id);
  }
  return active;
}

function write(
  { state, caller, action }: Call<ActionOf<'suspend'> | ActionOf<'reinstate'>>,
  kind: SubjectKind,
  id: string,
  status: Row<'suspension'>['status'],
): Promise<void> {
  return writeRow(state, KEY.suspension(kind, id), ROW.suspension, { status, by: caller.id, reason: action.reason });
}

const eventOf = (kind: SubjectKind, id: string): LedgerEvent => ({ record: kind, id });
const party = (kind: SubjectKind, id: string): { party?: string } => (kind === 'organisation' ? { party: id } : {});
