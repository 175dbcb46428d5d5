import { Misuse } from '../protocol/errors.ts';
import { groupKey, type DecodedSearch, type Plan, type PlannedStatistic } from './plan.ts';

/** The answer for one group: what of it may be shown, or only that it is withheld. */
export type GroupResult = ReleasedGroup | WithheldGroup;

export interface ReleasedGroup {
  readonly key: Record<string, string | null>;
  readonly status: 'released';
  /** In the order of the query's statistics; null where a statistic is undefined. */
  readonly values: Record<string, number | null>;
  /** Names of the values that are not shown, where there are any. */
  readonly withheld?: readonly string[];
}

/** Says no more than that: not which count was too small, and not whether there is any row. */
export interface WithheldGroup {
  readonly key: Record<string, string | null>;
  readonly status: 'withheld';
}

/** The values of a group that are shown: none of a group that is withheld. */
export const shownValues = (group: GroupResult): Readonly<Record<string, number | null>> =>
  group.status === 'released' ? group.values : {};

/** Names of all values that a query asks for, in its order, each once. */
export const valueNames = (plan: Pick<Plan, 'statistics'>): string[] => [...new Set(plan.statistics.flatMap(namesOf))];

const namesOf = ({ names, searches }: PlannedStatistic): string[] => [
  ...names,
  ...searches.flatMap((search) => search.names),
];

/**
 * Turns summed cells into groups and statistics: exact integers until each number's last rounding.
 * Counts above 2^53 round to the nearest double.
 *
 * `released` says of each cell of the plan whether it opened; without it, all did. A cell that did not is never asked
 * for, and a value that rests on one is withheld: it is neither zero nor null, which stands for undefined.
 *
 * `answers` are those of the plan's searches, group by group; -1 where withheld. Errors: Misuse MALFORMED where they are not.
 */
export function decode(
  plan: Plan,
  cell: (index: number) => bigint,
  released: (index: number) => boolean = () => true,
  answers: readonly (readonly number[])[] = [],
): GroupResult[] {
  requireAnswers(plan, answers);
  return Array.from({ length: plan.groups }, (_, group) => {
    const start = group * plan.cellsPerGroup;
    return decodeGroup(
      plan,
      groupKey(plan, group),
      (k) => released(start + k),
      (k) => cell(start + k),
      (search) => answers[search]![group]!,
    );
  });
}

function requireAnswers({ searches, groups }: Plan, answers: readonly (readonly number[])[]): void {
  const fits = searches.every(
    ({ limit }, k) => answers[k]?.length === groups && answers[k].every((answer) => answer >= -1 && answer < limit),
  );
  if (answers.length === searches.length && fits) return;
  throw new Misuse('MALFORMED', 'the answers found on shares are not those that the query asks for');
}

function decodeGroup(
  plan: Plan,
  key: GroupResult['key'],
  isOpen: (k: number) => boolean,
  cell: (k: number) => bigint,
  answer: (search: number) => number,
): GroupResult {
  const shown = new Map<string, number | null>();
  const names = plan.statistics.flatMap((statistic) => {
    for (const [name, value] of decodeStatistic(statistic, isOpen, cell)) shown.set(name, value);
    for (const search of statistic.searches) {
      const { counted } = plan.searches[search.search]!;
      const nothing = isOpen(counted) && cell(counted) === 0n;
      for (const [name, value] of decodeSearch(search, nothing, answer)) shown.set(name, value);
    }
    return namesOf(statistic);
  });
  if (shown.size === 0) return { key, status: 'withheld' };
  const withheld = names.filter((name) => !shown.has(name));
  const values = Object.fromEntries(shown);
  if (withheld.length === 0) return { key, status: 'released', values };
  return { key, status: 'released', values, withheld: [...new Set(withheld)] };
}

function decodeStatistic(
  { names, positions, isTable, decode }: PlannedStatistic,
  isOpen: (k: number) => boolean,
  cell: (k: number) => bigint,
): [string, number | null][] {
  const open = positions.map(isOpen);
  if (open.every(Boolean)) {
    const values = decode(positions.map(cell));
    return names.map((name, index) => [name, values[index]!]);
  }
  if (!isTable) return [];
  return names.flatMap((name, index) => (open[index]! ? [[name, decode([cell(positions[index]!)])[0]!]] : []));
}

function decodeSearch(
  { search, names, decode, ofNothing }: DecodedSearch,
  nothing: boolean,
  answer: (search: number) => number,
): [string, number | null][] {
  const found = answer(search);
  if (found < 0 && !nothing) return [];
  const values = nothing ? ofNothing : decode(found);
  return names.map((name, index) => [name, values[index]!]);
}
