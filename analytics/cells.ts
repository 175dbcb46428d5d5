import { Fault } from '../protocol/errors.ts';
import { bucketReader } from './axis.ts';
import { groupingOf, type GroupingSet } from './grouping.ts';
import { scannedIndex } from './guards.ts';
import type { Plan } from './plan.ts';

/** Adds a value to one cell, or to a count behind the cells. */
export type CellSink = (index: number, value: bigint) => void;

/**
 * What the local engine returned for the compiled query, or a part of it: columns of equal length, in the order of
 * the SELECT list.
 */
export interface ResultColumns {
  readonly rowCount: number;
  readonly columns: readonly (readonly unknown[])[];
}

/**
 * Lays the rows of the compiled query out as cells, which begin at zero: `add` is called with each value that belongs to one
 * of the indices 0 to plan.scanned - 1; behind the cells stand the counts that only guard. Returns what takes the rows, some at a time, so that they are never all there at once.
 * Errors, when rows are taken: Fault DATA for a code that the schema does not list; Fault INTERNAL for rows that are
 * not this plan's.
 */
export function rowsToCells(plan: Plan, add: CellSink): (rows: ResultColumns) => void {
  const grouping = groupingOf(plan);
  const { axes, sets, hasTables } = grouping;
  const readers = axes.map((axis) => bucketReader(axis, plan.scope, grouping.byValue));
  const sizes = axes.map((axis) => axis.labels.length);
  const groupAxes = [...plan.groupBy.keys()]; // groupBy's axes are the first ones
  const firstTerm = axes.length + (hasTables ? 2 : 0);
  const { ofTerms, ofTables } = placesOf(plan);

  const addWithin: CellSink = (index, value) => {
    if (!(index >= 0 && index < plan.scanned)) throw notOfThisPlan();
    add(index, value);
  };

  return ({ rowCount, columns }) => {
    // Some drivers give no columns at all where there are no rows.
    if (rowCount > 0 && columns.length !== firstTerm + ofTerms.length) throw notOfThisPlan();
    for (let row = 0; row < rowCount; row++) {
      const from = hasTables ? setOf(sets, columns[axes.length]![row]) : sets[0]!;
      const buckets = readers.map((read, k) => (from.members.includes(k) ? read(columns[k]![row]) : undefined));
      const group = combine(groupAxes, buckets, sizes);
      if (group === undefined) continue;
      const addTo = (place: number, value: bigint): void => addWithin(scannedIndex(plan, group, place), value);
      if (from.isMain) {
        ofTerms.forEach((places, k) => {
          const value = integer(columns[firstTerm + k]![row]);
          for (const { place, sign } of places) addTo(place, sign * value);
        });
      }
      for (const table of from.tables) {
        const cell = combine(table.axes, buckets, sizes);
        if (cell === undefined) continue;
        const count = integer(columns[axes.length + 1]![row]);
        addTo(table.offset + cell, count);
        for (const place of ofTables.get(table.offset) ?? []) addTo(place, -count);
      }
    }
  };
}

/**
 * Where in a group each term is added or taken off, and what each table takes its rows from: the rows in none of its
 * buckets are all rows with its columns, less those in its cells.
 */
function placesOf(plan: Plan): {
  ofTerms: readonly (readonly { place: number; sign: bigint }[])[];
  ofTables: ReadonlyMap<number, readonly number[]>;
} {
  const behind = plan.cellsPerGroup + plan.guardTerms.length;
  const elsewhere = plan.elsewhere.map(({ table, total }, e) => ({ offset: table.offset, total, place: behind + e }));
  const differences = plan.differences.map((each, d) => ({ ...each, place: behind + elsewhere.length + d }));
  const own = [...plan.terms.keys(), ...plan.guardTerms.keys().map((e) => plan.cellsPerGroup + e)];
  return {
    ofTerms: own.map((term) => [
      { place: term, sign: 1n },
      ...elsewhere.filter(({ total }) => total === term).map(({ place }) => ({ place, sign: 1n })),
      ...differences.filter(({ from }) => from === term).map(({ place }) => ({ place, sign: 1n })),
      ...differences.filter(({ less }) => less === term).map(({ place }) => ({ place, sign: -1n })),
    ]),
    ofTables: new Map(elsewhere.map(({ offset, place }) => [offset, [place]])),
  };
}

function setOf(sets: readonly GroupingSet[], mask: unknown): GroupingSet {
  const found = sets.find((each) => each.mask === integer(mask));
  if (found === undefined) throw notOfThisPlan();
  return found;
}

/** The group that a row belongs to, from the buckets of groupBy in its first columns; undefined if to none. */
export function groupReader(plan: Plan): (columns: ResultColumns['columns'], row: number) => number | undefined {
  const readers = plan.groupBy.map((axis) => bucketReader(axis, plan.scope, false));
  const [axes, sizes] = [[...plan.groupBy.keys()], plan.groupBy.map((axis) => axis.labels.length)];
  return (columns, row) =>
    combine(
      axes,
      readers.map((read, k) => read(columns[k]![row])),
      sizes,
    );
}

/** Takes the rows of `compileTexts`, some at a time, and hands over each text with its group. */
export function readTexts(plan: Plan, add: (group: number, text: string) => void): (rows: ResultColumns) => void {
  const groupOf = groupReader(plan);
  return ({ rowCount, columns }) => {
    for (let row = 0; row < rowCount; row++) {
      const group = groupOf(columns, row);
      const text = columns[plan.groupBy.length]![row];
      if (typeof text !== 'string') throw notOfThisPlan();
      if (group !== undefined) add(group, text);
    }
  };
}

/** Mixed-radix index of the buckets of these axes, the last varying fastest; undefined where one of them is in no bucket. */
function combine(
  axes: readonly number[],
  buckets: readonly (number | undefined)[],
  sizes: readonly number[],
): number | undefined {
  let index = 0;
  for (const axis of axes) {
    const bucket = buckets[axis];
    if (bucket === undefined) return undefined;
    index = index * sizes[axis]! + bucket;
  }
  return index;
}

/** A sum over no value is NULL in SQL and zero here. */
export function integer(value: unknown): bigint {
  if (value === null) return 0n;
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw notOfThisPlan();
}

const notOfThisPlan = (): Fault => new Fault('INTERNAL', 'the rows given are not those of this plan');
