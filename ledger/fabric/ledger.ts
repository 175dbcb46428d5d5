import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import type { HealthchainError } from '../../protocol/errors.ts';
import { Fault, Misuse } from '../../protocol/errors.ts';
import type { Action, ChannelExport, ChannelHead, Entry, ExportedBlock, SignedAction } from '../../protocol/ledger.ts';
import type { FabricAddress } from '../address.ts';
import { entriesOf } from '../growth.ts';
import type { Acknowledgement, Ledger, Member } from '../ledger.ts';
import { actionDigest } from '../contract/call.ts';
import { signAction } from '../sign.ts';
import { ViewThrough } from '../view.ts';
import { mayPass } from './errors.ts';
import { ChannelFollower } from './follower.ts';
import { Gateways } from './gateways.ts';
import { readChannelIdentity } from './identity.ts';
import { Mailroom } from './mailroom.ts';
import { Outbox } from './outbox.ts';
import type { ChannelReplica } from './replica.ts';
import { Sender, type Traffic } from './sender.ts';
import { BlockStore } from './store.ts';

export interface FabricLedgerOptions {
  /** Peers, identity, channel and pins; file paths absolute. */
  readonly address: FabricAddress;
  /** Keeps verified blocks, and actions on their way, between runs; without it both are in memory. */
  readonly folder?: string | undefined;
  /** The founding action: submitted where the channel holds no consortium yet. */
  readonly founding?: SignedAction | undefined;
  /** How long calls try before `Fault LEDGER_DOWN`; default 30 s. */
  readonly deadlineMs?: number | undefined;
}

const PAUSE_MS = 100;

/**
 * The consortium's ledger on a Fabric channel, as a member uses it: a verified copy that follows the channel's blocks, and
 * a queue of actions on their way. Peers are trusted to answer, not to tell the truth; what a majority of the
 * organisations' peers endorse and what the orderers sign is what counts (SECURITY.md).
 */
export class FabricLedger extends ViewThrough implements Ledger {
  readonly #address: FabricAddress;
  readonly #gateways: Gateways;
  readonly #store: BlockStore;
  readonly #follower: ChannelFollower;
  readonly #sender: Sender;
  readonly #mailroom: Mailroom;
  readonly #deadlineMs: number;
  readonly #stop = new AbortController();

  private constructor(parts: {
    address: FabricAddress;
    gateways: Gateways;
    store: BlockStore;
    follower: ChannelFollower;
    sender: Sender;
    mailroom: Mailroom;
    deadlineMs: number;
  }) {
    super();
    this.#address = parts.address;
    this.#gateways = parts.gateways;
    this.#store = parts.store;
    this.#follower = parts.follower;
    this.#sender = parts.sender;
    this.#mailroom = parts.mailroom;
    this.#deadlineMs = parts.deadlineMs;
  }

