import { fromHex } from '../../protocol/bytes.ts';
import { actionForm, type ActionForm, type Unsigned } from '../../protocol/ledger-text.ts';
import type { Action, Role, SignedAction, Tier } from '../../protocol/ledger.ts';
import { Misuse, Refusal } from '../../protocol/errors.ts';
import { verifyDigest } from '../../protocol/identity.ts';
import { KEY } from './keys.ts';
import { ROW, readRow, type Row } from './rows.ts';
import type { State } from './state.ts';

/** An action whose signature and caller have been checked, with the state it acts on. */
export interface Call<A extends Action = Action> {
  readonly state: State;
  readonly consortium: string;
  /** What this ledger is for; undefined for one that is for everything. */
  readonly tier: Tier | undefined;
  readonly caller: Row<'organisation'>;
  /** The key that signed. */
  readonly publicKey: string;
  readonly action: A;
}

/** Names a record that an action changed, so that readers know what to read again. */
export type LedgerEvent =
  | { readonly record: 'organisation'; readonly id: string }
  | { readonly record: 'schema'; readonly id: string }
  | { readonly record: 'query'; readonly id: string }
  | { readonly record: 'session'; readonly id: string }
  | { readonly record: 'patient'; readonly id: string }
  | { readonly record: 'epoch'; readonly id: string }
  /** By the session whose result it is. */
  | { readonly record: 'publication'; readonly id: string };

export interface Outcome {
  /** Id of what the action made: the query's or the session's; empty for others. */
  readonly id: string;
  readonly events: readonly LedgerEvent[];
}

export const changed = (...events: readonly LedgerEvent[]): Outcome => ({ id: '', events });
export const made = (id: string, ...events: readonly LedgerEvent[]): Outcome => ({ id, events });

/** An action's form; `Misuse MALFORMED` for one that has none. */
function formOf(signed: Unsigned): ActionForm {
  try {
    return actionForm(signed);
  } catch {
    throw new Misuse('MALFORMED', 'action: a text in it is not Unicode');
  }
}

/** An action's canonical form: what its caller signs. `Misuse MALFORMED` for text that has none. */
export const signedBytes = (signed: Unsigned): Uint8Array => Buffer.from(formOf(signed).text, 'utf8');

/** Bytes of an action's canonical form, and levels to which its document nests. */
const SIZE_LIMIT = 1 << 20;
const DEPTH_LIMIT = 100;

/**
 * Refuses with `TOO_LARGE` what some reader could not take in: every replica must be able to decode every entry, so the
 * limits are the contract's and not those of one machine's stack. (Canonical numbers can be longer than they were sent.)
 */
export function requireSize(signed: SignedAction): void {
  if (Buffer.byteLength(formOf(signed).text) > SIZE_LIMIT) {
    throw new Refusal('TOO_LARGE', `an action of more than ${SIZE_LIMIT} bytes`, { hint: 'Split or shorten it.' });
  }
  if (nestsDeeper(signed.action, DEPTH_LIMIT)) {
    throw new Refusal('TOO_LARGE', `an action that nests deeper than ${DEPTH_LIMIT} levels`, {
      hint: 'Flatten its predicates: all and any take many tests at once.',
    });
  }
}

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const key in value) if (nestsDeeper((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}

/**
 * Names an action whatever signature it carries: the same caller cannot do the same thing twice by signing it again.
 * 32 bytes as hexadecimal.
 */
export const actionDigest = (signed: Unsigned): string => formOf(signed).digest;

/** Refuses with `BAD_SIGNATURE` unless the key that the action names signed it. */
export function verifyCaller(signed: SignedAction): void {
  const digest = Buffer.from(actionDigest(signed), 'hex');
  if (verifyDigest(signed.caller.publicKey, digest, fromHex(signed.signature, 64))) return;
  throw new Refusal('BAD_SIGNATURE', 'the signature of the action does not verify', {
    party: signed.caller.organisation,
    hint: 'The action was changed after signing, or signed for another consortium or caller.',
  });
}

/** Refuses with `NOT_AUTHORIZED` unless the caller has one of the roles. */
export function requireRole(call: Call, ...roles: readonly Role[]): void {
  if (roles.some((role) => call.caller.roles.includes(role))) return;
  throw new Refusal('NOT_AUTHORIZED', `${call.action.type} needs the role ${roles.join(' or ')}`, {
    party: call.caller.id,
    hint: 'Ask an admin of the consortium which roles your organisation is registered with.',
  });
}

export async function requireQuery(state: State, id: string): Promise<Row<'query'> & Row<'queryState'>> {
  const query = await readRow(state, KEY.query(id), ROW.query);
  const current = await readRow(state, KEY.queryState(id), ROW.queryState);
  if (query !== undefined && current !== undefined) return { ...query, ...current };
  throw new Refusal('UNKNOWN', 'no query of this id is on the ledger', {
    hint: 'Check the id with: healthchain query list',
  });
}

export async function requireSession(state: State, id: string): Promise<Row<'session'> & Row<'sessionState'>> {
  const session = await readRow(state, KEY.session(id), ROW.session);
  const current = await readRow(state, KEY.sessionState(id), ROW.sessionState);
  if (session !== undefined && current !== undefined) return { ...session, ...current };
  throw new Refusal('UNKNOWN', 'no session of this id is on the ledger', {
    hint: 'Sessions are named in the record of their query.',
  });
}

export async function requireHospital(state: State, id: string): Promise<void> {
  const organisation = await readRow(state, KEY.organisation(id), ROW.organisation);
  if (organisation?.roles.includes('hospital') === true) return;
  throw new Refusal('UNKNOWN', 'a hospital that is named is not registered as one', {
    party: id,
    hint: 'The ledger export lists all members: healthchain ledger export.',
  });
}

/** Sorted, each name once: one set of hospitals has one spelling, and so one query or session id. */
export function requireSortedNames(names: readonly string[], what: string): void {
  if (names.every((name, at) => at === 0 || names[at - 1]! < name)) return;
  throw new Refusal('POLICY', `${what} must be sorted and name each hospital once`, {
    hint: 'Sort the names by code point and drop repetitions.',
  });
}
