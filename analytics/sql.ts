import type { Axis } from './axis.ts';
import type { Condition } from './condition.ts';
import { magnitude, type Scope } from './fields.ts';
import { groupingOf, type Grouping } from './grouping.ts';
import { judgedSums } from './magnitudes.ts';
import type { Plan } from './plan.ts';
import { columnsOfTerm, type Term } from './terms.ts';

export interface CompiledSql {
  readonly sql: string;
  /** Values of $1, $2, ... */
  readonly parameters: (bigint | string)[];
}

/**
 * One DuckDB statement that computes what a plan scans over the local relation in one pass; `rowsToCells` reads its rows.
 *
 * Every literal of the query is a bound parameter and every column a quoted identifier; what else stands in the text
 * is written by this file. `relation` is trusted: the caller's own identifier, or a parenthesised query. All
 * arithmetic is on integers wide enough for the schema's bounds; a value beyond them makes DuckDB fail, never wrap.
 *
 * `complete` are columns of which the caller knows that no row lacks their value: whether they are there is then not asked.
 */
export function compileSql(plan: Plan, relation: string, complete: ReadonlySet<string> = new Set()): CompiledSql {
  const text = new Text();
  const grouping = groupingOf(plan);
  const terms = [...plan.terms, ...plan.guardTerms];
  const parts = guardedOf(terms, complete);
  const values = valuesOf(parts.flat());
  const figures = terms.map((term, index) => termSql(term, parts[index]!, values, plan.scope));
  const select = [...outputColumns(grouping), ...figures];
  const byValue = grouping.byValue || grouping.twice;
  const rows = rowsSql(plan, relation, { axes: grouping.axes, byValue, values }, text);
  const sql = `SELECT ${select.join(', ')} FROM (${rows}) AS r${groupBySql(grouping)}`;
  return { sql: grouping.twice ? ofBins(grouping, figures, sql, text) : sql, parameters: text.parameters };
}

/**
 * Adds up the figures of groups of bare values to those of bins: there are at most some ten thousand of these groups, however
 * many rows, and to hand each of them over would cost more than the engine needs for all.
 */
function ofBins({ axes }: Grouping, figures: readonly string[], sql: string, text: Text): string {
  const columns = [
    ...axes.map((axis, index) => `${bucketSql(axis, `g.a${index}`, text)} AS b${index}`),
    ...figures.map((_, index) => `sum(g.f${index})`),
  ];
  const inner = [...axes.map((_, index) => `a${index}`), ...figures.map((_, index) => `f${index}`)];
  const bins = axes.map((_, index) => `b${index}`);
  return `SELECT ${columns.join(', ')} FROM (${sql}) AS g(${inner.join(', ')}) GROUP BY ${bins.join(', ')}`;
}

/**
 * The statement for the distribution of one column: bucket of each axis of groupBy, a value, and in how many rows of the
 * cohort it is; `readDistribution` reads its rows. As `compileSql` otherwise.
 */
export function compileDistribution(plan: Plan, column: string, relation: string): CompiledSql {
  const { rows, keys, parameters } = groupedRows(plan, [valueOf(column)], relation);
  const out = [...keys, 'v0'].join(', ');
  return { sql: `SELECT ${out}, count(*) FROM (${rows}) AS r WHERE v0 IS NOT NULL GROUP BY ${out}`, parameters };
}

/**
 * The statement for the different values of one column: bucket of each axis of groupBy, and a value as text, each pair
 * once; `readTexts` reads its rows. White space around a text is no part of it. As `compileSql` otherwise.
 */
export function compileTexts(plan: Plan, column: string, relation: string): CompiledSql {
  const { rows, keys, parameters } = groupedRows(plan, [valueOf(column)], relation);
  const space = [9, 10, 11, 12, 13, 32].map((code) => `chr(${code})`).join(' || ');
  const out = [...keys, `trim(CAST(v0 AS VARCHAR), ${space})`].join(', ');
  return { sql: `SELECT DISTINCT ${out} FROM (${rows}) AS r WHERE v0 IS NOT NULL`, parameters };
}

/**
 * The statement for the magnitudes of the sums that the dominance rule judges: bucket of each axis of groupBy, and of each
 * sum the total, the largest and the second largest magnitude; `readMagnitudes` reads its rows. As `compileSql` otherwise.
 */
