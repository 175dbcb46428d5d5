import { createHash } from 'node:crypto';
import { common, ledger, peer } from '@hyperledger/fabric-protos';
import * as timestamp from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { dataHash, headerBytes, headerHash, type Block, type DeliveredBlock } from '../blocks/block.ts';
import { signAs, type Made } from './certificates.ts';
import { channelGroup, serialized, type MadeConfigOptions, type MadeOrganisation } from './made-config.ts';

const { kvrwset } = ledger.rwset;

/** What a transaction is made of; each part can be made wrong. */
export interface MadeTransaction {
  readonly creator: readonly [MadeOrganisation, Made];
  readonly endorsers: readonly (readonly [MadeOrganisation, Made])[];
  readonly args?: readonly (string | Uint8Array)[];
  readonly reads?: readonly { readonly key: string; readonly version?: readonly [number, number] }[];
  readonly ranges?: readonly ledger.rwset.kvrwset.RangeQueryInfo[];
  readonly writes?: Readonly<Record<string, string>>;
  readonly chaincode?: string;
  /** The chaincode whose state is written, if not the one that is called. */
  readonly namespace?: string;
  readonly channel?: string;
  readonly time?: Date;
  readonly change?: {
    /** Arguments that stand in the transaction in place of those that were endorsed. */
    readonly args?: readonly string[];
    readonly id?: string;
    readonly creatorSignature?: (message: Uint8Array) => Uint8Array;
    readonly endorserSignature?: (message: Uint8Array) => Uint8Array;
    readonly nonce?: Uint8Array;
    /** Appended to the payload: a field given twice. */
    readonly payloadTail?: Uint8Array;
  };
}

let nonces = 0;

/** A channel of real keys and signatures that no network runs: for blocks that no honest network makes. */
export class MadeChannel {
  readonly options: MadeConfigOptions;
  readonly blocks: Block[] = [];
  readonly name = 'made';
  config: common.Config;

  constructor(options: MadeConfigOptions) {
    this.options = options;
    this.config = new common.Config();
    this.config.setChannelGroup(channelGroup(options));
    const envelope = new common.ConfigEnvelope();
    envelope.setConfig(this.config);
    this.blocks.push(this.assemble([this.configEnvelope(envelope)], { signers: [] }));
  }

  get genesis(): string {
    return headerHash(this.blocks[0]!).toString('hex');
  }

  /** Adds a block that the orderer signs. */
  add(data: readonly Uint8Array[]): Block {
    const block = this.assemble(data);
    this.blocks.push(block);
    return block;
  }

  /** The next block, not added. */
  assemble(data: readonly Uint8Array[], of: { signers?: readonly Made[] } = {}): Block {
    const last = this.blocks.at(-1);
    const unsigned = {
      number: this.blocks.length,
      previousHash: last === undefined ? new Uint8Array() : headerHash(last),
      dataHash: dataHash(data),
      data,
    };
    return this.sign(unsigned, of.signers);
  }

  sign(block: Omit<Block, 'signatures'>, signers?: readonly Made[]): Block {
    const { ordering, consenters = [] } = this.options;
    const who = signers ?? (consenters.length > 0 ? consenters : [ordering.orderer]);
    if (who.length === 0) return { ...block, signatures: new Uint8Array() };
    const metadata = new common.Metadata();
    const content = new common.OrdererBlockMetadata();
    content.setLastConfig(new common.LastConfig());
    const value = content.serializeBinary();
    metadata.setValue(value);
    metadata.setSignaturesList(
      who.map((each) => {
        const signature = new common.MetadataSignature();
        const header = signatureHeader(serialized(ordering, each), Uint8Array.of(1)).serializeBinary();
        const identifier = new common.IdentifierHeader();
        identifier.setIdentifier(consenters.indexOf(each) + 1);
        if (consenters.includes(each)) signature.setIdentifierHeader(identifier.serializeBinary());
        else signature.setSignatureHeader(header);
        const signed = consenters.includes(each) ? identifier.serializeBinary() : header;
        signature.setSignature(signAs(each, Buffer.concat([value, signed, headerBytes(block)])));
        return signature;
      }),
    );
    return { ...block, signatures: metadata.serializeBinary() };
  }

