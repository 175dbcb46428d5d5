import type { ChannelConfig } from './config.ts';
import { signer, type MemberIdentity } from './msp.ts';
import type { Policy } from './policy.ts';
import { transactionId, type EndorsedTransaction } from './transaction.ts';

/** Why a transaction does not count, by the names of `peer.TxValidationCode`. */
export type Fault =
  | 'BAD_CREATOR_SIGNATURE'
  | 'BAD_COMMON_HEADER'
  | 'BAD_PROPOSAL_TXID'
  | 'INVALID_ENDORSER_TRANSACTION'
  | 'INVALID_CHAINCODE'
  | 'INVALID_OTHER_REASON'
  | 'ILLEGAL_WRITESET'
  | 'ENDORSEMENT_POLICY_FAILURE';

export interface Finding {
  readonly fault: Fault;
  readonly why: string;
}

const LIFECYCLE = '_lifecycle';
const ENDORSEMENT = '/Channel/Application/Endorsement';
const LIFECYCLE_ENDORSEMENT = '/Channel/Application/LifecycleEndorsement';

/** Who asked and who endorsed, of a transaction in which all of that holds. */
export interface Endorsed {
  readonly creator: MemberIdentity;
  readonly endorsers: readonly MemberIdentity[];
}

/**
 * Checks all of a transaction that does not depend on state: the creator is a member and signed it; its id is its
 * own; the endorsers signed a response to exactly this proposal, of the chaincode it asked for; and they are enough under the
 * policy of everything it writes. In the order in which a peer checks (core/common/validation, the dispatcher, the
 * built-in validation of version 2.0).
 */
export function checkEndorsed(transaction: EndorsedTransaction, config: ChannelConfig): Endorsed | Finding {
  const { creator, nonce, id, action } = transaction;
  if (transaction.epoch !== 0 || nonce.length === 0)
    return { fault: 'BAD_COMMON_HEADER', why: 'its header is not one of a transaction' };
  const member = signer(config.msps, creator);
  if (typeof member === 'string') return { fault: 'BAD_CREATOR_SIGNATURE', why: `it was signed with ${member}` };
  if (id !== transactionId(nonce, creator.identity))
    return { fault: 'BAD_PROPOSAL_TXID', why: 'its id is not that of its nonce and creator' };
  if (Buffer.compare(action.proposalHash, action.presentHash) !== 0)
    return { fault: 'INVALID_ENDORSER_TRANSACTION', why: 'its endorsers signed the answer to another proposal' };
  if (action.asked === '' || action.asked !== action.ran.name || action.ran.version === '')
    return { fault: 'INVALID_CHAINCODE', why: 'its endorsers ran another chaincode than it asks for' };
  if (action.eventOf !== undefined && action.eventOf !== action.asked)
    return { fault: 'INVALID_OTHER_REASON', why: 'its event is of another chaincode' };
  const names = action.sets.filter(({ collection }) => collection === undefined).map(({ chaincode }) => chaincode);
  if (new Set(names).size !== names.length)
    return { fault: 'ILLEGAL_WRITESET', why: 'it holds two read-write sets of one chaincode' };
  const endorsers = action.endorsements.flatMap((each) => {
    const found = signer(config.msps, each);
    return typeof found === 'string' ? [] : [found];
  });
  if (!policiesOf(transaction, config).every((policy) => policy(endorsers)))
    return {
      fault: 'ENDORSEMENT_POLICY_FAILURE',
      why: `of its ${action.endorsements.length} endorsements ${endorsers.length} hold, which do not meet the policy`,
    };
  return { creator: member, endorsers };
}

/** The policies that the endorsers must meet, together. */
function policiesOf({ action }: EndorsedTransaction, config: ChannelConfig): Policy[] {
  const written = action.sets.filter(({ writes, metadata }) => writes.length > 0 || metadata);
  const policies = written.map((set) => policyOfSet(set, config));
  // Without writes of its own, the invoked chaincode's policy decides all the same.
  if (!written.some(({ chaincode }) => chaincode === action.asked))
    policies.push(policyOfSet({ chaincode: action.asked, collection: undefined }, config));
  return policies;
}

function policyOfSet(
  { chaincode, collection }: { readonly chaincode: string; readonly collection: string | undefined },
  config: ChannelConfig,
): Policy {
  const path =
    collection === undefined
      ? chaincode === LIFECYCLE
        ? LIFECYCLE_ENDORSEMENT
        : ENDORSEMENT
      : implicitCollection(collection, config);
  return (path === undefined ? undefined : config.policy(path)) ?? (() => false);
}

/** What an organisation approves of a chaincode's definition stands in a collection of its own. */
function implicitCollection(collection: string, config: ChannelConfig): string | undefined {
  const prefix = '_implicit_org_';
  const group = collection.startsWith(prefix) ? config.organisations.get(collection.slice(prefix.length)) : undefined;
  return group === undefined ? undefined : `/Channel/Application/${group}/Endorsement`;
}

/** Whether members of more than half of the application's organisations are among the endorsers. */
export function isMajority(endorsers: readonly MemberIdentity[], config: ChannelConfig): boolean {
  const organisations = new Set(endorsers.map(({ mspId }) => mspId).filter((id) => config.organisations.has(id)));
  return organisations.size > config.organisations.size / 2;
}