export function compileMagnitudes(plan: Plan, relation: string): CompiledSql {
  const sums = judgedSums(plan).map((place) => plan.terms[place]!);
  const values = valuesOf(sums.flatMap(columnsOfTerm).map((column) => valueOf(column)));
  const { rows, keys, parameters } = groupedRows(plan, values, relation);
  const figures = sums.flatMap((term) => magnitudeSql(term, values, plan.scope));
  const groupBy = keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`;
  return { sql: `SELECT ${[...keys, ...figures].join(', ')} FROM (${rows}) AS r${groupBy}`, parameters };
}

/** Rows of the cohort with the buckets of groupBy alone. */
function groupedRows(
  plan: Plan,
  values: readonly Value[],
  relation: string,
): { rows: string; keys: string[]; parameters: CompiledSql['parameters'] } {
  const text = new Text();
  const rows = rowsSql(plan, relation, { axes: plan.groupBy, byValue: false, values }, text);
  return { rows, keys: plan.groupBy.map((_, index) => `a${index}`), parameters: text.parameters };
}

/** The rows of the cohort: the bucket of each axis as a0, a1, ... and each value as v0, v1, ... */
function rowsSql(
  plan: Plan,
  relation: string,
  given: { readonly axes: readonly Axis[]; readonly byValue: boolean; readonly values: readonly Value[] },
  text: Text,
): string {
  const columns = [
    ...given.axes.map((axis, index) => `${axisSql(axis, given.byValue, text)} AS a${index}`),
    ...given.values.map((each, index) => `${valueSql(each, plan.scope)} AS v${index}`),
  ];
  const where = plan.cohort === undefined ? '' : ` WHERE ${conditionSql(plan.cohort, 'd', text)}`;
  return `SELECT ${columns.join(', ') || '1 AS one'} FROM ${sourceSql(plan, relation, text)} AS d${where}`;
}

/** Collects literals as they are written into the statement. */
class Text {
  readonly parameters: (bigint | string)[] = [];

  literal(value: bigint | string): string {
    this.parameters.push(value);
    const name = `$${this.parameters.length}`;
    // A bare bigint is bound as HUGEINT, and would drag the whole column to 128 bits in each comparison.
    return typeof value === 'bigint' ? `CAST(${name} AS BIGINT)` : `CAST(${name} AS VARCHAR)`;
  }
}

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The relation itself, or the columns needed of it with the derived ones beside them. */
function sourceSql(plan: Plan, relation: string, text: Text): string {
  if (plan.derived.size === 0) return relation;
  const derived = [...plan.derived].map(
    ([name, condition]) => `CAST(${conditionSql(condition, 's', text)} AS INTEGER) AS ${identifier(name)}`,
  );
  const columns = plan.columns.map((name) => `s.${identifier(name)}`);
  return `(SELECT ${[...columns, ...derived].join(', ')} FROM ${relation} AS s)`;
}

/** A column's value in the rows where all of `present` are there as well, and missing in the others. */
interface Value {
  readonly column: string;
  readonly present: readonly string[];
}

const valueOf = (column: string, present: readonly string[] = []): Value => ({ column, present });
const valueKey = ({ column, present }: Value): string => JSON.stringify([column, ...present]);
const valuesOf = (values: readonly Value[]): Value[] => [
  ...new Map(values.map((each) => [valueKey(each), each])).values(),
];

/**
 * What each term counts or multiplies. Of several columns that must be there, one that is counted alone too is counted: terms
 * that come to the same are then written the same, and computed once.
 */
function guardedOf(terms: readonly Term[], complete: ReadonlySet<string>): Value[][] {
  const presentOf = ({ present }: Term): string[] => present.filter((column) => !complete.has(column));
  const alone = new Set(
    terms.flatMap((term) => (term.kind === 'count' && presentOf(term).length === 1 ? presentOf(term) : [])),
  );
  return terms.map((term) => {
    const present = presentOf(term);
    if (term.kind === 'sum') return term.factors.map((factor) => valueOf(factor, present));
    const counted = present.find((column) => alone.has(column)) ?? present[0];
    if (counted === undefined) return [];
    return [
      valueOf(
        counted,
        present.filter((column) => column !== counted),
      ),
    ];
  });
}

/**
 * Columns with codes, and bins of columns with few values, are grouped by as they are and sorted into buckets later: half the
 * time of a CASE for every row, and no longer for long lists.
 */
function axisSql(axis: Axis, byValue: boolean, text: Text): string {
  const column = `d.${identifier(axis.column)}`;
  return byValue ? column : bucketSql(axis, column, text);
}

/** A column with codes as it is, and of one with bins the number of the bin. */
function bucketSql(axis: Axis, column: string, text: Text): string {
  if (axis.edges === undefined) return column;
  const bin = binSql(column, axis.edges, -1, axis.edges.length - 1, text);
  return axis.missing ? `CASE WHEN ${column} IS NULL THEN ${axis.labels.length - 1} ELSE ${bin} END` : bin;
}

/**
 * The bin among first..last, as a balanced search; bin k is [edges[k], edges[k+1]). A missing value fails every `>=`
 * and so ends below the first edge: in no bin.
 */
function binSql(column: string, edges: readonly bigint[], first: number, last: number, text: Text): string {
  if (first === last) return first < 0 || first === edges.length - 1 ? 'NULL' : String(first);
  const middle = Math.ceil((first + last) / 2);
  const edge = text.literal(edges[middle]!);
  const above = binSql(column, edges, middle, last, text);
  return `CASE WHEN ${column} >= ${edge} THEN ${above} ELSE ${binSql(column, edges, first, middle - 1, text)} END`;
}

/** Columns whose squares fit 32 bits are summed from 32-bit integers: DuckDB does these about a quarter faster. */
const NARROW = 46_340n;

function valueSql({ column: name, present }: Value, scope: Scope): string {
  const column = `d.${identifier(name)}`;
  const field = scope.countable(name, '');
  const value = field.kind === 'number' && magnitude(field) <= NARROW ? `CAST(${column} AS INTEGER)` : column;
  // Aggregates skip what is missing. A FILTER on each of them would cost DuckDB a selection of the rows every time.
  const absent = present.map((other) => `d.${identifier(other)} IS NULL`);
  return absent.length === 0 ? value : `CASE WHEN ${absent.join(' OR ')} THEN NULL ELSE ${value} END`;
}

const nameOf = (value: Value, values: readonly Value[]): string => {
  const key = valueKey(value);
  return `v${values.findIndex((each) => valueKey(each) === key)}`;
};

function termSql(term: Term, parts: readonly Value[], values: readonly Value[], scope: Scope): string {
  const names = parts.map((each) => nameOf(each, values));
  if (term.kind === 'sum') return `sum(${productSql(term.factors, names, scope)})`;
  return `count(${names[0] ?? '*'})`;
}

/** Total, largest and second largest magnitude of what a term sums. */
function magnitudeSql(term: Term, values: readonly Value[], scope: Scope): string[] {
  const named = (column: string): string => nameOf(valueOf(column), values);
  const factors = term.kind === 'sum' ? term.factors : [];
  const size = `abs(${productSql(factors, factors.map(named), scope)})`;
  const present = term.present.map((column) => `${named(column)} IS NOT NULL`);
  const filter = present.length === 0 ? '' : ` FILTER (WHERE ${present.join(' AND ')})`;
  return [`sum(${size})${filter}`, ...[1, 2].map((rank) => `(max(${size}, 2)${filter})[${rank}]`)];
}

/** `names` are those of the factors' values. */
function productSql(factors: readonly string[], names: readonly string[], scope: Scope): string {
  const [first, second] = names;
  if (second === undefined) return first!;
  const sizes = factors.map((name) => magnitude(scope.number(name, '')));
  if (sizes.every((size) => size <= NARROW)) return `${first!} * ${second}`;
  const type = sizes[0]! * sizes[1]! < 2n ** 63n ? 'BIGINT' : 'HUGEINT';
  return `CAST(${first!} AS ${type}) * CAST(${second} AS ${type})`;
}

function outputColumns(grouping: Grouping): string[] {
  const names = grouping.axes.map((_, index) => `a${index}`);
  return grouping.hasTables ? [...names, `GROUPING(${names.join(', ')})`, 'count(*)'] : names;
}

function groupBySql(grouping: Grouping): string {
  const sets = grouping.sets.map((set) => `(${set.members.map((index) => `a${index}`).join(', ')})`);
  // Without any group there is one row, and DuckDB adds it up three times as fast if it need not hash.
  if (grouping.axes.length === 0) return '';
  return ` GROUP BY GROUPING SETS (${sets.join(', ')})`;
}

/** Beyond every value of a column (2^50), within BIGINT: literals are brought back to here. */
const FAR = 2n ** 62n;
const nearer = (value: bigint): bigint => (value > FAR ? FAR : value < -FAR ? -FAR : value);

function conditionSql(condition: Condition, table: string, text: Text): string {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const word = condition.kind === 'all' ? ' AND ' : ' OR ';
      return `(${condition.of.map((child) => conditionSql(child, table, text)).join(word)})`;
    }
    case 'not':
      return `(NOT ${conditionSql(condition.of, table, text)})`;
    case 'missing':
      return `(${table}.${identifier(condition.column)} IS NULL)`;
    case 'range': {
      const column = `${table}.${identifier(condition.column)}`;
      const from = condition.from === undefined ? [] : [`${column} >= ${text.literal(nearer(condition.from))}`];
      const to = condition.to === undefined ? [] : [`${column} <= ${text.literal(nearer(condition.to))}`];
      return `(${[...from, ...to].join(' AND ')})`;
    }
    case 'among': {
      const column = `${table}.${identifier(condition.column)}`;
      const values = condition.values.filter((value) => typeof value === 'string' || nearer(value) === value);
      // False for a value, unknown for a missing one: NOT of it must stay unknown.
      if (values.length === 0) return `(${column} IS NULL AND NULL)`;
      return `(${column} IN (${values.map((value) => text.literal(value)).join(', ')}))`;
    }
  }
}
