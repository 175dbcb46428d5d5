import { axisKey, type Axis } from './axis.ts';
import type { Scope } from './fields.ts';
import type { Plan } from './plan.ts';

/**
 * How one SQL statement groups by several lists of axes at once (GROUPING SETS): the groups themselves, and for each
 * table the groups crossed with its axes. A row of the answer is
 *
 *     value or bin of each axis, [GROUPING mask, count(*)], value of each term
 *
 * where the bracket is there only if the plan has tables. Known to `compileSql`, which writes it, and to
 * `rowsToCells`, which reads it.
 */
export interface Grouping {
  /** Different axes, those of groupBy first. */
  readonly axes: readonly Axis[];
  /** Indices into `axes` of each grouping set; the first is groupBy alone. */
  readonly sets: readonly GroupingSet[];
  readonly hasTables: boolean;
  /** Whether bins are grouped by their column's bare values, and these sorted into bins by `rowsToCells`. */
  readonly byValue: boolean;
  /** Whether bins are grouped by bare values first and these groups then by bins, all by the engine. */
  readonly twice: boolean;
}

/** Rows of an answer up to which grouping by bare values is worth while. */
const MAXIMUM_ROWS = 1 << 16;

export interface GroupingSet {
  readonly members: readonly number[];
  /** What GROUPING(axes...) says of the set's rows: a one for each axis that is not in it, the first axis highest. */
  readonly mask: bigint;
  /** Whether its rows hold the terms. */
  readonly isMain: boolean;
  /** Tables that its rows count for. */
  readonly tables: readonly CountedTable[];
}

export interface CountedTable {
  readonly offset: number;
  /** Index into the grouping's axes of each axis of the table. */
  readonly axes: readonly number[];
}

export function groupingOf(plan: Pick<Plan, 'groupBy' | 'tables' | 'scope'>): Grouping {
  const axes = new Map<string, Axis>();
  for (const axis of [...plan.groupBy, ...plan.tables.flatMap((table) => table.axes)])
    if (!axes.has(axisKey(axis))) axes.set(axisKey(axis), axis);
  const order = [...axes.keys()];
  const indicesOf = (list: readonly Axis[]): number[] => list.map((axis) => order.indexOf(axisKey(axis)));
  const membersOf = (list: readonly Axis[]): number[] => [...new Set(indicesOf(list))].sort((a, b) => a - b);

  const sets = new Map<string, { members: number[]; isMain: boolean; tables: CountedTable[] }>();
  const main = membersOf(plan.groupBy);
  sets.set(main.join(), { members: main, isMain: true, tables: [] });
  for (const table of plan.tables) {
    const members = membersOf([...plan.groupBy, ...table.axes]);
    const key = members.join();
    const set = sets.get(key) ?? { members, isMain: false, tables: [] };
    set.tables.push({ offset: table.offset, axes: indicesOf(table.axes) });
    sets.set(key, set);
  }
  const maskOf = (members: readonly number[]): bigint =>
    order.reduce((mask, _, index) => mask * 2n + (members.includes(index) ? 0n : 1n), 0n);
  const distinct = [...axes.values()];
  const valuesOf = (members: readonly number[]): number =>
    members.reduce((rows, index) => rows * distinctValues(distinct[index]!, plan.scope), 1);
  const hasTables = plan.tables.length > 0;
  const hasBins = distinct.some((axis) => axis.edges !== undefined);
  // DuckDB groups by a bare column twice as fast as by a CASE over it; ages make a hundred rows, incomes a million.
  const few = [...sets.values()].every((set) => valuesOf(set.members) <= MAXIMUM_ROWS);
  return {
    axes: distinct,
    sets: [...sets.values()].map((set) => ({ ...set, mask: maskOf(set.members) })),
    hasTables,
    byValue: few && hasTables,
    twice: few && hasBins && !hasTables,
  };
}

/** The values that an axis' column may have, as far as the schema tells; a missing one included. */
function distinctValues(axis: Axis, scope: Scope): number {
  const field = scope.known(axis.column);
  if (axis.edges === undefined || field.kind === 'category') return axis.labels.length + 1;
  return Number(field.maximum - field.minimum) + 2;
}
