import { setTimeout as pause } from 'node:timers/promises';
import type { CloseableAsyncIterable } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { Abort, Fault, HealthchainError, Misuse } from '../../protocol/errors.ts';
import { Growth } from '../growth.ts';
import { receivedBlock, type Block } from './blocks/block.ts';
import type { Verdict } from './blocks/verifier.ts';
import { fromGateway } from './errors.ts';
import type { Gateways, Line } from './gateways.ts';
import { ChannelReplica, type ChannelOptions } from './replica.ts';
import type { BlockStore } from './store.ts';
import { damaged } from './store.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** A stream that brings nothing while another peer has more is left after this. */
const STALE_MS = 3000;

/**
 * Brings a replica up to the blocks that peers deliver, from the last one on disk on, and leaves a peer whose stream ends or
 * stands still for another. A channel once caught lying is not read further by this process: the first `Abort` stands.
 */
export class ChannelFollower {
  readonly replica: ChannelReplica;
  readonly growth = new Growth();
  readonly #gateways: Gateways;
  readonly #store: BlockStore;
  readonly #channel: string;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, (verdict: Verdict) => void>();
  #following: Promise<void> = Promise.resolve();
  #stream: CloseableAsyncIterable<common.Block> | undefined;
  #streamedFrom: Line | undefined;
  #failed: HealthchainError | undefined;

  private constructor(gateways: Gateways, store: BlockStore, options: ChannelOptions) {
    this.#gateways = gateways;
    this.#store = store;
    this.#channel = options.channel;
    this.replica = new ChannelReplica(options);
  }

  /**
   * Verifies what an earlier run left on disk and follows from there. Errors: `Fault DISK` for blocks that were changed on disk;
   * `Misuse BAD_CONFIG` where they are of another channel than the pinned one.
   */
  static async start(gateways: Gateways, store: BlockStore, options: ChannelOptions): Promise<ChannelFollower> {
    const follower = new ChannelFollower(gateways, store, options);
    await store.load((block) => follower.#reload(block));
    follower.#following = follower.#follow();
    return follower;
  }

  /** Throws the error by which this copy ended: a forged channel, or a disk that failed. */
  requireHonest(): void {
    if (this.#failed !== undefined) throw this.#failed;
  }

  /** Resolves when the block with this transaction has been verified; the signal ends the wait with `Fault LEDGER_DOWN`. */
  outcome(transaction: string, signal: AbortSignal): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(transaction);
        reject(new Fault('LEDGER_DOWN', 'the channel has not shown what became of a transaction'));
      };
      this.#waiting.set(transaction, (verdict) => {
        signal.removeEventListener('abort', end);
        resolve(verdict);
      });
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }

  /** Asks a peer how far the channel is, and resolves when the copy is as far. Errors: `Fault LEDGER_DOWN`; the `Abort`. */
  async refresh(signal: AbortSignal): Promise<void> {
    this.requireHonest();
    const height = await this.#height();
    let stale = AbortSignal.timeout(STALE_MS);
    let last = this.replica.nextBlock;
    while (this.replica.nextBlock < height) {
      this.requireHonest();
      if (signal.aborted) throw new Fault('LEDGER_DOWN', 'the peers do not deliver the newest blocks of the channel');
      await this.growth.next(AbortSignal.any([signal, stale]));
      if (this.replica.nextBlock > last || stale.aborted) {
        if (this.replica.nextBlock === last) this.#leaveStream();
        last = this.replica.nextBlock;
        stale = AbortSignal.timeout(STALE_MS);
      }
    }
    this.requireHonest();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#stream?.close();
    await this.#following;
    await this.#store.close();
  }

  async #height(): Promise<number> {
    const { line } = this.#gateways;
    try {
      const answer = await line.contract('qscc').evaluate('GetChainInfo', { arguments: [this.#channel] });
      return common.BlockchainInfo.deserializeBinary(answer).getHeight();
    } catch (error) {
      this.#gateways.leave(line);
      throw fromGateway(error, `asking ${line.endpoint} for the height of the channel`);
    }
  }

  async #reload(block: Block): Promise<void> {
    try {
      await this.replica.accept(block);
    } catch (error) {
      if (!(error instanceof Abort)) throw error;
      if (block.number === 0 || / genesis:|another consortium/.test(error.message))
        throw new Misuse('BAD_CONFIG', `the blocks on disk are not of the configured channel: ${error.message}`, {
          hint: 'Check the pins in the configuration; remove the file only if you mean to trust this channel anew.',
          cause: error,
        });
      throw damaged('the file of blocks', error);
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    let wait = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const { line } = this.#gateways;
      try {
        for await (const progressed of this.#read(line)) if (progressed) wait = FIRST_PAUSE_MS;
      } catch (error) {
        if (isFinal(error)) {
          this.#fail(error);
          return;
        }
      }
      this.#gateways.leave(line);
      await pause(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
    }
  }

  async *#read(line: Line): AsyncGenerator<boolean> {
    const startBlock = BigInt(this.replica.nextBlock);
    const stream = await line.network.getBlockEvents({ startBlock });
    this.#stream = stream;
    this.#streamedFrom = line;
    try {
      if (this.#stop.signal.aborted) return;
      for await (const block of stream) {
        await this.#take(receivedBlock(block));
        yield true;
      }
    } finally {
      stream.close();
      this.#stream = undefined;
    }
  }

  async #take(block: Block): Promise<void> {
    const { verdicts } = await this.replica.accept(block);
    await this.#store.append(block);
    for (const [transaction, verdict] of verdicts) {
      this.#waiting.get(transaction)?.(verdict);
      this.#waiting.delete(transaction);
    }
    this.growth.notify();
  }

  #leaveStream(): void {
    if (this.#streamedFrom !== undefined) this.#gateways.leave(this.#streamedFrom);
    this.#stream?.close();
  }

  #fail(error: HealthchainError): void {
    this.#failed = error;
    this.growth.notify();
  }
}

/** What no other peer and no time mends. */
const isFinal = (error: unknown): error is HealthchainError =>
  error instanceof HealthchainError && !(error instanceof Fault && error.code === 'LEDGER_DOWN');
