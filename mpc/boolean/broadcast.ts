import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { exchange, type Transport } from '../transport.ts';
import { rosterOf } from './coin.ts';

/** Bytes of the running transcript that every frame begins with. */
export const ECHO_BYTES = 32;

/** Bytes for one peer alone that travel with a broadcast, and the length of those that each peer sends us. */
export interface Aside {
  readonly to: (peer: string) => Uint8Array;
  readonly lengthFrom: (peer: string) => number;
}

/**
 * Broadcasts among the parties of a session, in numbered rounds (docs/boolean.md §3). Every frame begins with a hash over
 * all that was broadcast before, by everybody, and over the public parameters: who was told something else, or runs
 * another circuit, is noticed one round later as `Abort EQUIVOCATION` (echo broadcast: Goldwasser, Lindell, J. Cryptology
 * 2005). A frame of the wrong length is `Abort FORGED_FRAME`. Both name the peer.
 */
export class Broadcasts {
  readonly transport: Transport;
  readonly roster: readonly string[];
  readonly name: string;
  #transcript: Uint8Array;
  #round = 0;

  constructor(transport: Transport, name: string) {
    this.transport = transport;
    this.roster = rosterOf(transport);
    this.name = name;
    const setting = [transport.session, name, ...this.roster].map((text) => Buffer.from(text));
    this.#transcript = hashBytes(LABEL.broadcast, ...setting);
  }

  /** Rounds so far. */
  get rounds(): number {
    return this.#round;
  }

  /** Takes a public parameter into the transcript. */
  agreeOn(parameter: Uint8Array): void {
    this.#transcript = hashBytes(LABEL.broadcast, this.#transcript, parameter);
  }

  /**
   * What every party broadcasts in this round, own message included, in roster order; and what each peer said aside.
   *
   * Cost: one round, 32 bytes and the message to each peer.
   */
  async round(
    message: Uint8Array,
    lengthFrom: (party: string) => number = () => message.length,
    aside?: Aside,
  ): Promise<{ messages: readonly Uint8Array[]; asides: ReadonlyMap<string, Uint8Array> }> {
    const { self } = this.transport;
    const round = `${this.name}/${this.#round++}`;
    const frame = concatBytes(this.#transcript, message);
    const received = await exchange(this.transport, round, (peer) =>
      aside === undefined ? frame : concatBytes(frame, aside.to(peer)),
    );
    const asides = new Map<string, Uint8Array>();
    const messages = this.roster.map((party) => {
      if (party === self) return message;
      const theirs = received.get(party)!;
      const end = ECHO_BYTES + lengthFrom(party);
      if (theirs.length !== end + (aside?.lengthFrom(party) ?? 0)) {
        throw new Abort('FORGED_FRAME', `a message of ${party} has the wrong length`, { party, round });
      }
      if (!equalBytes(theirs.subarray(0, ECHO_BYTES), this.#transcript)) {
        throw new Abort('EQUIVOCATION', `${party} has seen another course of the protocol than we have`, {
          party,
          round,
          hint: 'Somebody told two parties two things, or the parties do not evaluate the same circuit.',
        });
      }
      asides.set(party, theirs.subarray(end));
      return theirs.subarray(ECHO_BYTES, end);
    });
    this.#transcript = hashBytes(LABEL.broadcast, this.#transcript, ...messages);
    return { messages, asides };
  }
}
