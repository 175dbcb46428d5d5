import { common, peer } from '@hyperledger/fabric-protos';
import { Abort, Misuse } from '../../../protocol/errors.ts';
import { dataHash, headerHash, type Block, type DeliveredBlock } from './block.ts';
import { verifyConfigUpdate } from './config-update.ts';
import { ChannelConfig } from './config.ts';
import { Definition } from './definition.ts';
import { decode, EncodingError } from './encoding.ts';
import { checkEndorsed, isMajority, type Fault } from './endorsement.ts';
import { forged } from './forged.ts';
import type { MemberIdentity } from './msp.ts';
import { verifyOrderers } from './orderers.ts';
import {
  decodeEnvelope,
  decodeTransaction,
  splitEnvelope,
  type EndorsedTransaction,
  type Envelope,
} from './transaction.ts';
import { KeyVersions, type Conflict } from './versions.ts';

export interface ChannelPins {
  readonly channel: string;
  readonly chaincode: string;
  /** Hash of the genesis block's header; taken from the first block where it is not pinned. */
  readonly genesis?: string | undefined;
}

/** A valid transaction of the chaincode. */
export interface ValidTransaction {
  readonly id: string;
  readonly creator: MemberIdentity;
  readonly time: string;
  readonly args: readonly Uint8Array[];
  /** What it wrote to the chaincode's state. */
  readonly writes: readonly { readonly key: string; readonly value: Uint8Array | undefined }[];
}

export type Verdict = Fault | Conflict | 'VALID' | 'DUPLICATE_TXID' | 'BAD_PAYLOAD' | 'TARGET_CHAIN_NOT_FOUND';

export interface VerifiedBlock {
  readonly number: number;
  readonly hash: Buffer;
  readonly transactions: readonly ValidTransaction[];
  /** By transaction id: what became of each transaction of the chaincode. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/**
 * Follows a channel from its genesis block on, believing no peer: each block is the one that its orderers signed after the one
 * before, and which of its transactions count is found out here, as every peer finds it out: signatures,
 * endorsements, versions of all keys read. Nothing is taken from a peer but the blocks; what it says of their transactions
 * is compared, and a difference ends in an `Abort`.
 *
 * Only transactions that bear on the chaincode or on its lifecycle are judged: others on the channel cannot touch them.
 * A block that is refused leaves no trace but this: the verifier must not be used again.
 */
export class BlockVerifier {
  readonly #pins: ChannelPins;
  readonly #versions = new KeyVersions();
  readonly #definition: Definition;
  readonly #seen = new Set<string>();
  #genesis: string | undefined;
  #next = 0;
  #hash: Buffer = Buffer.alloc(0);
  #config: ChannelConfig | undefined;

  constructor(pins: ChannelPins) {
    this.#pins = pins;
    this.#definition = new Definition(pins.chaincode);
  }

