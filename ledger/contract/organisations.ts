import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf, Organisation } from '../../protocol/ledger.ts';
import { changed, requireRole, type Call, type LedgerEvent, type Outcome } from './call.ts';
import { KEY } from './keys.ts';
import { isPresent, ROW, writeRow } from './rows.ts';
import type { State } from './state.ts';

/** Registers a member. By an admin. Errors: `NOT_AUTHORIZED`; `ALREADY_DONE` for a name or a key that is taken. */
export async function registerOrganisation(call: Call<ActionOf<'registerOrganisation'>>): Promise<Outcome> {
  requireRole(call, 'admin');
  return changed(await enrol(call.state, call.action.organisation));
}

export async function enrol(state: State, organisation: Organisation): Promise<LedgerEvent> {
  const { id, name, roles, publicKey, msp } = organisation;
  if (await isPresent(state, KEY.organisation(id))) {
    throw new Refusal('ALREADY_DONE', 'an organisation of this name is registered', {
      party: id,
      hint: 'Names are never given twice: choose another.',
    });
  }
  await claimKey(state, id, publicKey);
  await writeRow(state, KEY.organisation(id), ROW.organisation, {
    id,
    name,
    roles: [...new Set(roles)],
    ...(msp === undefined ? {} : { msp }),
  });
  await writeRow(state, KEY.key(id, publicKey), ROW.key, { order: 0, status: 'active' });
  return { record: 'organisation', id };
}

/** A key belongs to one organisation for ever, so that a signature names its signer without doubt. */
export async function claimKey(state: State, organisation: string, publicKey: string): Promise<void> {
  if (await isPresent(state, KEY.keyOwner(publicKey))) {
    throw new Refusal('ALREADY_DONE', 'this public key is or was registered', {
      party: organisation,
      hint: 'Make a new key with: healthchain keys generate',
    });
  }
  await writeRow(state, KEY.keyOwner(publicKey), ROW.keyOwner, organisation);
}
