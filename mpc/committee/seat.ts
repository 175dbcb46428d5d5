import type { Cost } from '../boolean/cost.ts';
import { BooleanSession } from '../boolean/engine.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import type { Stock, StockDemand } from '../boolean/stock.ts';
import type { RandomSource, Transport } from '../transport.ts';
import { CommitteeClient } from './client.ts';
import { COMMITTEE_SIZE, Committee } from './committee.ts';
import { CommitteeMember } from './member.ts';
import { membersDemand } from './seating.ts';
import { MembersView } from './view.ts';

/** Makes random authenticated material with the other parties of a transport. */
export type StockSource = (transport: Transport, demand: StockDemand) => Promise<Stock>;

/**
 * A hospital's place where a session computes on shares: among all hospitals or, where these are more than a committee has,
 * in the committee or as its client.
 */
export class Seat {
  /** Undefined where all hospitals compute. */
  readonly committee: Committee | undefined;
  readonly #channel: Transport;
  readonly #random: RandomSource;
  /** Undefined at a client. */
  readonly #members: Transport | undefined;

  private constructor(channel: Transport, random: RandomSource, committee: Committee | undefined) {
    this.committee = committee;
    this.#channel = channel;
    this.#random = random;
    if (committee?.members.includes(channel.self) === true) this.#members = new MembersView(channel, committee);
  }

  /** Once for each session. Cost and errors: none up to `size` hospitals, else see `Committee.elect`. */
  static async take(channel: Transport, random: RandomSource, size = COMMITTEE_SIZE): Promise<Seat> {
    const hospitals = 1 + channel.peers.length;
    const committee = hospitals > size ? await Committee.elect(channel, random, size) : undefined;
    return new Seat(channel, random, committee);
  }

  /**
   * Where to compute something of this cost among all hospitals; `name` is another each time. Who computes makes or takes the
   * material for it first, which a committee's clients do not wait for.
   */
  async evaluator(name: string, cost: Cost, stock: StockSource): Promise<Evaluator> {
    const { committee } = this;
    if (committee === undefined) return this.#session(this.#channel, name, await stock(this.#channel, cost.stock));
    if (this.#members === undefined) return new CommitteeClient(this.#channel, committee, this.#random, name);
    const material = await stock(this.#members, membersDemand(cost, committee));
    return new CommitteeMember(this.#channel, committee, this.#session(this.#members, name, material), name);
  }

  #session(among: Transport, name: string, stock: Stock): BooleanSession {
    return new BooleanSession(among, stock, this.#random, name);
  }
}
