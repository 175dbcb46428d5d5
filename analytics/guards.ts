import { needsDecision, type ReleaseRule } from '../protocol/release.ts';
import type { Axis } from './axis.ts';
import type { Scope } from './fields.ts';
import type { PlannedTable } from './layout.ts';
import type { Plan } from './plan.ts';
import type { Search } from './search.ts';
import { columnsOfTerm, countOf, simplify, sumOf, termKey, type Term } from './terms.ts';

/**
 * Which counts decide whether the cells of a group open. Every number is guarded by the rows of its group and by the
 * values behind it: a mean by how many have the column, a correlation by the complete pairs, a bucket by its own rows.
 * The sum of a 0/1 column is a count itself, and guarded by its ones and its zeros. Two sums of one column, one of them over
 * fewer rows, are guarded by the rows between them, whose values their difference would tell.
 *
 * Counts that guard and that nobody asked for are scanned in the same pass, and stand behind the cells: they are
 * judged, and never summed or opened. A place below `cellsPerGroup` is a cell, one from there on such a count.
 */
export interface Guarding {
  readonly rule: ReleaseRule;
  /** Of each group: its rows, the values behind its terms and tables, then every cell of its tables. Empty without a rule. */
  readonly guards: readonly Guard[];
  /** Counts of each group that only guard. */
  readonly guardTerms: readonly Term[];
  /** For tables whose buckets leave something out: the rows in none of them. They stand behind `guardTerms`. */
  readonly elsewhere: readonly Elsewhere[];
  /** Counts that guard and follow from two others. They stand behind `elsewhere`. */
  readonly differences: readonly Difference[];
  /** Indices of the guards of each term. */
  readonly termGuards: readonly (readonly number[])[];
  /** Indices of the guards that all cells of a table share. */
  readonly tableGuards: readonly (readonly number[])[];
  /** Indices of the guards of each search. */
  readonly searchGuards: readonly (readonly number[])[];
}

export interface Guard {
  readonly place: number;
  /** The least that this count must reach. */
  readonly minimum: number;
  /** Passes at zero whatever the rule says of zero cells: it counts nobody who is in the answer. */
  readonly zeroPasses?: true;
}

/** The count at one place less that at another, which counts some of the same rows. */
export interface Difference {
  readonly from: number;
  readonly less: number;
}

/** Rows with all columns of a table that none of its buckets holds: total minus all its cells. */
export interface Elsewhere {
  readonly table: PlannedTable;
  /** Place of the count of rows with all columns of the table. */
  readonly total: number;
}

/** What is laid out of a group, and what is known of it. */
interface Given {
  readonly terms: readonly Term[];
  readonly tables: readonly PlannedTable[];
  readonly searches: readonly Search[];
  readonly cellsPerGroup: number;
  /** Columns that are there in every row. */
  readonly present: ReadonlySet<string>;
  readonly scope: Scope;
  /** How many times the rule's smallest cell must stand behind a cell. */
  readonly timesMinimum: (k: number) => number;
}

export function planGuards(rule: ReleaseRule, given: Given): Guarding {
  const { terms, tables, searches, present, scope } = given;
  const none = { guards: [], guardTerms: [], elsewhere: [], differences: [], termGuards: [], tableGuards: [] };
  if (!needsDecision(rule)) return { rule, ...none, searchGuards: searches.map(() => []) };
  const counts = new Counts(given);
  const minimumOf = (k: number): number => rule.minimumCell * given.timesMinimum(k);
  const rows = counts.guard(countOf(), rule.minimumCell);
  const withRows = (guard: number): number[] => (guard === rows ? [rows] : [rows, guard]);
  const behind = (columns: readonly string[]): Term => simplify(countOf(...columns), present);

  const termGuards = terms.map((term, k) => [
    ...withRows(counts.guard(behind(columnsOfTerm(term)), minimumOf(k))),
    ...guardsOfOnes(counts, term, given, minimumOf(k)),
    ...terms.slice(0, k).flatMap((earlier) => guardsBetween(counts, earlier, term, given, minimumOf(k))),
  ]);
  const totals = tables.map(({ axes, offset }) => counts.guard(behind(columnsOf(axes)), minimumOf(offset)));
  const searchGuards = searches.map(({ column, minimum }) => withRows(counts.guard(behind([column]), minimum)));
  const ofBuckets = tables.flatMap(({ offset, size }) =>
    Array.from({ length: size }, (_, k) => ({ place: offset + k, minimum: minimumOf(offset) })),
  );
  const elsewhere = tables.flatMap((table, index) =>
    table.axes.every((axis) => holdsAll(axis, scope)) ? [] : [{ table, total: counts.guards[totals[index]!]!.place }],
  );
  const firstDifference = given.cellsPerGroup + counts.extra.length + elsewhere.length;
  return {
    rule,
    guards: [...counts.standing(firstDifference), ...ofBuckets],
    guardTerms: counts.extra,
    elsewhere,
    differences: counts.differences,
    termGuards,
    tableGuards: totals.map(withRows),
    searchGuards,
  };
}

