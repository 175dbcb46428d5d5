import type { Stock, StockDemand } from '../mpc/boolean/stock.ts';
import { prepareStock } from '../mpc/preprocessing/prepare.ts';
import { setUpRoster, type RosterSetup } from '../mpc/preprocessing/setup.ts';
import type { Channel } from '../mpc/session/channel.ts';
import type { RandomSource } from '../mpc/transport.ts';

/** Makes what a session needs to compute on shares: base transfers once, then as much as is asked for. */
export class Preparation {
  readonly #random: RandomSource;
  /** A setup lives as long as its session: after an abort its keys may be known, and nobody must use them again. */
  readonly #setups = new WeakMap<Channel, Promise<RosterSetup>>();

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** Cost and errors: see `prepareStock`, and `setUpRoster` the first time. */
  async stock(channel: Channel, demand: StockDemand): Promise<Stock> {
    let setup = this.#setups.get(channel);
    if (setup === undefined) this.#setups.set(channel, (setup = setUpRoster(channel, this.#random)));
    return prepareStock(channel, await setup, this.#random, demand);
  }
}
