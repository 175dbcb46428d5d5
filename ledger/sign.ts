import { toHex } from '../protocol/bytes.ts';
import type { Identity } from '../protocol/identity.ts';
import { LABEL } from '../protocol/labels.ts';
import { NO_CONSORTIUM, type Action, type ActionOf, type Organisation, type SignedAction } from '../protocol/ledger.ts';
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
}): SignedAction {
  const organisations = [...of.organisations];
  return signAction(of.founder, NO_CONSORTIUM, { type: 'createConsortium', name: of.name, organisations });
}

/** The action by which an organisation replaces its key with `next`; it is signed by the key in use. */
export function rotation(consortium: string, organisation: string, next: Identity): ActionOf<'rotateKey'> {
  const { publicKey } = next;
  const proof = toHex(next.sign(LABEL.newKey, newKeyBytes({ consortium, organisation, publicKey })));
  return { type: 'rotateKey', publicKey, proof };
}
