import { Fault } from '../protocol/errors.ts';
import { bucketReader } from './axis.ts';
import { groupingOf, type GroupingSet } from './grouping.ts';
import type { Plan } from './plan.ts';

/** Takes the value of one cell. */
export type CellSink = (index: number, value: bigint) => void;

/** What the local engine returned for the compiled query: columns of equal length, in the order of the SELECT list. */
export interface ResultColumns {
  readonly rowCount: number;
  readonly columns: readonly (readonly unknown[])[];
}

/**
 * Lays the rows of the compiled query out as cells: `set` is called once for every index from 0 to plan.cells - 1,
 * with zero for what no row tells of.
 * Errors: Fault DATA for a code that the schema does not list; Fault INTERNAL for rows that are not this plan's.
 */
export function rowsToCells(plan: Plan, result: ResultColumns, set: CellSink): void {
  const grouping = groupingOf(plan);
  const { axes, sets, hasTables } = grouping;
  const readers = axes.map((axis) => bucketReader(axis, plan.scope, grouping.byValue));
  const firstTerm = axes.length + (hasTables ? 2 : 0);
  const sums = new Array<bigint>(plan.cells).fill(0n);
  const add = (index: number, value: unknown): void => {
    if (!(index in sums)) throw notOfThisPlan();
    sums[index]! += integer(value);
  };

  // Some drivers give no columns at all where there are no rows.
  if (result.rowCount > 0 && result.columns.length !== firstTerm + plan.terms.length) throw notOfThisPlan();
  for (let index = 0; index < result.rowCount; index++) {
    const row = result.columns.map((column) => column[index]);
    const from = hasTables ? setOf(sets, row[axes.length]) : sets[0]!;
    const buckets = axes.map((_, index) => (from.members.includes(index) ? readers[index]!(row[index]) : undefined));
    // groupBy's axes are the first ones.
    const digitsOf = (members: Iterable<number>): Digit[] =>
      Array.from(members, (index) => [buckets[index], axes[index]!.labels.length]);
    const group = combine(digitsOf(plan.groupBy.keys()));
    if (group === undefined) continue;
    const start = group * plan.cellsPerGroup;
    if (from.isMain) plan.terms.forEach((_, k) => add(start + k, row[firstTerm + k]));
    for (const table of from.tables) {
      const cell = combine(digitsOf(table.axes));
      if (cell !== undefined) add(start + table.offset + cell, row[axes.length + 1]);
    }
  }
  sums.forEach((value, index) => set(index, value));
}

function setOf(sets: readonly GroupingSet[], mask: unknown): GroupingSet {
  const found = sets.find((each) => each.mask === integer(mask));
  if (found === undefined) throw notOfThisPlan();
  return found;
}

/** A bucket, and how many its axis has. */
type Digit = readonly [number | undefined, number];

/** Mixed-radix index of buckets, the last varying fastest; undefined where one of them is in no bucket. */
function combine(digits: readonly Digit[]): number | undefined {
  let index = 0;
  for (const [digit, size] of digits) {
    if (digit === undefined) return undefined;
    index = index * size + digit;
  }
  return index;
}

/** A sum over no value is NULL in SQL and zero here. */
function integer(value: unknown): bigint {
  if (value === null) return 0n;
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw notOfThisPlan();
}

const notOfThisPlan = (): Fault => new Fault('INTERNAL', 'the rows given are not those of this plan');
