import { Refusal } from '../../protocol/errors.ts';
import type { Action, Tier } from '../../protocol/ledger.ts';
import type { Call } from './call.ts';

/** Which ledger an action belongs to where a consortium has one for each tier. */
const TIER_OF: Readonly<Record<Action['type'], Tier | 'both'>> = {
  createConsortium: 'both',
  registerOrganisation: 'both',
  rotateKey: 'both',
  revokeKey: 'both',
  suspend: 'both',
  reinstate: 'both',
  registerSchema: 'consortium',
  submitQuery: 'consortium',
  approveQuery: 'consortium',
  denyQuery: 'consortium',
  closeQuery: 'consortium',
  openSession: 'consortium',
  recordCommitment: 'consortium',
  recordReceipt: 'consortium',
  abortSession: 'consortium',
  recordConsent: 'public',
  recordAccess: 'public',
  openConsentEpoch: 'public',
  withdrawConsentEpoch: 'public',
  publishResult: 'public',
};

/** Refuses with `POLICY` what belongs to the other ledger of the consortium. A ledger without a tier takes everything. */
export function requireTier({ tier, action, caller }: Call): void {
  const home = TIER_OF[action.type];
  if (tier === undefined || home === 'both' || home === tier) return;
  throw new Refusal('POLICY', `${action.type} belongs on the ${home} ledger; this is the ${tier} ledger`, {
    party: caller.id,
    hint: 'Check which ledger your configuration names.',
  });
}