  /** Number of the block that comes next. */
  get next(): number {
    return this.#next;
  }
  /** Hash of the last block's header. */
  get hash(): string {
    return this.#hash.toString('hex');
  }
  /** Hash of the first block's header. */
  get genesis(): string {
    if (this.#genesis === undefined) throw new Misuse('OUT_OF_ORDER', 'no block of the channel has been read');
    return this.#genesis;
  }
  /** The configuration as of the last block. */
  get config(): ChannelConfig {
    if (this.#config === undefined) throw new Misuse('OUT_OF_ORDER', 'no block of the channel has been read');
    return this.#config;
  }

  /**
   * Takes the next block. Rejects with `Abort FORGED_LEDGER` that names block and check. With `flags` what a peer says of the
   * transactions is compared.
   */
  accept(block: Block | DeliveredBlock): VerifiedBlock {
    try {
      return this.#accept(block);
    } catch (error) {
      if (error instanceof EncodingError) throw forged(block.number, 'encoding', error.message, error);
      throw error;
    }
  }

  #accept(block: Block | DeliveredBlock): VerifiedBlock {
    const hash = this.#verifyPlace(block);
    const first = this.#config === undefined;
    if (!first) verifyOrderers(block, this.config);
    else if (block.signatures.length > 0)
      throw forged(0, 'orderer-signature', 'the genesis block carries signatures, which nobody can check');
    const envelopes = block.data.map((bytes) => this.#open(block, bytes, first));
    const config = envelopes.find((each) => each?.type === common.HeaderType.CONFIG);
    const verified =
      first || (config !== undefined && envelopes.length === 1)
        ? this.#configure(block, hash, config)
        : this.#judge(block, hash, envelopes);
    this.#genesis ??= hash.toString('hex');
    this.#hash = hash;
    this.#next += 1;
    return verified;
  }

  #verifyPlace(block: Block): Buffer {
    if (block.number !== this.#next)
      throw forged(this.#next, 'number', `the block at this place says that it is block ${block.number}`);
    if (!this.#hash.equals(block.previousHash)) throw this.#broken(block);
    if (!dataHash(block.data).equals(block.dataHash))
      throw forged(block.number, 'data-hash', 'its transactions are not those of its header');
    const hash = headerHash(block);
    if (block.number === 0 && this.#pins.genesis !== undefined && hash.toString('hex') !== this.#pins.genesis)
      throw forged(0, 'genesis', 'the channel does not begin with the pinned genesis block');
    return hash;
  }

  /** A block that does not follow: the peer's forgery, or, if orderers signed it, a second chain of theirs. */
  #broken(block: Block): Abort {
    const broken = forged(block.number, 'previous-hash', 'it does not follow the block before it');
    if (this.#config === undefined) return broken;
    try {
      verifyOrderers(block, this.#config);
    } catch {
      return broken;
    }
    return new Abort('LEDGER_FORK', `the orderers of the channel signed two pasts before block ${block.number}`, {
      hint: 'Stop using this channel; keep both copies as evidence and compare them with another member.',
    });
  }

  /** Undefined for an envelope that nobody could read. */
  #open(block: Block, bytes: Uint8Array, first: boolean): Envelope | undefined {
    try {
      const { payload, signature } = splitEnvelope(bytes);
      if (payload.length === 0 || (signature.length === 0 && !first))
        throw new EncodingError('an envelope without payload or signature');
    } catch (cause) {
      throw forged(block.number, 'envelope', (cause as Error).message, cause);
    }
    try {
      return decodeEnvelope(bytes, decode);
    } catch (error) {
      if (error instanceof EncodingError) return undefined;
      throw error;
    }
  }

  #configure(block: Block | DeliveredBlock, hash: Buffer, envelope: Envelope | undefined): VerifiedBlock {
    const { number } = block;
    if (envelope === undefined || block.data.length !== 1)
      throw forged(number, 'config', 'the first block of a channel holds its configuration and nothing else');
    this.#requireChannel(number, envelope);
    const stated = decode(common.ConfigEnvelope, envelope.data, 'a configuration');
    if (this.#config !== undefined) {
      try {
        verifyConfigUpdate(this.#config, stated, this.#pins.channel);
      } catch (cause) {
        throw forged(number, 'config', (cause as Error).message, cause);
      }
    }
    const config = stated.getConfig();
    if (config === undefined) throw forged(number, 'config', 'it states no configuration');
    this.#config = new ChannelConfig(config);
    return { number, hash, transactions: [], verdicts: new Map() };
  }

  #requireChannel(number: number, envelope: Envelope): void {
    if (envelope.channel === this.#pins.channel) return;
    throw forged(number, 'channel', `it is of channel ${JSON.stringify(envelope.channel)}`);
  }

  #judge(block: Block | DeliveredBlock, hash: Buffer, envelopes: readonly (Envelope | undefined)[]): VerifiedBlock {
    this.#versions.beginBlock();
    const ids = new Set<string>();
    const transactions: ValidTransaction[] = [];
    const verdicts = new Map<string, Verdict>();
    envelopes.forEach((envelope, place) => {
      const judged = this.#judgeOne(block, place, envelope, ids);
      if (judged === undefined) return;
      if (envelope !== undefined && !verdicts.has(envelope.id)) verdicts.set(envelope.id, judged.verdict);
      if (judged.valid !== undefined) transactions.push(judged.valid);
      if ('flags' in block) compareFlag(block, place, judged.verdict);
    });
    for (const envelope of envelopes) if (envelope !== undefined) this.#seen.add(envelope.id);
    return { number: block.number, hash, transactions, verdicts };
  }

  /** Undefined for a transaction that does not bear on the chaincode. */
  #judgeOne(
    block: Block,
    place: number,
    envelope: Envelope | undefined,
    ids: Set<string>,
  ): { verdict: Verdict; valid?: ValidTransaction } | undefined {
    if (envelope === undefined) return { verdict: 'BAD_PAYLOAD' };
    if (envelope.type !== common.HeaderType.ENDORSER_TRANSACTION) return { verdict: 'BAD_PAYLOAD' };
    const transaction = this.#decode(block, place, envelope);
    if (transaction === undefined) return { verdict: 'BAD_PAYLOAD' };
    const { action } = transaction;
    if (!this.#concerns(transaction)) return undefined;
    const found = checkEndorsed(transaction, this.config);
    if ('fault' in found) return { verdict: found.fault };
    if (envelope.channel !== this.#pins.channel) return { verdict: 'TARGET_CHAIN_NOT_FOUND' };
    if (this.#seen.has(transaction.id) || ids.has(transaction.id)) return { verdict: 'DUPLICATE_TXID' };
    ids.add(transaction.id);
    const conflict = this.#versions.conflict(action.sets);
    if (conflict !== undefined) return { verdict: conflict };
    this.#versions.apply(action.sets, `${block.number}:${place}`);
    const valid = this.#valid(block, transaction, found);
    return { verdict: 'VALID', ...(valid === undefined ? {} : { valid }) };
  }

  /** Undefined for what does not decode. What peers may have read otherwise than here ends in an `Abort`. */
  #decode(block: Block, place: number, envelope: Envelope): EndorsedTransaction | undefined {
    try {
      return decodeTransaction(decodeEnvelope(block.data[place]!));
    } catch (exact) {
      if (!(exact instanceof EncodingError)) throw exact;
      try {
        const found = checkEndorsed(decodeTransaction(envelope, decode), this.config);
        if ('fault' in found) return undefined;
      } catch (lenient) {
        if (lenient instanceof EncodingError) return undefined;
        throw lenient;
      }
      throw forged(block.number, 'encoding', `transaction ${place}: ${exact.message}`, exact);
    }
  }

  #concerns({ action }: EndorsedTransaction): boolean {
    const ours = [this.#pins.chaincode, '_lifecycle'];
    return ours.includes(action.asked) || action.sets.some(({ chaincode }) => ours.includes(chaincode));
  }

  #valid(
    block: Block,
    { id, time, action }: EndorsedTransaction,
    { creator, endorsers }: { creator: MemberIdentity; endorsers: readonly MemberIdentity[] },
  ): ValidTransaction | undefined {
    const { number } = block;
    const { chaincode } = this.#pins;
    const definition = this.#definition.fault(action.sets);
    if (definition !== undefined) throw forged(number, 'chaincode', definition);
    const own = action.sets.filter((set) => set.chaincode === chaincode);
    if (own.some(({ metadata, collection }) => metadata || collection !== undefined))
      throw forged(
        number,
        'contract',
        'a transaction sets private state or policies of keys, which the contract does not',
      );
    const writes = own.flatMap((set) => set.writes);
    if (action.asked !== chaincode) {
      if (writes.length === 0) return undefined;
      throw forged(number, 'contract', `chaincode ${action.asked} wrote to the state of ${chaincode}`);
    }
    if (!isMajority(endorsers, this.config))
      throw forged(number, 'majority', `transaction ${id} was endorsed by less than a majority of the organisations`);
    return { id, creator, time, args: action.args, writes };
  }
}

function compareFlag(block: DeliveredBlock, place: number, verdict: Verdict): void {
  const flag = block.flags[place];
  const saysValid = flag === peer.TxValidationCode.VALID;
  if (saysValid === (verdict === 'VALID')) return;
  const said = Object.entries(peer.TxValidationCode).find(([, code]) => code === flag)?.[0] ?? String(flag);
  throw forged(block.number, 'flags', `the peer says ${said} of transaction ${place}, which is ${verdict}`);
}