  /** A configuration block's envelope that makes `group` the channel's, signed by these administrators. */
  update(
    read: common.ConfigGroup,
    write: common.ConfigGroup,
    result: common.ConfigGroup,
    signers: readonly (readonly [MadeOrganisation, Made])[],
  ): Uint8Array {
    const update = new common.ConfigUpdate();
    update.setChannelId(this.name);
    update.setReadSet(read);
    update.setWriteSet(write);
    const bytes = update.serializeBinary();
    const signed = new common.ConfigUpdateEnvelope();
    signed.setConfigUpdate(bytes);
    signed.setSignaturesList(
      signers.map(([organisation, made]) => {
        const header = signatureHeader(serialized(organisation, made), Uint8Array.of(2)).serializeBinary();
        const signature = new common.ConfigSignature();
        signature.setSignatureHeader(header);
        signature.setSignature(signAs(made, Buffer.concat([header, bytes])));
        return signature;
      }),
    );
    const last = new common.Envelope();
    last.setPayload(this.payload(common.HeaderType.CONFIG_UPDATE, signed.serializeBinary()).serializeBinary());
    const config = new common.Config();
    config.setSequence(this.config.getSequence() + 1);
    config.setChannelGroup(result);
    const envelope = new common.ConfigEnvelope();
    envelope.setConfig(config);
    envelope.setLastUpdate(last);
    return this.configEnvelope(envelope);
  }

  configEnvelope(content: common.ConfigEnvelope): Uint8Array {
    const envelope = new common.Envelope();
    const payload = this.payload(common.HeaderType.CONFIG, content.serializeBinary()).serializeBinary();
    envelope.setPayload(payload);
    envelope.setSignature(signAs(this.options.ordering.orderer, payload));
    return envelope.serializeBinary();
  }

  payload(type: common.HeaderTypeMap[keyof common.HeaderTypeMap], data: Uint8Array): common.Payload {
    const header = new common.ChannelHeader();
    header.setType(type);
    header.setChannelId(this.name);
    const outer = new common.Header();
    outer.setChannelHeader(header.serializeBinary());
    const payload = new common.Payload();
    payload.setHeader(outer);
    payload.setData(data);
    return payload;
  }

  /** A transaction as an envelope. */
  transaction(of: MadeTransaction): Uint8Array {
    const { chaincode = 'healthchain', change = {}, time = new Date(0) } = of;
    const [organisation, made] = of.creator;
    const nonce = change.nonce ?? Buffer.from(`nonce ${nonces++}`);
    const creator = serialized(organisation, made);
    const signatureBytes = signatureHeader(creator, nonce).serializeBinary();
    const stamp = new timestamp.Timestamp();
    stamp.setSeconds(Math.floor(time.getTime() / 1000));
    const id = new peer.ChaincodeID();
    id.setName(chaincode);
    const extension = new peer.ChaincodeHeaderExtension();
    extension.setChaincodeId(id);
    const channelHeader = new common.ChannelHeader();
    channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
    channelHeader.setChannelId(of.channel ?? this.name);
    channelHeader.setTimestamp(stamp);
    channelHeader.setTxId(change.id ?? createHash('sha256').update(nonce).update(creator).digest('hex'));
    channelHeader.setExtension$(extension.serializeBinary());
    const channelBytes = channelHeader.serializeBinary();
    const endorsed = proposalOf(chaincode, of.args ?? ['apply', '{}']);
    const response = responseOf(of, sha256(channelBytes, signatureBytes, endorsed));
    const action = new peer.ChaincodeEndorsedAction();
    action.setProposalResponsePayload(response);
    action.setEndorsementsList(
      of.endorsers.map(([owner, certificate]) => {
        const endorser = serialized(owner, certificate);
        const message = Buffer.concat([response, endorser]);
        const endorsement = new peer.Endorsement();
        endorsement.setEndorser(endorser);
        endorsement.setSignature(change.endorserSignature?.(message) ?? signAs(certificate, message));
        return endorsement;
      }),
    );
    const content = new peer.ChaincodeActionPayload();
    content.setChaincodeProposalPayload(change.args === undefined ? endorsed : proposalOf(chaincode, change.args));
    content.setAction(action);
    const each = new peer.TransactionAction();
    each.setHeader(signatureBytes);
    each.setPayload(content.serializeBinary());
    const transaction = new peer.Transaction();
    transaction.setActionsList([each]);
    const header = new common.Header();
    header.setChannelHeader(channelBytes);
    header.setSignatureHeader(signatureBytes);
    const payload = new common.Payload();
    payload.setHeader(header);
    payload.setData(transaction.serializeBinary());
    const bytes = Buffer.concat([payload.serializeBinary(), change.payloadTail ?? new Uint8Array()]);
    const envelope = new common.Envelope();
    envelope.setPayload(bytes);
    envelope.setSignature(change.creatorSignature?.(bytes) ?? signAs(made, bytes));
    return envelope.serializeBinary();
  }
}

