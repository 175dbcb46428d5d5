import { expect } from 'vitest';
import { Broadcasts } from '../../mpc/boolean/broadcast.ts';
import type { StockDemand } from '../../mpc/boolean/stock.ts';
import type { PreparedStock } from '../../mpc/preprocessing/prepared-stock.ts';
import { prepareStock } from '../../mpc/preprocessing/prepare.ts';
import type { RosterSetup } from '../../mpc/preprocessing/setup.ts';
import type { Channel } from '../../mpc/session/channel.ts';
import { dealSetups } from '../../mpc/testing/rosters.ts';
import { World } from '../../mpc/testing/world.ts';
import { HealthchainError } from '../../protocol/errors.ts';
import { mallory } from './attack.ts';

export type Prepared = PromiseSettledResult<PreparedStock>;

/** The rounds of a preparation of one batch in one block: those that a cheat may pick. */
export const ROUNDS = {
  corrections: 'prepare/batch-0/block-0/corrections',
  hashCoin: 'prepare/batch-0/block-0/hash',
  /** Hash of the bits to all, and of the columns to each. */
  bitsCheck: 'prepare/1',
  products: 'prepare/batch-0/block-0/products',
  productSum: 'prepare/2',
  productZero: 'prepare/batch-0/products/zero',
  bucketOpening: 'prepare/3',
  bucketZero: 'prepare/batch-0/buckets/zero',
} as const;

/** Bytes of the transcript hash that begins every broadcast. */
export const ECHO = 32;

export const someTriples: StockDemand = { triples: 128, random: 0, masks: new Map() };

/** What mallory sends instead: undefined for nothing. */
export type Twist = (to: string, round: string, message: Uint8Array) => Uint8Array | undefined;

/** Three hospitals prepare a stock; mallory's channel is `corrupted`. */
export async function prepareWith(
  seed: string,
  corrupted: (channel: Channel) => Channel,
  options: {
    need?: (party: string) => StockDemand;
    setups?: (roster: readonly string[]) => readonly RosterSetup[];
  } = {},
): Promise<ReadonlyMap<string, Prepared>> {
  const world = new World({ parties: 3, seed, deadline: 'idle' });
  const setups = options.setups?.(world.roster) ?? dealSetups(world.roster, seed);
  const outcomes = await Promise.allSettled(
    world.roster.map(async (party, i) => {
      const channel = await world.channel(party);
      return prepareStock(
        party === mallory ? corrupted(channel) : channel,
        setups[i]!,
        world.random(`${party}/prepare`),
        options.need?.(party) ?? someTriples,
      );
    }),
  );
  return new Map(world.roster.map((party, i) => [party, outcomes[i]!]));
}

/**
 * Runs `body` while mallory lies in one broadcast to everybody alike, and goes on as if it had said the truth: its transcript
 * holds the lie, as a careful cheat's would.
 */
export async function lyingToAll<T>(
  round: string,
  change: (message: Uint8Array) => void,
  body: () => Promise<T>,
): Promise<T> {
  const honest = Object.getOwnPropertyDescriptor(Broadcasts.prototype, 'round')!.value as Broadcasts['round'];
  Broadcasts.prototype.round = function (message, ...rest) {
    if (this.transport.self === mallory && `${this.name}/${this.rounds}` === round) change(message);
    return honest.call(this, message, ...rest);
  };
  try {
    return await body();
  } finally {
    Broadcasts.prototype.round = honest;
  }
}

/** `party` holds no stock, but an abort of this code that names `names`. */
export function expectNoStock(
  outcomes: ReadonlyMap<string, Prepared>,
  party: string,
  code: string,
  names: string | undefined,
): void {
  const outcome = outcomes.get(party)!;
  if (outcome.status === 'fulfilled') throw new Error(`${party} holds a stock`);
  expect(outcome.reason).toBeInstanceOf(HealthchainError);
  const { kind, code: seen, party: named } = outcome.reason as HealthchainError;
  expect({ kind, code: seen, party: named }).toEqual({ kind: 'Abort', code, party: names });
}

/** None of these parties holds a stock: it ended in an abort, or waits for one that did. */
export function expectNobodyGoesOn(outcomes: ReadonlyMap<string, Prepared>, ...parties: readonly string[]): void {
  for (const party of parties) expect(outcomes.get(party)!.status).toBe('rejected');
}
