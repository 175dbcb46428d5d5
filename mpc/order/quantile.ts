import { Misuse } from '../../protocol/errors.ts';
import type { Cost } from '../boolean/cost.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import { searchCost, searchGrid, type Search } from './search.ts';

/** A probability as numerator / denominator, strictly between 0 and 1. */
export interface Probability {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Quantiles of several groups, each on a grid of the same size. */
export interface QuantileSearch {
  /** One for each group. */
  readonly probabilities: readonly Probability[];
  readonly gridSize: number;
  /** No hospital has more values in a group. */
  readonly greatestCount: bigint;
}

/** The k-th smallest or largest value of several groups, each on a grid of the same size. */
export interface RankSearch {
  /** k for each group, from 1. */
  readonly ranks: readonly bigint[];
  readonly gridSize: number;
  readonly greatestCount: bigint;
}

/**
 * This hospital's number of values at or below (for the largest: at or above) a grid point, for each group; 0 where the probe
 * is undefined. All groups' probes come at once, so that one pass over the data answers them.
 */
export type CountAt = (probes: readonly (number | undefined)[]) => Promise<readonly bigint[]> | readonly bigint[];

/**
 * Type-1 quantiles (Hyndman, Fan, American Statistician 1996) of the pooled values: for each group the index of the smallest
 * grid point g with
 *
 *     F(g) = #{values <= g} >= p n        n = the number of all hospitals' values
 *
 * At each step hospital i enters b #{own values <= g} - a n_i for p = a/b, and the sign of the sum opens. `ownCounts` are
 * this hospital's n_i. Every value must be at or below the last grid point. A group without values gives index 0: guard it by
 * its count. (Aggarwal, Mishra, Pinkas, EUROCRYPT 2004.)
 *
 * Cost: `quantileCost`. Leaks: the answer; the bits on the way follow from it. A hospital that lies moves the answer as it
 * could by claiming other values.
 */
export function findQuantiles(
  session: Evaluator,
  search: QuantileSearch,
  ownCounts: readonly bigint[],
  countAtMost: CountAt,
): Promise<number[]> {
  const { probabilities } = search;
  if (ownCounts.length !== probabilities.length || ownCounts.some((n) => n < 0n || n > search.greatestCount)) {
    throw new Misuse('OUT_OF_RANGE', 'one count of own values for each group, at most the bound that was agreed');
  }
  return searchGrid(session, quantileAsSearch(search), async (probes) => {
    const counts = await countAtMost(probes);
    return probabilities.map(({ numerator, denominator }, j) => denominator * counts[j]! - numerator * ownCounts[j]!);
  });
}

/** Cost of `findQuantiles`, at the hospital in place `self` of the roster. */
export const quantileCost = (roster: readonly string[], search: QuantileSearch, self = 0): Cost =>
  searchCost(roster, quantileAsSearch(search), self);

/**
 * The index of the smallest grid point with at least k values at or below it, for each group: the k-th smallest value, rounded
 * up to the grid. The first party enters its count less k; entering another k is the same as claiming another count.
 *
 * Cost: `rankCost`. Leaks: the answer, which is one patient's value if k is small.
 */
export function findSmallest(session: Evaluator, search: RankSearch, countAtMost: CountAt): Promise<number[]> {
  return findRank(session, search, countAtMost, 'least');
}

/**
 * The index of the largest grid point with at least k values at or above it, for each group: the k-th largest value, rounded
 * down to the grid. As `findSmallest` otherwise.
 */
export function findLargest(session: Evaluator, search: RankSearch, countAtLeast: CountAt): Promise<number[]> {
  return findRank(session, search, countAtLeast, 'greatest');
}

/** Cost of `findSmallest` and of `findLargest`, at the hospital in place `self` of the roster. */
export const rankCost = (roster: readonly string[], search: RankSearch, self = 0): Cost =>
  searchCost(roster, rankAsSearch(search, 'least'), self);

function findRank(session: Evaluator, search: RankSearch, count: CountAt, seek: Search['seek']): Promise<number[]> {
  const first = session.self === session.roster[0];
  return searchGrid(session, rankAsSearch(search, seek), async (probes) => {
    const counts = await count(probes);
    return search.ranks.map((rank, j) => counts[j]! - (first ? rank : 0n));
  });
}

function quantileAsSearch({ probabilities, gridSize, greatestCount }: QuantileSearch): Search {
  if (probabilities.some(({ numerator: a, denominator: b }) => a <= 0n || a >= b)) {
    throw new Misuse('OUT_OF_RANGE', 'a probability lies strictly between 0 and 1');
  }
  const weight = probabilities.reduce((most, { denominator }) => (denominator > most ? denominator : most), 1n);
  return asSearch(probabilities.length, gridSize, greatestCount, weight * greatestCount, 'least');
}

function rankAsSearch({ ranks, gridSize, greatestCount }: RankSearch, seek: Search['seek']): Search {
  if (ranks.some((rank) => rank < 1n)) throw new Misuse('OUT_OF_RANGE', 'ranks count from 1');
  const most = ranks.reduce((a, b) => (a > b ? a : b), greatestCount);
  return asSearch(ranks.length, gridSize, greatestCount, most, seek);
}

function asSearch(
  groups: number,
  gridSize: number,
  greatestCount: bigint,
  greatest: bigint,
  seek: Search['seek'],
): Search {
  if (!Number.isInteger(gridSize) || gridSize < 1 || gridSize > 2 ** 30 || greatestCount < 1n) {
    throw new Misuse('OUT_OF_RANGE', 'a grid has 1 to 2^30 points, and a hospital may have at least one value');
  }
  return { groups, gridSize, greatest, seek };
}
