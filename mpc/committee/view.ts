import type { Transport } from '../transport.ts';
import type { Committee } from './committee.ts';

/** A session's channels as a member uses them to compute with the other members: the same, with no other peers. */
export class MembersView implements Transport {
  readonly session: string;
  readonly self: string;
  readonly peers: readonly string[];
  readonly #channel: Transport;

  constructor(channel: Transport, { members }: Committee) {
    this.session = channel.session;
    this.self = channel.self;
    this.peers = members.filter((party) => party !== channel.self);
    this.#channel = channel;
  }

  send(to: string, round: string, message: Uint8Array): Promise<void> {
    return this.#channel.send(to, round, message);
  }

  receive(from: string, round: string): Promise<Uint8Array> {
    return this.#channel.receive(from, round);
  }
}