/** A sum over a 0/1 column tells how many ones there are, and with the values behind it how many zeros. */
function guardsOfOnes(counts: Counts, term: Term, { present, scope }: Given, minimum: number): number[] {
  if (term.kind === 'count') return [];
  const indicators = new Set(term.factors.filter((name) => isIndicator(name, scope)));
  const all = columnsOfTerm(term);
  return [...indicators].flatMap((name) => {
    const ones = simplify(sumOf([name], all), present);
    return [counts.guard(ones, minimum), counts.difference(simplify(countOf(...all), present), ones, minimum)];
  });
}

/**
 * Two sums of the same product over rows with different columns present differ by the values of the rows between: a mean
 * over all who have x, and a sum of x over complete pairs, give away the x of the one patient without a partner.
 */
function guardsBetween(counts: Counts, one: Term, other: Term, { present }: Given, minimum: number): number[] {
  if (one.kind === 'count' || other.kind === 'count' || one.factors.join() !== other.factors.join()) return [];
  const behind = (columns: readonly string[]): Term => simplify(countOf(...columns), present);
  const both = behind([...columnsOfTerm(one), ...columnsOfTerm(other)]);
  return [one, other].flatMap((term) => {
    const own = behind(columnsOfTerm(term));
    return termKey(own) === termKey(both) ? [] : [counts.difference(own, both, minimum, true)];
  });
}

function isIndicator(name: string, scope: Scope): boolean {
  const field = scope.known(name);
  return field.kind === 'number' && field.decimals === 0 && field.minimum >= 0n && field.maximum <= 1n;
}

/** Count terms by where they stand, each judged once for each minimum. */
class Counts {
  readonly guards: Guard[] = [];
  readonly extra: Term[] = [];
  readonly differences: Difference[] = [];
  /** Guards of a difference, whose place is known only when all counts are. */
  readonly #ofDifferences = new Map<Guard, number>();
  readonly #places: Map<string, number>;
  readonly #cellsPerGroup: number;

  constructor({ terms, cellsPerGroup }: Given) {
    this.#places = new Map(terms.map((term, k) => [termKey(term), k]));
    this.#cellsPerGroup = cellsPerGroup;
  }

  /** Index of the guard. */
  guard(term: Term, minimum: number): number {
    const place = this.#place(term);
    const found = this.guards.findIndex((guard) => guard.place === place && guard.minimum === minimum);
    return found >= 0 ? found : this.guards.push({ place, minimum }) - 1;
  }

  /** Index of the guard of the rows of one count that are not in the other. */
  difference(of: Term, less: Term, minimum: number, zeroPasses = false): number {
    const pair = { from: this.#place(of), less: this.#place(less) };
    const found = this.differences.findIndex(({ from, less }) => from === pair.from && less === pair.less);
    const number = found >= 0 ? found : this.differences.push(pair) - 1;
    const guard: Guard = { place: -1, minimum, ...(zeroPasses ? { zeroPasses } : {}) };
    this.#ofDifferences.set(guard, number);
    return this.guards.push(guard) - 1;
  }

  /** All guards, the differences standing from `first` on. */
  standing(first: number): Guard[] {
    return this.guards.map((guard) => {
      const number = this.#ofDifferences.get(guard);
      return number === undefined ? guard : { ...guard, place: first + number };
    });
  }

  #place(term: Term): number {
    const key = termKey(term);
    const place = this.#places.get(key) ?? this.#cellsPerGroup + this.extra.push(term) - 1;
    this.#places.set(key, place);
    return place;
  }
}

