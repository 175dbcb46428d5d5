import { setTimeout as pause } from 'node:timers/promises';
import { Abort, Fault, HealthchainError, Misuse, Refusal } from '../../protocol/errors.ts';
import {
  type Action,
  type Entry,
  type OperatorExport,
  type SignedAction,
  type TreeHead,
} from '../../protocol/ledger.ts';
import { entriesOf } from '../growth.ts';
import type { Acknowledgement, Ledger, Member } from '../ledger.ts';
import type { Replica } from '../replica.ts';
import { signAction } from '../sign.ts';
import { ViewThrough } from '../view.ts';
import { decodeBatch } from './batch.ts';
import { readCheckpoint } from './checkpoint.ts';
import { Follower } from './follower.ts';
import { LedgerTransport, type Fetch } from './transport.ts';
import { together } from './together.ts';

export interface RemoteLedgerOptions {
  readonly url: string;
  /** Pinned consortium id; what is not pinned is trusted on first use and can be read off `consortium`. */
  readonly consortium?: string | undefined;
  /** Pinned operator key; what is not pinned is trusted on first use and can be read off `head().publicKey`. */
  readonly operator?: string | undefined;
  /** File that keeps the last head between runs: pins what was trusted, and finds a ledger that lost its past. */
  readonly checkpoint?: string | undefined;
  /** For a custom CA or proxy: a fetch with such a dispatcher. */
  readonly fetch?: Fetch | undefined;
  /** How long calls try before `Fault LEDGER_DOWN`; default 30 s. */
  readonly deadlineMs?: number | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The embedded ledger as a member uses it: a verified replica that follows the operator's stream. The operator is
 * trusted to answer, not to tell the truth: what it could do unseen is withhold news, or show different members different
 * ledgers until they compare heads (which session transcripts do).
 */
export class RemoteLedger extends ViewThrough implements Ledger {
  readonly #transport: LedgerTransport;
  readonly #follower: Follower;
  readonly #deadlineMs: number;
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(transport: LedgerTransport, follower: Follower, deadlineMs: number) {
    super();
    this.#transport = transport;
    this.#follower = follower;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Fetches and checks the whole ledger, then follows it. Errors: `Fault LEDGER_DOWN` after the deadline; `Abort FORGED_LEDGER`
   * naming entry and check; `Abort LEDGER_FORK` against the checkpoint; `Misuse BAD_CONFIG`, `BAD_FILE`.
   */
  static async connect(options: RemoteLedgerOptions): Promise<RemoteLedger> {
    const { url, consortium, operator, checkpoint } = options;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new Misuse('BAD_CONFIG', 'the ledger URL is not an http or https URL', {
        hint: 'As https://ledger.example',
      });
    }
    const seen = checkpoint === undefined ? undefined : await readCheckpoint(checkpoint, { consortium, operator });
    const transport = new LedgerTransport(url, options.fetch ?? globalThis.fetch);
    const follower = new Follower(transport, {
      consortium: consortium ?? seen?.consortium,
      operator: operator ?? seen?.publicKey,
    });
    const ledger = new RemoteLedger(transport, follower, options.deadlineMs ?? 30_000);
    await ledger.refresh();
    if (checkpoint !== undefined) await follower.continueFrom(seen, checkpoint);
    ledger.#following = ledger.#followStream();
    return ledger;
  }

  protected get view(): Replica {
    return this.#follower.replica;
  }

  /**
   * As `Ledger.submit`; the acknowledged entry is in the verified replica when it resolves. An action that went through
   * on an attempt whose answer was lost counts as done. Errors: the contract's `Refusal` or `Misuse`; `Fault LEDGER_DOWN`;
   * `Abort FORGED_LEDGER` when the ledger acknowledges what it did not record.
   */
  submit(member: Member, action: Action): Promise<Acknowledgement> {
    return this.forward(signAction(member, this.consortium, action));
  }

  /** Passes on what another member signed; otherwise as `submit`. */
  async forward(signed: SignedAction): Promise<Acknowledgement> {
    let maybeDone = false;
    return this.#untilDeadline(async () => {
      try {
        const { index, id, head } = await this.#transport.submit(signed);
        await this.#follower.catchUp(head);
        return this.#requireRecorded(signed, index, id);
      } catch (error) {
        if (error instanceof Refusal && error.code !== 'TOO_MANY' && maybeDone) {
          await this.#follower.refresh();
          const place = this.#follower.replica.find(signed);
          if (place !== undefined) return place;
        }
        maybeDone ||= error instanceof Fault;
        throw error;
      }
    });
  }

  refresh(): Promise<void> {
    return this.#untilDeadline(() => this.#follower.refresh());
  }

  override head(): TreeHead {
    return this.#follower.replica.head();
  }

  /** Ends with the signal or `close`. Throws the `Abort` by which the ledger is caught lying. */
  entries(from: number, signal: AbortSignal): AsyncGenerator<Entry> {
    return entriesOf(this.#follower, from, AbortSignal.any([signal, this.#stop.signal]));
  }

  export(): Promise<OperatorExport> {
    const { replica } = this.#follower;
    return Promise.resolve({ format: 'healthchain-ledger/1', head: replica.head(), entries: [...replica.list] });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#follower.close();
  }

  #requireRecorded(signed: SignedAction, index: number, id: string): Acknowledgement {
    const place = this.#follower.replica.find(signed);
    if (place?.index === index && place.id === id) return place;
    throw new Abort('FORGED_LEDGER', `the ledger acknowledged as entry ${index} an action that is not there`);
  }

  /** Repeats what may pass with time, with growing pauses. */
  async #untilDeadline<T>(run: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.#deadlineMs;
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      if (this.#stop.signal.aborted) throw new Misuse('OUT_OF_ORDER', 'this ledger connection is closed');
      this.#follower.requireHonest();
      try {
        return await run();
      } catch (error) {
        if (!mayPass(error)) throw error;
        if (performance.now() + wait >= end) throw lastsTooLong(this.#deadlineMs, error);
      }
      await pause(wait, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #followStream(): Promise<void> {
    const { signal } = this.#stop;
    let wait = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        for await (const progressed of this.#readStream(signal)) if (progressed) wait = FIRST_PAUSE_MS;
      } catch (error) {
        // The follower keeps an Abort: every later call meets it. All else may pass.
        if (error instanceof Abort) return;
      }
      await pause(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
    }
  }

  async *#readStream(signal: AbortSignal): AsyncGenerator<boolean> {
    const left = new AbortController();
    try {
      const stream = this.#transport.stream(this.#follower.replica.size, AbortSignal.any([signal, left.signal]));
      for await (const events of together(stream)) {
        if (events.some(({ event }) => event === 'heartbeat')) this.#follower.setStreaming(true);
        const batches = events.filter(({ event }) => event === 'batch').map(({ data }) => decodeBatch(data));
        if (batches.length === 0) continue;
        await this.#follower.followAll(batches);
        yield true;
      }
    } finally {
      left.abort();
      this.#follower.setStreaming(false);
    }
  }
}

const mayPass = (error: unknown): error is HealthchainError =>
  error instanceof HealthchainError && (error.code === 'LEDGER_DOWN' || error.code === 'TOO_MANY');

const lastsTooLong = (deadlineMs: number, cause: HealthchainError): Fault =>
  new Fault('LEDGER_DOWN', `the ledger could not be reached within ${deadlineMs} ms: ${cause.message}`, {
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    cause,
  });
