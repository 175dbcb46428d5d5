import type { Circuit } from './circuit.ts';
import { ECHO_BYTES } from './broadcast.ts';
import { FINGERPRINT_BYTES } from './fingerprint.ts';
import { CHECK_BYTES, CHECK_ROUNDS, COIN_BYTES, FIRST_COMMITMENT } from './mac-check.ts';
import { collectNarrow } from './holders.ts';
import type { StockDemand } from './stock.ts';
import { SEED_BYTES } from './zero-share.ts';

/** What a run takes: material from the stock, rounds, and bytes sent to each peer (before sealing). */
export interface Cost {
  readonly stock: StockDemand;
  readonly rounds: number;
  readonly bytes: number;
  /** How often inputs are entered. */
  readonly entries: number;
}

/**
 * Cost of evaluating a circuit once, at the party in place `self` of the roster (docs/boolean.md §5):
 *
 *     rounds = [there are inputs] + depth        bytes = 32 rounds + own input lanes / 8 + triples / 4
 */
export function evaluationCost(circuit: Circuit, roster: readonly string[], self: number): Cost {
  const masks = new Map(roster.map((party, place) => [party, circuit.inputLanes(place)]));
  const entries = circuit.inputs.some(({ owner }) => owner !== 'shared') ? 1 : 0;
  const rounds = entries + circuit.depth;
  return {
    stock: { triples: circuit.triples, narrow: circuit.narrow, random: 0, masks },
    rounds,
    bytes: ECHO_BYTES * rounds + circuit.inputLanes(self) / 8 + circuit.triples / 4,
    entries,
  };
}

/** Cost of one MAC check over anything. */
export const checkCost: Cost = {
  stock: { triples: 0, random: 0, masks: new Map() },
  rounds: CHECK_ROUNDS,
  bytes: CHECK_BYTES,
  entries: 0,
};

/** Cost of opening `lanes` bits to all, with their check. */
export const openingCost = (lanes: number): Cost => ({
  ...checkCost,
  rounds: 1 + CHECK_ROUNDS,
  bytes: ECHO_BYTES + lanes / 8 + CHECK_BYTES,
});

/**
 * Cost of `compute`: evaluating, checking, opening to all.
 *
 *     rounds = [there are inputs] + depth + 7
 */
export function computingCost(circuit: Circuit, roster: readonly string[], self: number): Cost {
  const outputLanes = circuit.outputs.reduce((sum, wire) => sum + circuit.lanes[wire]!, 0);
  return totalCost(evaluationCost(circuit, roster, self), checkCost, openingCost(outputLanes));
}

/** Cost of opening so many fingerprints, with the check. */
export const fingerprintCost = (count: number): Cost => ({
  ...checkCost,
  rounds: 2 + CHECK_ROUNDS,
  bytes: COIN_BYTES + ECHO_BYTES + FINGERPRINT_BYTES * count + CHECK_BYTES,
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
    stock: {
      triples: total(({ stock }) => stock.triples),
      narrow: collectNarrow(costs.flatMap(({ stock }) => stock.narrow ?? [])),
      random: total(({ stock }) => stock.random),
      masks,
    },
    rounds: total(({ rounds }) => rounds),
    bytes: total(({ bytes }) => bytes),
    entries: total(({ entries }) => entries),
  };
}

/** The cost of the same `times` times. */
export const repeatedCost = ({ stock, rounds, bytes, entries }: Cost, times: number): Cost => ({
  stock: {
    triples: times * stock.triples,
    narrow: (stock.narrow ?? []).map(({ factors, count }) => ({ factors, count: times * count })),
    random: times * stock.random,
    masks: new Map([...stock.masks].map(([owner, count]) => [owner, times * count])),
  },
  rounds: times * rounds,
  bytes: times * bytes,
  entries: times * entries,
});
