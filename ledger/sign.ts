import { toHex } from '../protocol/bytes.ts';
import type { Identity } from '../protocol/identity.ts';
import { LABEL } from '../protocol/labels.ts';
import {
  NO_CONSORTIUM,
  type Action,
  type ActionOf,
  type Organisation,
  type SignedAction,
  type Tier,
} from '../protocol/ledger.ts';
import { signedBytes } from './contract/call.ts';
import { newKeyBytes } from './contract/identity-keys.ts';
import type { Member } from './ledger.ts';

/** Signs an action as a member, for one consortium. Deterministic: the same action signed twice is the same document. */
export function signAction(member: Member, consortium: string, action: Action): SignedAction {
  const caller = { organisation: member.organisation, publicKey: member.identity.publicKey };
  const unsigned = { consortium, caller, action };
  return { ...unsigned, signature: toHex(member.identity.sign(LABEL.action, signedBytes(unsigned))) };
}

/**
 * The founding action: signed by an admin that is among the organisations it lists. Its entry's hash becomes the
 * consortium's id.
 */
export function found(of: {
  readonly name: string;
  readonly organisations: readonly Organisation[];
  readonly founder: Member;
  /** For a consortium with a ledger for each tier; without it the ledger is for everything. */
  readonly tier?: Tier | undefined;
}): SignedAction {
  const { name, founder, tier } = of;
  const organisations = [...of.organisations];
  return signAction(founder, NO_CONSORTIUM, {
    type: 'createConsortium',
    name,
    organisations,
    ...(tier === undefined ? {} : { tier }),
  });
}

/** The action by which an organisation replaces its key with `next`; it is signed by the key in use. */
export function rotation(consortium: string, organisation: string, next: Identity): ActionOf<'rotateKey'> {
  const { publicKey } = next;
  const proof = toHex(next.sign(LABEL.newKey, newKeyBytes({ consortium, organisation, publicKey })));
  return { type: 'rotateKey', publicKey, proof };
}
