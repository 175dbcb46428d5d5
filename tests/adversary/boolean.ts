import { vi } from 'vitest';
import type { AuthenticatedBits } from '../../mpc/boolean/bits.ts';
import { Broadcasts } from '../../mpc/boolean/broadcast.ts';
import { CircuitBuilder } from '../../mpc/boolean/builder.ts';
import { evaluationCost } from '../../mpc/boolean/cost.ts';
import type { BooleanSession } from '../../mpc/boolean/engine.ts';
import type { Stock, Triples } from '../../mpc/boolean/stock.ts';
import { compute, sitDown } from '../../mpc/testing/boolean.ts';
import { corrupt, type World } from '../../mpc/testing/world.ts';
import { mallory } from './attack.ts';

/** Frames of one evaluation with two layers of ANDs, by round number. */
export const INPUT = 'boolean/0';
export const FIRST_LAYER = 'boolean/1';
export const SECOND_LAYER = 'boolean/2';
export const COIN = 'boolean/3';
export const COMMIT = 'boolean/4';
export const OPEN = 'boolean/5';
export const OUTPUT = 'boolean/6';
export const SECOND_COIN = 'boolean/7';
export const SECOND_OPEN = 'boolean/9';

/** Bytes at the start of a frame that echo what was broadcast before. */
export const ECHO = 32;

/** (x0 AND x1) AND x2, with a bit of each of three hospitals. */
export function conjunction() {
  const builder = new CircuitBuilder();
  const [a, b, c] = [0, 1, 2].map((party) => builder.input(party, 128));
  return builder.build([builder.and(builder.and(a!, b!), c!)]);
}

/** Where mallory departs from the protocol; what is left out is honest. */
export interface Cheat {
  /** What it broadcasts, the same to everybody; without the echo. */
  readonly lie?: (round: string, message: Uint8Array) => Uint8Array;
  /** What it sends to each peer, with the echo. */
  readonly twist?: (to: string, round: string, message: Uint8Array) => Uint8Array | undefined;
  readonly stock?: (honest: Stock) => Stock;
  readonly play?: (session: BooleanSession) => Promise<unknown>;
}

/** Makes mallory broadcast something else, and go on as if it were what it had meant to. */
function lieInBroadcasts(lie: NonNullable<Cheat['lie']>): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
  const honest = Broadcasts.prototype.round;
  vi.spyOn(Broadcasts.prototype, 'round').mockImplementation(function (this: Broadcasts, message, ...rest) {
    const sent = this.transport.self === mallory ? lie(`${this.name}/${this.rounds}`, message) : message;
    return honest.call(this, sent, ...rest);
  });
}

/** Every hospital evaluates, checks and opens. */
export async function runConjunction(
  world: World,
  cheat: Cheat = {},
): Promise<ReadonlyMap<string, PromiseSettledResult<unknown>>> {
  if (cheat.lie !== undefined) lieInBroadcasts(cheat.lie);
  const circuit = conjunction();
  const { sessions } = await sitDown(world, evaluationCost(circuit, world.roster, 0).stock, {
    channel: (channel) =>
      channel.self === mallory && cheat.twist !== undefined ? corrupt(channel, cheat.twist) : channel,
    stock: (stock, party) => (party === mallory && cheat.stock !== undefined ? cheat.stock(stock) : stock),
  });
  const input = new Uint8Array(16).fill(0b01010111);
  const outcomes = await Promise.allSettled(
    sessions.map((session) =>
      session.self === mallory && cheat.play !== undefined ? cheat.play(session) : compute(session, circuit, [input]),
    ),
  );
  vi.restoreAllMocks();
  return new Map(world.roster.map((party, i) => [party, outcomes[i]!]));
}

/** Changes a party's own shares of the triples. */
export class TwistedStock implements Stock {
  readonly keyShare: Uint8Array;
  readonly #honest: Stock;
  readonly #twist: (triples: Triples) => Triples;

  constructor(honest: Stock, twist: (triples: Triples) => Triples) {
    this.keyShare = honest.keyShare;
    this.#honest = honest;
    this.#twist = twist;
  }
  triples(count: number): Triples {
    return this.#twist(this.#honest.triples(count));
  }
  masks(owner: string, count: number): AuthenticatedBits {
    return this.#honest.masks(owner, count);
  }
  random(count: number): AuthenticatedBits {
    return this.#honest.random(count);
  }
  discard(): void {
    this.#honest.discard();
  }
}
