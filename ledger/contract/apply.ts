import { Refusal } from '../../protocol/errors.ts';
import type { Action, SignedAction } from '../../protocol/ledger.ts';
import { abortSession } from './aborts.ts';
import { actionDigest, requireSize, verifyCaller, type Call, type Outcome } from './call.ts';
import { recordAccess, recordConsent } from './consent.ts';
import { openConsentEpoch, withdrawConsentEpoch } from './epochs.ts';
import { createConsortium } from './founding.ts';
import { revokeKey, rotateKey } from './identity-keys.ts';
import { KEY } from './keys.ts';
import { registerOrganisation } from './organisations.ts';
import { approveQuery, closeQuery, denyQuery, submitQuery } from './queries.ts';
import { publishResult } from './publications.ts';
import { ROW, readRow, writeRow } from './rows.ts';
import { registerSchema } from './schemas.ts';
import { openSession, recordCommitment, recordReceipt } from './sessions.ts';
import { BufferedState, type State } from './state.ts';
import { reinstate, requireActive, suspend } from './suspensions.ts';
import { requireTier } from './tiers.ts';

/**
 * Applies one signed action to the state of the ledger: (state, caller, action) -> (id, events). Pure: no clock, no
 * randomness, no I/O but the state's own, so that every replica comes to the same state. Either the whole action is
 * written to `state`, or the call rejects and nothing is.
 *
 * `consortium` is the id that the ledger has, or takes when the action founds it: the hash of the founding entry,
 * which only the caller knows, since the entry is made around the action.
 *
 * Errors: `Refusal` (codes at each action; `TOO_LARGE`), `Misuse MALFORMED` for an action without a canonical form.
 */
export async function apply(state: State, signed: SignedAction, consortium: string): Promise<Outcome> {
  requireSize(signed);
  const draft = new BufferedState(state);
  const outcome =
    signed.action.type === 'createConsortium'
      ? await createConsortium(draft, signed, signed.action, consortium)
      : await dispatch(await authenticate(draft, signed));
  await writeRow(draft, KEY.action(actionDigest(signed)), ROW.action, outcome.id);
  await draft.flush();
  return outcome;
}

/**
 * Proves that an active key of a registered organisation signed this action for this consortium, and that the action
 * has not taken effect before, and that the organisation is not suspended. Not that the caller may do it: that is each action's own rule.
 */
async function authenticate(state: State, signed: SignedAction): Promise<Call> {
  const { organisation, publicKey } = signed.caller;
  const consortium = await readRow(state, KEY.consortium, ROW.consortium);
  if (consortium === undefined) {
    throw new Refusal('STALE', 'this ledger has no consortium yet', {
      hint: 'The first action must be createConsortium.',
    });
  }
  if (signed.consortium !== consortium.id) {
    throw new Refusal('UNKNOWN', 'this action was signed for another consortium', {
      party: organisation,
      hint: 'Check the consortium id in your configuration.',
    });
  }
  const caller = await readRow(state, KEY.organisation(organisation), ROW.organisation);
  if (caller === undefined) {
    throw new Refusal('UNKNOWN', 'the calling organisation is not registered', {
      party: organisation,
      hint: 'An admin of the consortium registers organisations.',
    });
  }
  const key = await readRow(state, KEY.key(organisation, publicKey), ROW.key);
  if (key === undefined) {
    throw new Refusal('BAD_SIGNATURE', 'the signing key does not belong to the calling organisation', {
      party: organisation,
      hint: 'Check which key file this process uses.',
    });
  }
  if (key.status === 'revoked') {
    throw new Refusal('BAD_SIGNATURE', 'the signing key was revoked', {
      party: organisation,
      hint: 'Sign with the key that replaced it.',
    });
  }
  verifyCaller(signed);
  if ((await state.get(KEY.action(actionDigest(signed)))) !== undefined) {
    throw new Refusal('ALREADY_DONE', 'this very action is on the ledger already', {
      party: organisation,
      hint: 'Nothing is left to do: read the ledger for its effect.',
    });
  }
  await requireActive(state, 'organisation', organisation);
  return { state, consortium: consortium.id, tier: consortium.tier, caller, publicKey, action: signed.action };
}

function dispatch(call: Call): Promise<Outcome> {
  // The switch narrows `action`, not the call around it: `T` is the type of the case at hand.
  const as = <T extends Action>(action: T): Call<T> => ({ ...call, action });
  const { action } = call;
  requireTier(call);
  switch (action.type) {
    case 'createConsortium':
      throw new Refusal('ALREADY_DONE', 'the consortium exists');
    case 'registerOrganisation':
      return registerOrganisation(as(action));
    case 'rotateKey':
      return rotateKey(as(action));
    case 'revokeKey':
      return revokeKey(as(action));
    case 'registerSchema':
      return registerSchema(as(action));
    case 'submitQuery':
      return submitQuery(as(action));
    case 'approveQuery':
      return approveQuery(as(action));
    case 'denyQuery':
      return denyQuery(as(action));
    case 'closeQuery':
      return closeQuery(as(action));
    case 'openSession':
      return openSession(as(action));
    case 'recordCommitment':
      return recordCommitment(as(action));
    case 'recordReceipt':
      return recordReceipt(as(action));
    case 'abortSession':
      return abortSession(as(action));
    case 'suspend':
      return suspend(as(action));
    case 'reinstate':
      return reinstate(as(action));
    case 'recordConsent':
      return recordConsent(as(action));
    case 'recordAccess':
      return recordAccess(as(action));
    case 'openConsentEpoch':
      return openConsentEpoch(as(action));
    case 'withdrawConsentEpoch':
      return withdrawConsentEpoch(as(action));
    case 'publishResult':
      return publishResult(as(action));
  }
}