/** A block as a peer delivers it, that says of its transactions what is given here; by default that all are valid. */
export const delivered = (block: Block, flags: readonly number[] = block.data.map(() => 0)): DeliveredBlock => ({
  ...block,
  flags: Uint8Array.from(flags),
});

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function signatureHeader(creator: Uint8Array, nonce: Uint8Array): common.SignatureHeader {
  const header = new common.SignatureHeader();
  header.setCreator(creator);
  header.setNonce(nonce);
  return header;
}

function proposalOf(chaincode: string, args: readonly (string | Uint8Array)[]): Uint8Array {
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const proposal = new peer.ChaincodeProposalPayload();
  proposal.setInput(invocation.serializeBinary());
  return proposal.serializeBinary();
}

function responseOf(of: MadeTransaction, proposalHash: Uint8Array): Uint8Array {
  const { chaincode = 'healthchain', reads = [], ranges = [], writes = { some: 'thing' } } = of;
  const set = new kvrwset.KVRWSet();
  set.setReadsList(reads.map(({ key, version }) => readOf(key, version)));
  set.setRangeQueriesInfoList([...ranges]);
  set.setWritesList(
    Object.entries(writes).map(([key, value]) => {
      const write = new kvrwset.KVWrite();
      write.setKey(key);
      write.setValue(Buffer.from(value));
      return write;
    }),
  );
  const namespace = new ledger.rwset.NsReadWriteSet();
  namespace.setNamespace(of.namespace ?? chaincode);
  namespace.setRwset(set.serializeBinary());
  const results = new ledger.rwset.TxReadWriteSet();
  results.setNsRwsetList([namespace]);
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  id.setVersion('1');
  const response = new peer.Response();
  response.setStatus(200);
  const action = new peer.ChaincodeAction();
  action.setResults(results.serializeBinary());
  action.setResponse(response);
  action.setChaincodeId(id);
  const payload = new peer.ProposalResponsePayload();
  payload.setProposalHash(proposalHash);
  payload.setExtension$(action.serializeBinary());
  return payload.serializeBinary();
}

export function readOf(key: string, version?: readonly [number, number]): ledger.rwset.kvrwset.KVRead {
  const read = new kvrwset.KVRead();
  read.setKey(key);
  if (version === undefined) return read;
  const at = new kvrwset.Version();
  at.setBlockNum(version[0]);
  at.setTxNum(version[1]);
  read.setVersion(at);
  return read;
}

/** That a range held exactly these keys. */
export function rangeOf(
  start: string,
  end: string,
  reads: readonly ledger.rwset.kvrwset.KVRead[],
): ledger.rwset.kvrwset.RangeQueryInfo {
  const range = new kvrwset.RangeQueryInfo();
  range.setStartKey(start);
  range.setEndKey(end);
  range.setItrExhausted(true);
  const list = new kvrwset.QueryReads();
  list.setKvReadsList([...reads]);
  range.setRawReads(list);
  return range;
}
