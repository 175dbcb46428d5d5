import { canonicalText } from '../protocol/canonical.ts';
import type { Query } from '../protocol/query.ts';
import { needsDecision } from '../protocol/release.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import { resolveAxis, type Axis } from './axis.ts';
import { columnsOf, presentWhere, resolvePredicate, type Condition } from './condition.ts';
import { Scope } from './fields.ts';
import { countsBehind, planGuards, type Guarding } from './guards.ts';
import { gridSize } from './grid.ts';
import { layOut, type Layout, type PlannedTable } from './layout.ts';
import { requireFewSearches, requireFewSums, requireRoom } from './limits.ts';
import { badQuery } from './mistake.ts';
import { requireSeparate } from './overlap.ts';
import { searchKey, type PlannedSearch, type Search } from './search.ts';
import { planStatistic } from './statistics/registry.ts';
import type { Statistic } from './statistics/statistic.ts';
import { columnsOfTerm, type Term } from './terms.ts';

export interface PlannedStatistic {
  readonly names: readonly string[];
  /** Where its cells stand among the cells of a group. */
  readonly positions: readonly number[];
  /** Whether each value is one cell, shown by itself; else a value needs all the cells. */
  readonly isTable: boolean;
  readonly decode: Statistic['decode'];
  readonly searches: readonly DecodedSearch[];
}

/** Values of a statistic that come from the answer of one of the plan's searches. */
export interface DecodedSearch extends Pick<Search, 'names' | 'decode' | 'ofNothing'> {
  /** Index into the plan's searches. */
  readonly search: number;
}

/**
 * Which integer cells answer a query, from public metadata alone: every hospital and the researcher make the same plan.
 * Cell index = group * cellsPerGroup + k; first the terms, then the tables. Behind the cells of all groups stand counts
 * that are scanned to decide on the release, and are not summed.
 */
export interface Plan extends Guarding {
  readonly scope: Scope;
  /** Columns of the schema that the answer rests on, in the order of the schema. */
  readonly columns: readonly string[];
  readonly derived: ReadonlyMap<string, Condition>;
  readonly cohort: Condition | undefined;
  readonly groupBy: readonly Axis[];
  readonly groups: number;
  readonly terms: readonly Term[];
  readonly tables: readonly PlannedTable[];
  readonly cellsPerGroup: number;
  /** Cells of the whole query: groups * cellsPerGroup. */
  readonly cells: number;
  /** Cells and counts that only guard: the length of what a hospital scans. */
  readonly scanned: number;
  /** What is found on shares, beside the cells. */
  readonly searches: readonly PlannedSearch[];
  readonly statistics: readonly PlannedStatistic[];
}

/** Whether the hospitals compute on shares before they open: their answer then comes with an outcome that all of them sign. */
export const computesOnShares = (plan: Pick<Plan, 'rule' | 'searches'>): boolean =>
  needsDecision(plan.rule) || plan.searches.length > 0;

/**
 * Errors: Misuse BAD_QUERY for whatever in the query does not fit the schema, for more than 1,000,000 cells, for
 * products so large that their sum over 2^34 rows could leave the range of a cell, and for statistics that would tell
 * what the release rule withholds in one another.
 */
export function planQuery(query: Query, schema: DatasetSchema): Plan {
  const scope = Scope.ofQuery(query, schema);
  if (query.dataset !== scope.reference)
    throw badQuery('dataset', `is ${query.dataset}, but the schema is of ${scope.reference}`);
  const derived = resolveDerived(query, schema);
  const cohort = query.cohort && resolvePredicate(query.cohort, scope, 'cohort');
  const groupBy = resolveGroupBy(query, scope);
  requireDifferent(query);
  const given = { scope, rule: query.release };
  const statistics = query.statistics.map((request, k) => planStatistic(request, given, `statistics.${k}`));
  statistics.forEach((statistic, k) => requireRoom(statistic, scope, `statistics.${k}`));
  const present = new Set(cohort && presentWhere(cohort));
  for (const axis of groupBy) if (!axis.missing) present.add(axis.column);
  const layout = layOut(statistics, groupBy, present);
  requireSeparate(query.release, { statistics, scope, derived });
  const timesMinimum = timesMinimumOf(statistics, layout.positions);
  const searches = differentSearches(statistics, layout);
  const asked = searches.map(({ search }) => search);
  requireFewSearches(asked, layout.groups);
  requireFewSums(query.release, layout);
  const guarding = planGuards(query.release, { ...layout, searches: asked, present, scope, timesMinimum });
  return {
    scope,
    columns: columnsRead({ derived, cohort, groupBy, ...layout }, schema),
    derived,
    cohort,
    groupBy,
    ...layout,
    ...guarding,
    scanned: layout.cells + layout.groups * countsBehind(guarding),
    searches: searches.map(({ search: { column, target }, counted }, index) => ({
      column,
      target,
      limit: target.kind === 'distinct' ? target.bits + 1 : gridSize(scope.number(column, '')),
      guards: guarding.searchGuards[index]!,
      counted,
    })),
    statistics: nameValues(statistics, layout.positions, asked.map(searchKey)),
  };
}

