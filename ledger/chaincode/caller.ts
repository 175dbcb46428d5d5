import { Refusal } from '../../protocol/errors.ts';
import type { Organisation, SignedAction } from '../../protocol/ledger.ts';
import { KEY } from '../contract/keys.ts';
import { readRow, ROW } from '../contract/rows.ts';
import type { State } from '../contract/state.ts';

/** The attribute by which a Fabric CA tells members apart that share an MSP. */
export const ORGANISATION_ATTRIBUTE = 'healthchain.organisation';

/** Who signed the transaction, as the channel's membership services have checked it. */
export interface Creator {
  readonly mspId: string;
  /** What its certificate says under `ORGANISATION_ATTRIBUTE`, if anything. */
  readonly organisation: string | undefined;
}

/**
 * Ties the two identities of an action together: the MSP identity that signed the transaction must be one that speaks
 * for the organisation whose Ed25519 key signed the action. Neither alone does anything: a stolen action cannot be
 * submitted by another member, and a member of the channel cannot act for another organisation.
 *
 * The MSP of an organisation is what the ledger says of it, at founding what the founding action says. An organisation
 * that the ledger does not know passes, for the contract to refuse. Errors: `Refusal NOT_AUTHORIZED`.
 */
export async function requireCreator(state: State, signed: SignedAction, creator: Creator): Promise<void> {
  const { action, caller } = signed;
  if (action.type === 'createConsortium') action.organisations.forEach(requireMsp);
  if (action.type === 'registerOrganisation') requireMsp(action.organisation);
  const organisation =
    action.type === 'createConsortium'
      ? action.organisations.find(({ id }) => id === caller.organisation)
      : await readRow(state, KEY.organisation(caller.organisation), ROW.organisation);
  if (organisation === undefined) return;
  if (organisation.msp !== creator.mspId) {
    throw new Refusal('NOT_AUTHORIZED', `an identity of ${creator.mspId} does not speak for this organisation`, {
      party: caller.organisation,
      hint: 'Submit with an identity of the MSP that the organisation is registered with.',
    });
  }
  if (creator.organisation !== undefined && creator.organisation !== caller.organisation) {
    throw new Refusal('NOT_AUTHORIZED', `the certificate's attribute ${ORGANISATION_ATTRIBUTE} names another one`, {
      party: caller.organisation,
      hint: 'Submit with the certificate that was enrolled for this organisation.',
    });
  }
}

function requireMsp({ id, msp }: Organisation): void {
  if (msp !== undefined) return;
  throw new Refusal('NOT_AUTHORIZED', 'on a Fabric channel every organisation names the MSP that speaks for it', {
    party: id,
    hint: 'Add the field msp to the organisation, as "NorthMSP".',
  });
}
