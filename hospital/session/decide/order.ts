import type { Distribution, Plan, Target } from '../../../analytics/index.ts';
import { searchCost, searchGrid, type NumbersAt, type Search } from '../../../mpc/order/search.ts';
import type { Computing } from './computing.ts';

/** No hospital has more rows: the numbers compared on shares are as wide as this asks for. */
export const GREATEST_COUNT = 2n ** 32n;

/** Searches that go in step; more are made in turn, so that the material for them stays small. */
const IN_STEP = 1024;

type OrderTarget = Exclude<Target, { kind: 'distinct' }>;

/** One group of one search, and this hospital's own values for it. */
interface Lane {
  readonly search: number;
  readonly group: number;
  readonly target: OrderTarget;
  readonly points: number;
  readonly own: Distribution;
}

/**
 * Quantiles and extremes of the groups that may be searched: sets their answers. All of them go in step (docs/boolean.md §8), over the
 * widest of their grids; the k-th largest value is the k-th smallest on the grid turned round.
 *
 * Cost: `searchCost`, for every 1024. Leaks: the answers. A hospital that lies moves them as it could by claiming other values.
 */
export async function answerOrder(
  computing: Computing,
  plan: Plan,
  distributions: ReadonlyMap<string, Distribution>,
  searchable: readonly Uint8Array[],
  answers: readonly number[][],
): Promise<void> {
  const lanes = plan.searches.flatMap(({ column, target, limit }, search): Lane[] => {
    if (target.kind === 'distinct') return [];
    const own = distributions.get(column)!;
    const groups = [...searchable[search]!.keys()].filter((group) => searchable[search]![group] === 1);
    return groups.map((group) => ({ search, group, target, points: limit, own }));
  });
  for (let first = 0; first < lanes.length; first += IN_STEP) {
    const part = lanes.slice(first, first + IN_STEP);
    const found = await searchTogether(computing, `order-${first / IN_STEP}`, part);
    part.forEach(({ search, group, target, points }, j) => {
      // The widest grid may go on where this one ends, but only a group without values is answered there.
      const index = Math.min(found[j]!, points - 1);
      answers[search]![group] = target.kind === 'largest' ? points - 1 - index : index;
    });
  }
}

/** For each lane the first point at which its hospitals' numbers do not add up to less than zero. */
function searchTogether(computing: Computing, name: string, lanes: readonly Lane[]): Promise<number[]> {
  const search: Search = {
    groups: lanes.length,
    gridSize: lanes.reduce((most, { points }) => Math.max(most, points), 2),
    greatest: lanes.map(({ target }) => greatestNumber(target)).reduce((a, b) => (a > b ? a : b)),
    seek: 'least',
  };
  return computing.run(name, searchCost(computing.roster, search), (session) => {
    const subtractsRank = session.self === session.roster[0];
    const numbersAt: NumbersAt = (probes) =>
      lanes.map((lane, j) => (probes[j] === undefined ? 0n : numberAt(lane, probes[j], subtractsRank)));
    return searchGrid(session, search, numbersAt);
  });
}

/** What this hospital enters at a point: for p = a/b, b #{own <= g} - a n; for the k-th value #{own <= g}, less k at one hospital. */
function numberAt({ target, group, points, own }: Lane, point: number, subtractsRank: boolean): bigint {
  if (target.kind === 'quantile') {
    const { numerator, denominator } = target.probability;
    return denominator * own.countAtMost(group, point) - numerator * own.total(group);
  }
  const reached =
    target.kind === 'smallest'
      ? own.countAtMost(group, point)
      : own.countAtLeast(group, Math.max(points - 1 - point, 0));
  return reached - (subtractsRank ? BigInt(target.rank) : 0n);
}

const greatestNumber = (target: OrderTarget): bigint =>
  target.kind === 'quantile' ? target.probability.denominator * GREATEST_COUNT : GREATEST_COUNT;