/** The key of a group: column to bucket, the last groupBy column varying fastest. */
export function groupKey(plan: Pick<Plan, 'groupBy'>, group: number): Record<string, string | null> {
  const entries: [string, string | null][] = [];
  let rest = group;
  for (const axis of plan.groupBy.toReversed()) {
    const size = axis.labels.length;
    entries.unshift([axis.column, axis.labels[rest % size]!]);
    rest = Math.floor(rest / size);
  }
  return Object.fromEntries(entries);
}

/** Derived columns may refer to the schema's columns only, so that no order among them matters and none is circular. */
function resolveDerived(query: Query, schema: DatasetSchema): Map<string, Condition> {
  const columns = new Scope(schema);
  const derived = Object.entries(query.derive ?? {});
  return new Map(derived.map(([name, predicate]) => [name, resolvePredicate(predicate, columns, `derive.${name}`)]));
}

/** A derived column that nothing uses is still read: what a query names, a site's policy must allow. */
function columnsRead(
  plan: Pick<Plan, 'derived' | 'cohort' | 'groupBy' | 'terms' | 'tables'>,
  schema: DatasetSchema,
): string[] {
  const conditions = [...plan.derived.values(), ...(plan.cohort === undefined ? [] : [plan.cohort])];
  const axes = [...plan.groupBy, ...plan.tables.flatMap((table) => table.axes)];
  const names = new Set([
    ...conditions.flatMap((condition) => [...columnsOf(condition)]),
    ...axes.map((axis) => axis.column),
    ...plan.terms.flatMap(columnsOfTerm),
  ]);
  return schema.columns.map((column) => column.name).filter((name) => names.has(name));
}

function resolveGroupBy(query: Query, scope: Scope): Axis[] {
  const seen = new Set<string>();
  return (query.groupBy ?? []).map((grouping, index) => {
    const place = `groupBy.${index}`;
    if (seen.has(grouping.column)) throw badQuery(`${place}.column`, `"${grouping.column}" is grouped by twice`);
    seen.add(grouping.column);
    return resolveAxis(grouping, scope, place);
  });
}

function requireDifferent(query: Query): void {
  const seen = new Map<string, number>();
  query.statistics.forEach((request, index) => {
    const text = canonicalText(request);
    const earlier = seen.get(text);
    if (earlier !== undefined) throw badQuery(`statistics.${index}`, `is the same as statistics.${earlier}`);
    seen.set(text, index);
  });
}

/** What the least demanding of the statistics that rest on a cell asks for. */
function timesMinimumOf(statistics: readonly Statistic[], positions: Layout['positions']): (k: number) => number {
  const least = new Map<number, number>();
  if (statistics.every((statistic) => statistic.timesMinimum === undefined)) return () => 1;
  statistics.forEach(({ timesMinimum = 1 }, index) => {
    for (const k of positions[index]!) least.set(k, Math.min(timesMinimum, least.get(k) ?? Infinity));
  });
  return (k) => least.get(k) ?? 1;
}

/** Each search once, and the place of the count of the values that it looks among. */
function differentSearches(
  statistics: readonly Statistic[],
  { positions }: Layout,
): { readonly search: Search; readonly counted: number }[] {
  const all = statistics.flatMap(({ searches = [] }, index) =>
    searches.map((search) => ({ search, counted: positions[index]![0]! })),
  );
  return [...new Map(all.toReversed().map((each) => [searchKey(each.search), each])).values()].toReversed();
}

/** Every value has one name; only n(x) is told by several statistics, and is then the same number. */
function nameValues(
  statistics: readonly Statistic[],
  positions: Layout['positions'],
  searchKeys: readonly string[],
): PlannedStatistic[] {
  const taken = new Set<string>();
  return statistics.map((statistic, index) => {
    const { searches = [] } = statistic;
    const names = statistic.names();
    for (const name of [...names, ...searches.flatMap((search) => search.names)]) {
      if (taken.has(name) && !name.startsWith('n('))
        throw badQuery(
          `statistics.${index}`,
          `a value named ${name} is asked for already; ask for this one in a query of its own`,
        );
      taken.add(name);
    }
    const isTable = statistic.table !== undefined;
    return {
      names,
      positions: positions[index]!,
      isTable,
      decode: (cells) => statistic.decode(cells),
      searches: searches.map((search) => ({ ...search, search: searchKeys.indexOf(searchKey(search)) })),
    };
  });
}
