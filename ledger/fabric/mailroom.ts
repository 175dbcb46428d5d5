import { setTimeout as pause } from 'node:timers/promises';
import { Misuse } from '../../protocol/errors.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import type { Place } from '../chain.ts';
import { actionDigest } from '../contract/call.ts';
import { Growth } from '../growth.ts';
import { mayPass } from './errors.ts';
import type { Letter, Outbox } from './outbox.ts';
import type { Sender } from './sender.ts';

/** Actions on their way at the same time. */
const AT_ONCE = 64;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

interface Delivery {
  readonly letter: Letter;
  /** Whether it may have gone through on an earlier attempt. */
  readonly sent: { maybe: boolean };
  /** Met an outage, or came during one or behind such: these go one after the other, in order. */
  delayed: boolean;
  /** Whether somebody waits for it. */
  awaited: boolean;
  readonly done: Promise<Place>;
}

/**
 * Sees actions through to the channel, whatever time it takes: each is on disk before it is sent and leaves the disk when
 * its outcome is known. While the network is down they wait, and then go in the order in which they came.
 */
export class Mailroom {
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #stop = new AbortController();
  readonly #deliveries: Delivery[] = [];
  readonly #moved = new Growth();
  /** Settles when every action that was handed in so far is on disk and in line. */
  #inLine: Promise<unknown> = Promise.resolve();
  #down = false;
  #underway = 0;

  /** `left` is what an earlier process did not see through. */
  constructor(outbox: Outbox, sender: Sender, left: readonly Letter[]) {
    this.#outbox = outbox;
    this.#sender = sender;
    for (const letter of left) this.#deliver(letter, { delayed: true, maybe: true }).done.catch(() => undefined);
  }

  /** Actions whose outcome is open. */
  get waiting(): number {
    return this.#deliveries.length;
  }

  /** Whether the network did not take the last action that was tried. */
  get isDown(): boolean {
    return this.#down;
  }

  /**
   * Takes an action on. Resolves when it is on disk, to its outcome: a place on the ledger, or the contract's refusal. An
   * action that an earlier caller gave up on is not taken on a second time. Errors: `Fault DISK`.
   */
  async post(signed: SignedAction): Promise<{ readonly outcome: Promise<Place>; readonly giveUp: () => void }> {
    const digest = actionDigest(signed);
    const known = this.#deliveries.find(({ awaited, letter }) => !awaited && actionDigest(letter.signed) === digest);
    const delivery = known ?? (await this.#take(signed));
    delivery.awaited = true;
    return { outcome: delivery.done, giveUp: () => (delivery.awaited = false) };
  }

  /** Puts actions in line as they were handed in, whichever of their files is on disk first. */
  #take(signed: SignedAction): Promise<Delivery> {
    const added = this.#outbox.add(signed);
    added.catch(() => undefined); // Until its turn to be asked.
    const taken = this.#inLine.then(async () => {
      const letter = await added;
      const delayed = this.#down || this.#deliveries.some((before) => before.delayed);
      return this.#deliver(letter, { delayed, maybe: false });
    });
    this.#inLine = taken.catch(() => undefined);
    return taken;
  }

  /** Leaves what is not done for the next process. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#moved.notify();
    await Promise.allSettled(this.#deliveries.map(({ done }) => done));
  }

  #deliver(letter: Letter, { delayed, maybe }: { delayed: boolean; maybe: boolean }): Delivery {
    const { promise, resolve, reject } = Promise.withResolvers<Place>();
    const delivery: Delivery = { letter, sent: { maybe }, delayed, awaited: false, done: promise };
    promise.catch(() => undefined);
    this.#deliveries.push(delivery);
    void this.#seeThrough(delivery).then(resolve, reject);
    return delivery;
  }

  async #seeThrough(delivery: Delivery): Promise<Place> {
    const { signal } = this.#stop;
    try {
      for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
        await this.#turn(delivery);
        try {
          const place = await this.#sender.send(delivery.letter.signed, delivery.sent, signal);
          this.#down = false;
          await this.#outbox.remove(delivery.letter);
          return place;
        } catch (error) {
          if (signal.aborted) throw closed();
          if (!mayPass(error)) {
            this.#down = false;
            await this.#outbox.remove(delivery.letter);
            throw error;
          }
          this.#down = true;
          delivery.delayed = true;
        } finally {
          this.#underway -= 1;
          this.#moved.notify();
        }
        await pause(wait, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#deliveries.splice(this.#deliveries.indexOf(delivery), 1);
      this.#moved.notify();
    }
  }

  /** Waits until this one may be sent. */
  async #turn(delivery: Delivery): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#mayGo(delivery)) await this.#moved.next(signal);
    if (signal.aborted) {
      this.#underway += 1; // Given back by the caller's `finally`.
      throw closed();
    }
    this.#underway += 1;
  }

  #mayGo(delivery: Delivery): boolean {
    if (this.#underway >= AT_ONCE) return false;
    return !delivery.delayed || this.#deliveries.find(({ delayed }) => delayed) === delivery;
  }
}

const closed = (): Misuse => new Misuse('OUT_OF_ORDER', 'this ledger connection is closed');
