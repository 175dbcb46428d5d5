import { z } from 'zod';
import { toHex } from './bytes.ts';
import { canonicalBytes, hashDocument } from './canonical.ts';
import { period, signedAccess, signedConsent } from './consent.ts';
import { LABEL } from './labels.ts';
import {
  chaincodeName,
  channelName,
  digest,
  mspId,
  organisationId,
  point,
  publicKey,
  queryId,
  sessionId,
  signatureHex,
} from './names.ts';
import { query } from './query.ts';
import { datasetSchema } from './schema.ts';

/** What a member may do. `admin` registers members; the first admins are named when the consortium is founded. */
export const role = z.enum(['hospital', 'researcher', 'auditor', 'coordinator', 'admin']);
export type Role = z.infer<typeof role>;

export const organisation = z.strictObject({
  id: organisationId,
  name: z.string().min(1).max(200),
  roles: z.array(role).min(1).max(5),
  /** The first identity key (Ed25519). Later ones come and go by rotateKey and revokeKey. */
  publicKey,
  /** The MSP whose identities may speak for it on a Fabric channel, where it is required. The embedded ledger only keeps it. */
  msp: mspId.optional(),
});
export type Organisation = z.infer<typeof organisation>;

/**
 * What a ledger of a consortium with several is for: `consortium`, queries from submission to receipt; `public`, patients'
 * statements and published results. A ledger that is founded without a tier is for both.
 */
export const tier = z.enum(['consortium', 'public']);
export type Tier = z.infer<typeof tier>;

const reason = z.string().min(1).max(500);

/** Why a session ended without an answer. */
export const abortReason = z.enum([
  'DROP_OUT', // a hospital went away before anything opened
  'DEADLINE',
  'EQUIVOCATION',
  'SEED_MISMATCH',
  'FORGED_FRAME',
  'FORGED_HELLO',
  'FORGED_SHARE',
  'ROSTER_MISMATCH',
  'VERIFICATION_FAILED',
  'BLAME_REFUSED',
  'COMMITMENT',
  'MAC_CHECK',
  'BAD_BASE_OT',
  'COT_CHECK',
  'KEY_CHECK',
  'TRIPLE_CHECK',
  'INPUT_FORGED',
  'DATA',
  'SUSPENDED', // an auditor suspended the query, or a member that takes part
  'INTERNAL',
]);
export type AbortReason = z.infer<typeof abortReason>;

/** Why a query ended without a session that could answer it. */
export const closeReason = z.enum(['TOO_FEW_HOSPITALS', 'TOO_MANY_ATTEMPTS', 'ALREADY_OPENED', 'WITHDRAWN']);
export type CloseReason = z.infer<typeof closeReason>;

const nonce = digest;

/** What an auditor suspends: a member, which then does nothing, or a query, for which then nothing happens. */
export const suspensionSubject = z.union([
  z.strictObject({ organisation: organisationId }),
  z.strictObject({ query: queryId }),
]);
export type SuspensionSubject = z.infer<typeof suspensionSubject>;

export const action = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('createConsortium'),
    name: z.string().min(1).max(200),
    organisations: z.array(organisation).min(1).max(1000),
    tier: tier.optional(),
  }),
  z.strictObject({ type: z.literal('registerOrganisation'), organisation }),
  /** The new key signs too (over organisation and key), so that nobody registers a key that he does not hold. */
  z.strictObject({ type: z.literal('rotateKey'), publicKey, proof: signatureHex }),
  z.strictObject({ type: z.literal('revokeKey'), organisation: organisationId, publicKey, reason }),
  z.strictObject({ type: z.literal('registerSchema'), schema: datasetSchema }),
  z.strictObject({
    type: z.literal('submitQuery'),
    query,
    /** X25519 key that the answer is sealed to; made for this query alone. */
    answerKey: publicKey,
    /** Hospitals asked. */
    hospitals: z.array(organisationId).min(2).max(1000),
    /** Most steps (commit, open) a session of this query may take. */
    steps: z.int().min(1).max(1000),
    nonce,
    /** The epoch whose consent decides on the cohort; exactly where the dataset's rule asks for consent. */
    consentEpoch: period.optional(),
  }),
  z.strictObject({ type: z.literal('approveQuery'), query: queryId }),
  z.strictObject({ type: z.literal('denyQuery'), query: queryId, reason }),
  z.strictObject({ type: z.literal('closeQuery'), query: queryId, reason: closeReason }),
  z.strictObject({
    type: z.literal('openSession'),
    query: queryId,
    attempt: z.int().min(0).max(1000),
    roster: z.array(organisationId).min(2).max(1000),
  }),
  z.strictObject({
    type: z.literal('recordCommitment'),
    session: sessionId,
    step: z.int().min(0).max(999),
    commitment: point,
    /** The epoch that decided which patients are in the committed cells: the query's. */
    consentEpoch: period.optional(),
  }),
  z.strictObject({
    type: z.literal('recordReceipt'),
    session: sessionId,
    step: z.int().min(0).max(999),
    result: digest,
    final: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('abortSession'),
    session: sessionId,
    reason: abortReason,
    blame: organisationId.optional(),
    round: z.string().max(80).optional(),
    /** Digest of the evidence file that anyone can check (docs/protocol.md, blame). */
    evidence: digest.optional(),
  }),
  /** The nonce lets the same subject be suspended again for the same reason. */
  z.strictObject({ type: z.literal('suspend'), subject: suspensionSubject, reason, nonce }),
  z.strictObject({ type: z.literal('reinstate'), subject: suspensionSubject, reason, nonce }),
  /** Passed on by any member: what authorises it is the patient's signature. */
  signedConsent.extend({ type: z.literal('recordConsent') }),
  signedAccess.extend({ type: z.literal('recordAccess') }),
  z.strictObject({ type: z.literal('openConsentEpoch'), period }),
  z.strictObject({ type: z.literal('withdrawConsentEpoch'), period, reason }),
  z.strictObject({
    type: z.literal('publishResult'),
    /** Consortium id of the ledger on which the query ran. */
    ledger: digest,
    session: sessionId,
    /** The last receipt of the session. */
    receipt: digest,
    /** SHA-256 of the result file. */
    result: digest,
    title: z.string().min(1).max(200),
    link: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional(),
  }),
]);
export type Action = z.infer<typeof action>;
export type ActionOf<T extends Action['type']> = Extract<Action, { type: T }>;

