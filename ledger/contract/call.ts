import { fromHex, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { actionBytes, type Action, type Role, type SignedAction, type Tier } from '../../protocol/ledger.ts';
import { Misuse, Refusal } from '../../protocol/errors.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
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

/** Canonical forms and digests of actions at hand: each is asked for several times on its way through the contract. */
const forms = new WeakMap<object, { readonly bytes: Uint8Array; readonly digest: string }>();

function formOf(signed: Omit<SignedAction, 'signature'>): { readonly bytes: Uint8Array; readonly digest: string } {
  const known = forms.get(signed);
  if (known !== undefined) return known;
  const bytes = canonical(signed);
  const form = { bytes, digest: toHex(hashBytes(LABEL.action, bytes)) };
  forms.set(signed, form);
  return form;
}

function canonical(signed: Omit<SignedAction, 'signature'>): Uint8Array {
  try {
    return actionBytes(signed);
  } catch {
    throw new Misuse('MALFORMED', 'action: a text in it is not Unicode');
  }
}

/**
 * An action's canonical form. Whoever changes an action makes a new one: the form of an object is remembered.
 * `Misuse MALFORMED` for text that has none: a lone surrogate is valid JSON, not Unicode.
 */
export const signedBytes = (signed: Omit<SignedAction, 'signature'>): Uint8Array => formOf(signed).bytes;

/** Bytes of an action's canonical form, and levels to which its document nests. */
const SIZE_LIMIT = 1 << 20;
const DEPTH_LIMIT = 100;

/**
 * Refuses with `TOO_LARGE` what some reader could not take in: every replica must be able to decode every entry, so the
 * limits are the contract's and not those of one machine's stack. (Canonical numbers can be longer than they were sent.)
 */
export function requireSize(signed: SignedAction): void {
  if (signedBytes(signed).length > SIZE_LIMIT) {
    throw new Refusal('TOO_LARGE', `an action of more than ${SIZE_LIMIT} bytes`, { hint: 'Split or shorten it.' });
  }
  if (nestsDeeper(signed.action, DEPTH_LIMIT)) {
    throw new Refusal('TOO_LARGE', `an action that nests deeper than ${DEPTH_LIMIT} levels`, {
      hint: 'Flatten its predicates: all and any take many tests at once.',
    });
  }
}

const nestsDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => nestsDeeper(each, levels - 1)));

/**
 * Names an action whatever signature it carries: the same caller cannot do the same thing twice by signing it again.
 * 32 bytes as hexadecimal.
 */
export const actionDigest = (signed: Omit<SignedAction, 'signature'>): string => formOf(signed).digest;

/** Refuses with `BAD_SIGNATURE` unless the key that the action names signed it. */
export function verifyCaller(signed: SignedAction): void {
  const message = signedBytes(signed);
  if (verifySignature(signed.caller.publicKey, LABEL.action, message, fromHex(signed.signature, 64))) return;
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