  /**
   * Verifies the blocks on disk and those that follow, sends what an earlier run left unsent, and goes on following.
   * Errors: `Fault LEDGER_DOWN` after the deadline, also while nobody has founded a consortium on the channel; `Abort
   * FORGED_LEDGER` naming block and check; `Abort LEDGER_FORK`; `Misuse BAD_CONFIG`, `BAD_FILE`, `BAD_KEY`; `Fault DISK`.
   */
  static async connect(options: FabricLedgerOptions): Promise<FabricLedger> {
    const { address, folder, founding, deadlineMs = 30_000 } = options;
    const { channel, chaincode, genesis, consortium } = address;
    const identity = readChannelIdentity(address);
    const gateways = new Gateways(address, identity);
    const store = await BlockStore.open(folder);
    try {
      const pins = { genesis, consortium };
      const follower = await ChannelFollower.start(gateways, store, { channel, chaincode, pins });
      const sender = new Sender({ gateways, follower, identity, chaincode });
      const box = folder === undefined || !store.isHeld ? undefined : join(folder, 'outbox');
      const { outbox, left } = await Outbox.open(box);
      const mailroom = new Mailroom(outbox, sender, left);
      const ledger = new FabricLedger({ address, gateways, store, follower, sender, mailroom, deadlineMs });
      await ledger.#begin(founding).catch(async (error: unknown) => {
        await ledger.close();
        throw error;
      });
      return ledger;
    } catch (error) {
      gateways.close();
      await store.close().catch(() => undefined);
      throw error;
    }
  }

  protected get view(): ChannelReplica {
    return this.#follower.replica;
  }
  /** Hash of the genesis block's header: what a member pins. */
  get genesis(): string {
    return this.#follower.replica.genesis;
  }
  /** What it took to get this process's actions through. */
  get traffic(): Readonly<Traffic> {
    return this.#sender.traffic;
  }
  /** Whether the network did not take the last action that was tried: from then on actions go in order, one by one. */
  get isDown(): boolean {
    return this.#mailroom.isDown;
  }
  /** Actions of this process whose outcome is open. */
  get waiting(): number {
    return this.#mailroom.waiting;
  }

  /**
   * As `Ledger.submit`; the action is in a valid transaction of a block that this process has verified when it resolves. An
   * action that the network does not take within the deadline rejects with `Fault LEDGER_DOWN`, and stays in the queue:
   * it is sent when the network is back, by this process or the next. Submitting it again waits for that one.
   */
  submit(member: Member, action: Action): Promise<Acknowledgement> {
    return this.forward(signAction(member, this.consortium, action));
  }

  /** Passes on a signed action, whose caller must be an organisation that this MSP identity speaks for. */
  async forward(signed: SignedAction): Promise<Acknowledgement> {
    this.#requireOpen();
    const { outcome, giveUp } = await this.#mailroom.post(signed);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      giveUp();
      late.reject(queued(this.#deadlineMs));
    }, this.#deadlineMs);
    try {
      const { index, id } = await Promise.race([outcome, late.promise]);
      return { index, id };
    } finally {
      clearTimeout(timer);
    }
  }

  async refresh(): Promise<void> {
    const patience = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#deadlineMs)]);
    for (;;) {
      this.#requireOpen();
      try {
        await this.#follower.refresh(patience);
        return;
      } catch (error) {
        if (!mayPass(error) || patience.aborted) throw this.#stop.signal.aborted ? closed() : error;
      }
      await pause(PAUSE_MS, undefined, { signal: patience }).catch(() => undefined);
    }
  }

  override head(): ChannelHead {
    return this.#follower.replica.head();
  }

  /** Ends with the signal or `close`. Throws the `Abort` by which the channel is caught lying. */
  entries(from: number, signal: AbortSignal): AsyncGenerator<Entry> {
    return entriesOf(this.#follower, from, AbortSignal.any([signal, this.#stop.signal]));
  }

  async export(): Promise<ChannelExport> {
    const { channel, chaincode } = this.#address;
    const lines = await this.#store.lines();
    const blocks = lines.map((line) => JSON.parse(line) as ExportedBlock);
    return { format: 'healthchain-ledger-fabric/1', channel, chaincode, blocks };
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#mailroom.close();
    await this.#follower.close();
    this.#gateways.close();
  }

  async #begin(founding: SignedAction | undefined): Promise<void> {
    const end = performance.now() + this.#deadlineMs;
    await this.refresh();
    const { replica, growth } = this.#follower;
    if (!replica.isFounded && founding !== undefined) await this.forward(founding);
    while (!replica.isFounded) {
      this.#follower.requireHonest();
      const left = Math.floor(end - performance.now());
      if (left <= 0) throw unfounded(this.#address);
      await growth.next(AbortSignal.timeout(left));
    }
    if (founding !== undefined && actionDigest(founding) !== actionDigest(replica.list[0]!.signed)) {
      throw new Misuse('BAD_CONFIG', 'the consortium on this channel was founded by another action', {
        hint: 'Leave the founding action out, or use another channel.',
      });
    }
  }

  #requireOpen(): void {
    if (this.#stop.signal.aborted) throw closed();
    this.#follower.requireHonest();
  }
}

const closed = (): Misuse => new Misuse('OUT_OF_ORDER', 'this ledger connection is closed');

const queued = (deadlineMs: number): HealthchainError =>
  new Fault('LEDGER_DOWN', `the Fabric network did not take the action within ${deadlineMs} ms`, {
    hint: 'It is queued, and sent when the network is back. See whether peers and orderers run.',
  });

const unfounded = ({ channel, chaincode }: FabricAddress): Fault =>
  new Fault('LEDGER_DOWN', `no consortium is founded on the channel ${channel} with the chaincode ${chaincode} yet`, {
    hint: 'Check ledger.fabric.chaincode. If it is right, the first admin founds one: healthchain ledger found-channel.',
  });