const columnsOf = (axes: readonly Axis[]): string[] => axes.map((axis) => axis.column);

/** Whether every value that the schema allows is in one of the buckets. */
function holdsAll(axis: Axis, scope: Scope): boolean {
  const field = scope.known(axis.column);
  if (axis.edges === undefined || field.kind === 'category') return true;
  return axis.edges[0]! <= field.minimum && axis.edges.at(-1)! > field.maximum;
}

/** Counts of each group that stand behind the cells. */
export const countsBehind = (plan: Pick<Guarding, 'guardTerms' | 'elsewhere' | 'differences'>): number =>
  plan.guardTerms.length + plan.elsewhere.length + plan.differences.length;

/** Where a place of a group stands in the vector that is scanned. */
export const scannedIndex = (plan: Plan, group: number, place: number): number =>
  place < plan.cellsPerGroup
    ? group * plan.cellsPerGroup + place
    : plan.cells + group * countsBehind(plan) + (place - plan.cellsPerGroup);

/** Indices into `plan.guards` of what must pass before cell k of a group opens. */
export function guardsOf(plan: Plan, k: number): readonly number[] {
  if (k < plan.terms.length) return plan.termGuards[k] ?? [];
  const table = plan.tables.findLastIndex(({ offset }) => offset <= k);
  const shared = plan.tableGuards[table];
  return shared === undefined ? [] : [...shared, ownGuard(plan, k)];
}

/** Buckets guard themselves, in their order, behind all other guards. */
export const ownGuard = (plan: Plan, k: number): number => plan.guards.length - plan.cellsPerGroup + k;

/**
 * This hospital's own counts that the release rule judges, from what it scanned: group by group, in the order of
 * `plan.guards`. Empty where no rule applies.
 */
export function guardCounts(plan: Plan, scanned: (index: number) => bigint): BigUint64Array {
  const counts = new BigUint64Array(plan.groups * plan.guards.length);
  let next = 0;
  for (let group = 0; group < plan.groups; group++)
    for (const { place } of plan.guards) counts[next++] = scanned(scannedIndex(plan, group, place));
  return counts;
}

/**
 * Whether a group may be searched, 1 for each, search by search: where all guards of the search passed and the count of
 * the values opens too, without which nobody could tell an answer from none.
 */
export function searchable(
  plan: Plan,
  passed: ArrayLike<boolean | number>,
  released: ArrayLike<boolean | number>,
): Uint8Array[] {
  return plan.searches.map(({ guards, counted }) =>
    Uint8Array.from({ length: plan.groups }, (_, group) => {
      const opens = guards.every((guard) => passed[group * plan.guards.length + guard]);
      return Number(opens && Boolean(released[group * plan.cellsPerGroup + counted]));
    }),
  );
}

/**
 * The cells that may open, 1 for each, from which guards passed (in the order of `guardCounts`). A cell opens where
 * all its guards passed.
 */
export function releasedCells(plan: Plan, passed: ArrayLike<boolean | number>): Uint8Array {
  const released = new Uint8Array(plan.cells).fill(1);
  if (plan.guards.length === 0) return released;
  for (let group = 0; group < plan.groups; group++) {
    const [start, first] = [group * plan.cellsPerGroup, group * plan.guards.length];
    const allPass = (guards: readonly number[]): boolean => guards.every((guard) => passed[first + guard]);
    plan.termGuards.forEach((guards, k) => (released[start + k] = Number(allPass(guards))));
    plan.tables.forEach(({ offset, size }, table) => {
      const shared = allPass(plan.tableGuards[table]!);
      for (let k = offset; k < offset + size; k++)
        released[start + k] = Number(shared && Boolean(passed[first + ownGuard(plan, k)]));
    });
  }
  return released;
}
