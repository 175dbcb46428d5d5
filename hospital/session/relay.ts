import { Fault } from '../../protocol/errors.ts';
import type { Relay } from '../../mpc/transport.ts';

/** Frames of one session that wait to be read; more than this is a flood. */
const WAITING_LIMIT = 64 * 1024 * 1024;

/** One session's place at the relay: queues what arrives per peer, hands it out in order, ends by the signal. */
export class SessionRelay implements Relay {
  readonly #roster: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #transmit: (to: number, frame: Uint8Array) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #arrived = new Map<string, Uint8Array[]>();
  readonly #waiting = new Map<string, (frame: Uint8Array) => void>();
  #bytes = 0;

  constructor(
    roster: readonly string[],
    transmit: (to: number, frame: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ) {
    this.#roster = roster;
    this.#places = new Map(roster.map((party, place) => [party, place]));
    this.#transmit = transmit;
    this.#signal = signal;
  }

  async send(to: string, frame: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    await this.#transmit(this.#places.get(to)!, frame);
  }

  receive(from: string): Promise<Uint8Array> {
    const frame = this.#arrived.get(from)?.shift();
    if (frame !== undefined) {
      this.#bytes -= frame.length;
      return Promise.resolve(frame);
    }
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        this.#waiting.delete(from);
        reject(this.#signal.reason as Error);
      };
      if (this.#signal.aborted) return fail();
      this.#signal.addEventListener('abort', fail, { once: true });
      this.#waiting.set(from, (arrived) => {
        this.#signal.removeEventListener('abort', fail);
        resolve(arrived);
      });
    });
  }

  /** A frame came in from the coordinator, which says that it is from this place in the roster. */
  deliver(from: number, frame: Uint8Array): void {
    const party = this.#roster[from];
    if (party === undefined) return;
    const waiting = this.#waiting.get(party);
    if (waiting !== undefined) {
      this.#waiting.delete(party);
      waiting(frame);
      return;
    }
    this.#bytes += frame.length;
    if (this.#bytes > WAITING_LIMIT) throw new Fault('NETWORK', 'more frames arrive for this session than it can take');
    const queue = this.#arrived.get(party);
    if (queue === undefined) this.#arrived.set(party, [frame]);
    else queue.push(frame);
  }
}
