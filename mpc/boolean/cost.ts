import type { Circuit } from './circuit.ts';
import { ECHO_BYTES } from './broadcast.ts';
import { CHECK_BYTES, CHECK_ROUNDS, FIRST_COMMITMENT } from './mac-check.ts';
import type { StockDemand } from './stock.ts';
import { SEED_BYTES } from './zero-share.ts';

/** What a run takes: material from the stock, rounds, and bytes sent to each peer (before sealing). */
export interface Cost {
  readonly stock: StockDemand;
  readonly rounds: number;
  readonly bytes: number;
}

/**
 * Cost of evaluating a circuit once, at the party in place `self` of the roster (docs/boolean.md §5):
 *
 *     rounds = [there are inputs] + depth        bytes = 32 rounds + own input lanes / 8 + triples / 4
 */
export function evaluationCost(circuit: Circuit, roster: readonly string[], self: number): Cost {
  const masks = new Map(roster.map((party, place) => [party, circuit.inputLanes(place)]));
  const rounds = (circuit.inputs.some(({ owner }) => owner !== 'shared') ? 1 : 0) + circuit.depth;
  return {
    stock: { triples: circuit.triples, random: 0, masks },
    rounds,
    bytes: ECHO_BYTES * rounds + circuit.inputLanes(self) / 8 + circuit.triples / 4,
  };
}

/** Cost of one MAC check over anything. */
export const checkCost: Cost = {
  stock: { triples: 0, random: 0, masks: new Map() },
  rounds: CHECK_ROUNDS,
  bytes: CHECK_BYTES,
};

/** Cost of opening `lanes` bits to all, with their check. */
export const openingCost = (lanes: number): Cost => ({
  ...checkCost,
  rounds: 1 + CHECK_ROUNDS,
  bytes: ECHO_BYTES + lanes / 8 + CHECK_BYTES,
});

/** What a session's first frame carries besides: to peers later in the roster also a seed. */
export const firstFrameBytes = (toLaterPeer: boolean): number => FIRST_COMMITMENT + (toLaterPeer ? SEED_BYTES : 0);

/** The cost of one after another. */
export function totalCost(...costs: readonly Cost[]): Cost {
  const masks = new Map<string, number>();
  for (const { stock } of costs)
    for (const [owner, count] of stock.masks) masks.set(owner, (masks.get(owner) ?? 0) + count);
  const total = (of: (cost: Cost) => number): number => costs.reduce((sum, cost) => sum + of(cost), 0);
  return {
    stock: { triples: total(({ stock }) => stock.triples), random: total(({ stock }) => stock.random), masks },
    rounds: total(({ rounds }) => rounds),
    bytes: total(({ bytes }) => bytes),
  };
}

/** The cost of the same `times` times. */
export const repeatedCost = ({ stock, rounds, bytes }: Cost, times: number): Cost => ({
  stock: {
    triples: times * stock.triples,
    random: times * stock.random,
    masks: new Map([...stock.masks].map(([owner, count]) => [owner, times * count])),
  },
  rounds: times * rounds,
  bytes: times * bytes,
});