/** An action with its caller's signature over consortium, caller and action. */
export const signedAction = z.strictObject({
  /** Identifier of the consortium: an action signed for one ledger means nothing on another. Zero for createConsortium. */
  consortium: digest,
  caller: z.strictObject({ organisation: organisationId, publicKey }),
  action,
  signature: signatureHex,
});
export type SignedAction = z.infer<typeof signedAction>;

export const NO_CONSORTIUM = '0'.repeat(64);

/** One link of the chain. `time` is the operator's clock: for people, proves nothing. */
export const entry = z.strictObject({
  index: z.int().min(0),
  previous: digest,
  time: z.iso.datetime(),
  signed: signedAction,
});
export type Entry = z.infer<typeof entry>;

/** The operator's signature under the Merkle root (RFC 6962) of the first `size` entry hashes. */
export const treeHead = z.strictObject({
  consortium: digest,
  size: z.int().min(1),
  root: digest,
  publicKey,
  signature: signatureHex,
});
export type TreeHead = z.infer<typeof treeHead>;

export const treeHeadBytes = (head: Omit<TreeHead, 'signature'>): Uint8Array =>
  canonicalBytes({ consortium: head.consortium, size: head.size, root: head.root, publicKey: head.publicKey });

/**
 * Where a copy of a Fabric channel stands: the Merkle root over its entries, and the block that holds the last of them. Nobody
 * signs it; the orderers signed the block, and its hash names all blocks before it down to the genesis block.
 */
export const channelHead = z.strictObject({
  consortium: digest,
  size: z.int().min(1),
  root: digest,
  channel: channelName,
  genesis: digest,
  block: z.int().min(1),
  blockHash: digest,
});
export type ChannelHead = z.infer<typeof channelHead>;

/** Where a view of a ledger stands. What vouches for the root differs: an operator's signature, or a channel's blocks. */
export const ledgerHead = z.union([treeHead, channelHead]);
export type LedgerHead = z.infer<typeof ledgerHead>;

/** What a reader must know of a ledger from elsewhere, and may pin: the operator's key, or the channel's genesis block. */
export const ledgerAnchor = z.union([
  z.strictObject({ operatorKey: publicKey }),
  z.strictObject({ channel: channelName, genesis: digest }),
]);
export type LedgerAnchor = z.infer<typeof ledgerAnchor>;

export const anchorOf = (head: LedgerHead): LedgerAnchor =>
  'channel' in head ? { channel: head.channel, genesis: head.genesis } : { operatorKey: head.publicKey };

/** An embedded ledger as one document, which anyone can replay and check offline. */
export const operatorExport = z.strictObject({
  format: z.literal('healthchain-ledger/1'),
  head: treeHead,
  entries: z.array(entry).min(1),
});
export type OperatorExport = z.infer<typeof operatorExport>;

const base64 = z
  .base64()
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'not the one base64 form of its bytes');

/** A block as all members of a channel see it alike: nothing in it is one peer's word. */
export const exportedBlock = z.strictObject({
  number: z.int().min(0),
  previousHash: z.union([z.literal(''), digest]),
  dataHash: digest,
  /** Envelopes. */
  data: z.array(base64).min(1),
  /** The orderers' signatures: `common.Metadata`; empty for the genesis block. */
  signatures: base64,
});
export type ExportedBlock = z.infer<typeof exportedBlock>;

/** A Fabric channel as one document, from its genesis block on. */
export const channelExport = z.strictObject({
  format: z.literal('healthchain-ledger-fabric/1'),
  channel: channelName,
  chaincode: chaincodeName,
  blocks: z.array(exportedBlock).min(2),
});
export type ChannelExport = z.infer<typeof channelExport>;

/** A whole ledger as one document, which anyone can replay and check offline. */
export const ledgerExport = z.discriminatedUnion('format', [operatorExport, channelExport]);
export type LedgerExport = z.infer<typeof ledgerExport>;

/** Query id = hash of what was submitted, by whom: unforgeable and unique through the nonce. */
export function deriveQueryId(consortium: string, researcher: string, submission: ActionOf<'submitQuery'>): string {
  return toHex(hashDocument(LABEL.query, { consortium, researcher, submission }));
}

/** Session id = hash(query id, attempt, roster). */
export function deriveSessionId(of: { query: string; attempt: number; roster: readonly string[] }): string {
  return toHex(hashDocument(LABEL.session, { query: of.query, attempt: of.attempt, roster: of.roster }));
}
