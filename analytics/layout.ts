import { axisKey, type Axis } from './axis.ts';
import { requireFewAxes, requireFewCells } from './limits.ts';
import type { Statistic } from './statistics/statistic.ts';
import { simplify, termKey, type Term } from './terms.ts';

/** Counts of every combination of some buckets: `size` cells of each group from `offset` on. */
export interface PlannedTable {
  readonly axes: readonly Axis[];
  readonly offset: number;
  readonly size: number;
}

/** Where the cells of each statistic stand: those of different statistics that are alike are one. */
export interface Layout {
  readonly groups: number;
  readonly terms: readonly Term[];
  readonly tables: readonly PlannedTable[];
  readonly cellsPerGroup: number;
  readonly cells: number;
  readonly positions: readonly (readonly number[])[];
}

/** Errors: `Misuse BAD_QUERY` for too many cells, or columns and bins to count by. */
export function layOut(
  statistics: readonly Statistic[],
  groupBy: readonly Axis[],
  present: ReadonlySet<string>,
): Layout {
  const terms = new Map<string, Term>();
  const tables = new Map<string, readonly Axis[]>();
  for (const statistic of statistics) {
    for (const each of statistic.terms.map((term) => simplify(term, present))) terms.set(termKey(each), each);
    if (statistic.table !== undefined) tables.set(tableKey(statistic.table), statistic.table);
  }
  const groups = sizeOf(groupBy);
  const cellsPerGroup = [...tables.values()].reduce((total, axes) => total + sizeOf(axes), terms.size);
  requireFewCells(groups, cellsPerGroup);
  requireFewAxes([...groupBy, ...[...tables.values()].flat()]);
  const placed = placeTables(tables, terms.size);
  const termPosition = new Map([...terms.keys()].map((key, position) => [key, position]));
  const positions = statistics.map((statistic) => {
    const ofTerms = statistic.terms.map((term) => termPosition.get(termKey(simplify(term, present)))!);
    const block = statistic.table && placed.get(tableKey(statistic.table));
    return block ? ofTerms.concat(Array.from({ length: block.size }, (_, k) => block.offset + k)) : ofTerms;
  });
  return {
    groups,
    terms: [...terms.values()],
    tables: [...placed.values()],
    cellsPerGroup,
    cells: groups * cellsPerGroup,
    positions,
  };
}

function placeTables(tables: ReadonlyMap<string, readonly Axis[]>, start: number): Map<string, PlannedTable> {
  let offset = start;
  return new Map(
    [...tables].map(([key, axes]) => {
      const table = { axes, offset, size: sizeOf(axes) };
      offset += table.size;
      return [key, table];
    }),
  );
}

const tableKey = (axes: readonly Axis[]): string => JSON.stringify(axes.map(axisKey));

const sizeOf = (axes: readonly Axis[]): number => axes.reduce((total, axis) => total * axis.labels.length, 1);
