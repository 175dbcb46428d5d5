import { isUtf8 } from 'node:buffer';
import { decodeCanonical } from '../../protocol/canonical.ts';
import { HealthchainError } from '../../protocol/errors.ts';
import { signedAction, type ChannelHead, type SignedAction } from '../../protocol/ledger.ts';
import { toHex } from '../../protocol/bytes.ts';
import { requireCreator, type Creator } from '../chaincode/caller.ts';
import type { Pins } from '../heads.ts';
import type { Stage } from '../chain.ts';
import { LedgerCopy } from '../replica.ts';
import type { Block } from './blocks/block.ts';
import { forged } from './blocks/forged.ts';
import { BlockVerifier, type ValidTransaction, type VerifiedBlock } from './blocks/verifier.ts';
import { attributeOf } from './attributes.ts';

export interface ChannelOptions {
  readonly channel: string;
  readonly chaincode: string;
  readonly pins: Pick<Pins, 'consortium' | 'genesis'>;
}

/** Larger than any argument that the chaincode takes. */
const ACTION_LIMIT = 2 << 20;

/**
 * A verified copy of the ledger on a Fabric channel, grown block by block. Its entries are the actions of the valid transactions
 * of the chaincode in the order of the chain, linked and hashed as an embedded ledger's are, so that every member who
 * has the same blocks has the same entries, root and consortium id.
 *
 * Of each transaction it is checked, beside what `BlockVerifier` checks, that the member who signed it may speak for the
 * organisation whose key signed the action, that the contract allows the action, and that what the endorsers let it write is
 * what the contract writes. A chaincode other than this contract is so found out by its first transaction.
 */
export class ChannelReplica extends LedgerCopy<ChannelHead> {
  readonly #options: ChannelOptions;
  readonly #verifier: BlockVerifier;

  constructor(options: ChannelOptions) {
    super();
    this.#options = options;
    const { channel, chaincode, pins } = options;
    this.#verifier = new BlockVerifier({ channel, chaincode, genesis: pins.genesis });
  }

  /** Number of the block that comes next. */
  get nextBlock(): number {
    return this.#verifier.next;
  }
  /** Hash of the last block's header. */
  get blockHash(): string {
    return this.#verifier.hash;
  }
  /** Hash of the genesis block's header. */
  get genesis(): string {
    return this.#verifier.genesis;
  }
  get isFounded(): boolean {
    return this.lastHead !== undefined;
  }

  /**
   * Takes the next block. Rejects with `Abort FORGED_LEDGER` that names block and check; the copy must then not be used
   * further. One call at a time.
   */
  async accept(block: Block): Promise<VerifiedBlock> {
    const verified = this.#verifier.accept(block);
    const stage = this.stage();
    for (const transaction of verified.transactions) await enter(stage, verified.number, transaction);
    if (stage.size > this.size) await this.keep(stage, this.#headAt(stage, verified));
    return verified;
  }

  /** What the chaincode would say to an action on top of the copy as it stands. Rejects with the contract's error. */
  async rehearse(signed: SignedAction, creator: Creator): Promise<void> {
    const stage = this.stage();
    await requireCreator(stage.state, signed, creator);
    await stage.propose(signed, new Date(0).toISOString());
  }

  #headAt(stage: Stage, { number, hash }: VerifiedBlock): ChannelHead {
    const consortium = stage.consortium!;
    const { channel, pins } = this.#options;
    if (pins.consortium !== undefined && consortium !== pins.consortium)
      throw forged(number, 'contract', 'the channel was founded as another consortium than the pinned one');
    const { size } = stage;
    const root = toHex(stage.root());
    return { consortium, size, root, channel, genesis: this.genesis, block: number, blockHash: hash.toString('hex') };
  }
}

/** Adds the action of a valid transaction. */
async function enter(stage: Stage, block: number, transaction: ValidTransaction): Promise<void> {
  const { id, args, writes, creator, time } = transaction;
  if (writes.length === 0) return; // A read that was submitted; the contract writes something at every action.
  const signed = actionOf(block, transaction);
  try {
    await requireCreator(stage.state, signed, { mspId: creator.mspId, organisation: attributeOf(creator.certificate) });
    const made = await stage.propose(signed, time);
    const same =
      writes.length === made.writes.size &&
      writes.every(({ key, value }) => value !== undefined && made.writes.get(key) === Buffer.from(value).toString());
    if (same) return;
  } catch (cause) {
    if (!(cause instanceof HealthchainError)) throw cause;
    throw forged(block, 'contract', `transaction ${id} is refused (${cause.code}: ${cause.message})`, cause);
  }
  throw forged(block, 'action', `transaction ${id} (${String(args[0])}) writes other things than the contract does`);
}

function actionOf(block: number, { id, args }: ValidTransaction): SignedAction {
  const [name, document, ...rest] = args;
  const fits = rest.length === 0 && document !== undefined && Buffer.from(name!).toString() === 'apply';
  try {
    if (!fits || !isUtf8(document)) throw new Error('it is not the one argument of apply');
    return decodeCanonical(signedAction, document, { what: 'action', limit: ACTION_LIMIT });
  } catch (cause) {
    throw forged(block, 'action', `transaction ${id} wrote without an action: ${(cause as Error).message}`, cause);
  }
}
