import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import { decodeExactly, EncodingError, type Decoder } from './encoding.ts';
import type { SignedData } from './msp.ts';
import { decodeReadWriteSet, type NamespaceSet } from './read-write-set.ts';

export interface Endorsement extends SignedData {
  /** Over the response and the endorser's identity. */
  readonly message: Uint8Array;
}

/** A transaction that endorsers signed, taken apart; nothing in it is verified yet. */
export interface EndorsedTransaction {
  readonly creator: SignedData;
  readonly nonce: Uint8Array;
  readonly id: string;
  readonly epoch: number;
  /** ISO with milliseconds, as the header has it. */
  readonly time: string;
  readonly action: EndorsedAction;
}

export interface EndorsedAction {
  /** The invoked chaincode as the creator asked for it. */
  readonly asked: string;
  /** The invoked chaincode as the endorsers say that it ran. */
  readonly ran: { readonly name: string; readonly version: string };
  /** Name of the chaincode that an event says it is of, if there is one. */
  readonly eventOf: string | undefined;
  readonly args: readonly Uint8Array[];
  /** Hash of the proposal, as the endorsers signed it. */
  readonly proposalHash: Uint8Array;
  /** Hash of the proposal that stands in this transaction. */
  readonly presentHash: Uint8Array;
  readonly status: number;
  readonly sets: readonly NamespaceSet[];
  readonly endorsements: readonly Endorsement[];
}

export interface Envelope {
  readonly channel: string;
  readonly type: number;
  readonly id: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly data: Uint8Array;
  readonly header: common.ChannelHeader;
  readonly channelHeader: Uint8Array;
  readonly signatureHeader: Uint8Array;
}

/**
 * Takes an envelope out of a block. It must hold payload and signature, each once and nothing else: a block's hash is over
 * the envelopes joined without their lengths, so that two of them could otherwise be handed on as one (in which a
 * decoder sees only the second), or one as two. Throws `EncodingError`.
 */
export function splitEnvelope(bytes: Uint8Array): { readonly payload: Uint8Array; readonly signature: Uint8Array } {
  const envelope = decodeExactly(common.Envelope, bytes, 'an envelope');
  return { payload: envelope.getPayload_asU8(), signature: envelope.getSignature_asU8() };
}

/** Reads whose and what an envelope is. Throws `EncodingError`. */
export function decodeEnvelope(bytes: Uint8Array, read: Decoder = decodeExactly): Envelope {
  const { payload, signature } = splitEnvelope(bytes);
  const content = read(common.Payload, payload, 'a payload');
  const header = content.getHeader();
  if (header === undefined) throw new EncodingError('a payload without header');
  const channelHeader = header.getChannelHeader_asU8();
  const decoded = read(common.ChannelHeader, channelHeader, 'a channel header');
  return {
    channel: decoded.getChannelId(),
    type: decoded.getType(),
    id: decoded.getTxId(),
    payload,
    signature,
    data: content.getData_asU8(),
    header: decoded,
    channelHeader,
    signatureHeader: header.getSignatureHeader_asU8(),
  };
}

/** Takes a transaction of endorsed actions apart. Throws `EncodingError`. */
export function decodeTransaction(envelope: Envelope, read: Decoder = decodeExactly): EndorsedTransaction {
  const signatureHeader = read(common.SignatureHeader, envelope.signatureHeader, 'a signature header');
  const transaction = read(peer.Transaction, envelope.data, 'a transaction');
  const [action, ...others] = transaction.getActionsList();
  if (action === undefined || others.length > 0) throw new EncodingError('a transaction not of one action');
  const { header, payload, signature } = envelope;
  return {
    creator: { identity: signatureHeader.getCreator_asU8(), message: payload, signature },
    nonce: signatureHeader.getNonce_asU8(),
    id: envelope.id,
    epoch: header.getEpoch(),
    time: timeOf(header),
    action: decodeAction(envelope, action, read),
  };
}

/** How Fabric names a transaction: the hash of its nonce and its creator. */
export const transactionId = (nonce: Uint8Array, creator: Uint8Array): string =>
  createHash('sha256').update(nonce).update(creator).digest('hex');

function decodeAction(envelope: Envelope, action: peer.TransactionAction, read: Decoder): EndorsedAction {
  const payload = read(peer.ChaincodeActionPayload, action.getPayload_asU8(), 'an action');
  const endorsed = payload.getAction();
  if (endorsed === undefined) throw new EncodingError('an action that nobody endorsed');
  const response = endorsed.getProposalResponsePayload_asU8();
  const decoded = decodeExactly(peer.ProposalResponsePayload, response, 'a response');
  const result = decodeExactly(peer.ChaincodeAction, decoded.getExtension_asU8(), 'a result');
  const event = result.getEvents_asU8();
  const proposal = payload.getChaincodeProposalPayload_asU8();
  return {
    asked: askedChaincode(envelope.header, read),
    ran: { name: result.getChaincodeId()?.getName() ?? '', version: result.getChaincodeId()?.getVersion() ?? '' },
    eventOf: event.length === 0 ? undefined : decodeExactly(peer.ChaincodeEvent, event, 'an event').getChaincodeId(),
    args: argumentsOf(proposal, read),
    proposalHash: decoded.getProposalHash_asU8(),
    // Of channel header, the action's own signature header, and proposal, as endorsers hash them.
    presentHash: createHash('sha256')
      .update(envelope.channelHeader)
      .update(action.getHeader_asU8())
      .update(proposal)
      .digest(),
    status: result.getResponse()?.getStatus() ?? 0,
    sets: decodeReadWriteSet(result.getResults_asU8()),
    endorsements: endorsed.getEndorsementsList().map((each) => ({
      identity: each.getEndorser_asU8(),
      message: Buffer.concat([response, each.getEndorser_asU8()]),
      signature: each.getSignature_asU8(),
    })),
  };
}

function askedChaincode(header: common.ChannelHeader, read: Decoder): string {
  const extension = read(peer.ChaincodeHeaderExtension, header.getExtension_asU8(), 'a header extension');
  return extension.getChaincodeId()?.getName() ?? '';
}

/** What was asked of the chaincode: function and arguments. */
function argumentsOf(proposal: Uint8Array, read: Decoder): Uint8Array[] {
  const content = read(peer.ChaincodeProposalPayload, proposal, 'a proposal');
  const invocation = read(peer.ChaincodeInvocationSpec, content.getInput_asU8(), 'an invocation');
  return invocation.getChaincodeSpec()?.getInput()?.getArgsList_asU8() ?? [];
}

function timeOf(header: common.ChannelHeader): string {
  const stamp = header.getTimestamp();
  if (stamp === undefined) throw new EncodingError('a transaction without time');
  const time = stamp.getSeconds() * 1000 + Math.floor(stamp.getNanos() / 1e6);
  if (!Number.isSafeInteger(time) || Math.abs(time) > 8.64e15) throw new EncodingError('a time that is none');
  return new Date(time).toISOString();
}
