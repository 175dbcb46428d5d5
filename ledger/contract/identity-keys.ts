import { fromHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { Refusal } from '../../protocol/errors.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { changed, requireRole, type Call, type Outcome } from './call.ts';
import { lastPart, KEY } from './keys.ts';
import { claimKey } from './organisations.ts';
import { decodeRow, readRow, ROW, writeRow, type Row } from './rows.ts';
import type { State } from './state.ts';

/** What a new key signs to prove that the organisation holds it. */
export const newKeyBytes = (of: { consortium: string; organisation: string; publicKey: string }): Uint8Array =>
  canonicalBytes({ consortium: of.consortium, organisation: of.organisation, publicKey: of.publicKey });

/**
 * Replaces the key that signs this action by a new one: the old key is revoked in the same step. By the organisation
 * itself. Errors: `BAD_SIGNATURE` when the new key did not sign too; `ALREADY_DONE` for a key that was ever registered.
 */
export async function rotateKey(call: Call<ActionOf<'rotateKey'>>): Promise<Outcome> {
  const { state, consortium, caller, action } = call;
  const statement = newKeyBytes({ consortium, organisation: caller.id, publicKey: action.publicKey });
  if (!verifySignature(action.publicKey, LABEL.newKey, statement, fromHex(action.proof, 64))) {
    throw new Refusal('BAD_SIGNATURE', 'the new key did not sign its registration', {
      party: caller.id,
      hint: 'The proof is the new key over consortium, organisation and public key.',
    });
  }
  await claimKey(state, caller.id, action.publicKey);
  const keys = await keysOf(state, caller.id);
  await writeRow(state, KEY.key(caller.id, action.publicKey), ROW.key, { order: keys.length, status: 'active' });
  await revoke(state, caller.id, call.publicKey);
  return changed({ record: 'organisation', id: caller.id });
}

/**
 * Revokes a key: it signs nothing from here on. By the organisation itself or an admin; an organisation's last active
 * key by an admin of another organisation alone, so that nobody locks himself out and one admin is always left. An
 * organisation without a key is out for good: it comes back under a new name.
 *
 * Errors: `NOT_AUTHORIZED`, `UNKNOWN`, `ALREADY_DONE`, `POLICY` for the last key.
 */
export async function revokeKey(call: Call<ActionOf<'revokeKey'>>): Promise<Outcome> {
  const { state, caller, action } = call;
  const own = caller.id === action.organisation;
  if (!own) requireRole(call, 'admin');
  const key = await readRow(state, KEY.key(action.organisation, action.publicKey), ROW.key);
  if (key === undefined) {
    throw new Refusal('UNKNOWN', 'the organisation has no such key', {
      party: action.organisation,
      hint: 'Its keys are listed in its record on the ledger.',
    });
  }
  if (key.status === 'revoked') {
    throw new Refusal('ALREADY_DONE', 'this key is revoked already', { party: action.organisation });
  }
  const active = (await keysOf(state, action.organisation)).filter(({ status }) => status === 'active');
  if (own && active.length === 1) {
    throw new Refusal('POLICY', 'this is the last active key of the organisation', {
      party: caller.id,
      hint: 'Rotate to a new key, or ask an admin of another organisation.',
    });
  }
  await revoke(state, action.organisation, action.publicKey);
  return changed({ record: 'organisation', id: action.organisation });
}

async function revoke(state: State, organisation: string, publicKey: string): Promise<void> {
  const key = await readRow(state, KEY.key(organisation, publicKey), ROW.key);
  await writeRow(state, KEY.key(organisation, publicKey), ROW.key, { order: key?.order ?? 0, status: 'revoked' });
}

/** An organisation's keys, oldest first. */
export async function keysOf(
  state: State,
  organisation: string,
): Promise<readonly { publicKey: string; status: Row<'key'>['status'] }[]> {
  const pairs = await state.list(KEY.keysOf(organisation));
  return pairs
    .map(({ key, value }) => ({ publicKey: lastPart(key), ...decodeRow(ROW.key, value) }))
    .sort((a, b) => a.order - b.order)
    .map(({ publicKey, status }) => ({ publicKey, status }));
}
