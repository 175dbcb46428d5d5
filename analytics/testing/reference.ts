import type { Grouping, Predicate, Query, StatisticRequest } from '../../protocol/query.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import type { Row } from './world.ts';

/**
 * The meaning of a query, computed the slow and obvious way from the query document over the pooled rows: row by row,
 * in fractions, two-pass formulas. Shares no code with what it checks.
 */
export function referenceAnswer(query: Query, schema: DatasetSchema, rows: readonly Row[]): ReferenceGroup[] {
  const extended = rows.map((row) => withDerived(row, query, schema));
  const chosen = extended.filter((row) => query.cohort === undefined || holds(query.cohort, row, schema) === true);
  let groups: ReferenceGroup[] = [{ key: {}, rows: chosen, values: {} }];
  for (const grouping of query.groupBy ?? [])
    groups = groups.flatMap((group) =>
      buckets(grouping, schema).map(({ label, has }) => ({
        key: { ...group.key, [grouping.column]: label },
        rows: group.rows.filter((row) => has(row[grouping.column]!)),
        values: {},
      })),
    );
  for (const group of groups)
    for (const request of query.statistics) Object.assign(group.values, valuesOf(request, group.rows, schema));
  return groups;
}

export interface ReferenceGroup {
  readonly key: Record<string, string | null>;
  readonly rows: readonly Row[];
  readonly values: Record<string, number | null>;
}

type Value = bigint | string | null;
type Truth = boolean | null;

const decimalsOf = (name: string, schema: DatasetSchema): number => {
  const column = schema.columns.find((each) => each.name === name);
  return column?.type === 'number' ? column.decimals : 0;
};

const isCategory = (name: string, schema: DatasetSchema): boolean =>
  schema.columns.some((each) => each.name === name && each.type === 'category');

function withDerived(row: Row, query: Query, schema: DatasetSchema): Row {
  const derived = Object.entries(query.derive ?? {}).map(([name, predicate]) => {
    const truth = holds(predicate, row, schema);
    return [name, truth === null ? null : truth ? 1n : 0n] as const;
  });
  return { ...row, ...Object.fromEntries(derived) };
}

const not = (truth: Truth): Truth => (truth === null ? null : !truth);
const all = (truths: readonly Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true);

function holds(predicate: Predicate, row: Row, schema: DatasetSchema): Truth {
  if ('all' in predicate) return all(predicate.all.map((each) => holds(each, row, schema)));
  if ('any' in predicate) return not(all(predicate.any.map((each) => not(holds(each, row, schema)))));
  if ('not' in predicate) return not(holds(predicate.not, row, schema));
  const { column } = predicate;
  const value = row[column] ?? null;
  const compared = (literal: string | number | boolean): number => {
    if (isCategory(column, schema)) return value === String(literal) ? 0 : 1;
    const number = typeof literal === 'boolean' ? Number(literal) : literal;
    return compareDecimals(value as bigint, decimalsOf(column, schema), String(number));
  };
  const test = (truth: () => boolean): Truth => (value === null ? null : truth());
  const truths: Truth[] = [];
  const { eq, ne, gt, gte, lt, lte, between, in: among, notIn, isNull, notNull } = predicate;
  if (eq !== undefined) truths.push(test(() => compared(eq) === 0));
  if (ne !== undefined) truths.push(test(() => compared(ne) !== 0));
  if (gt !== undefined) truths.push(test(() => compared(gt) > 0));
  if (gte !== undefined) truths.push(test(() => compared(gte) >= 0));
  if (lt !== undefined) truths.push(test(() => compared(lt) < 0));
  if (lte !== undefined) truths.push(test(() => compared(lte) <= 0));
  if (between !== undefined) truths.push(test(() => compared(between[0]) >= 0 && compared(between[1]) <= 0));
  if (among !== undefined) truths.push(test(() => among.some((each) => compared(each) === 0)));
  if (notIn !== undefined) truths.push(test(() => !notIn.some((each) => compared(each) === 0)));
  if (isNull !== undefined) truths.push(value === null);
  if (notNull !== undefined) truths.push(value !== null);
  return all(truths);
}

/** Sign of value / 10^decimals - text, over a common denominator of 10^20. */
function compareDecimals(value: bigint, decimals: number, text: string): number {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const size = BigInt(whole + fraction.padEnd(20, '0'));
  const difference = value * 10n ** BigInt(20 - decimals) - (text.startsWith('-') ? -size : size);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

interface Bucket {
  readonly label: string | null;
  readonly has: (value: Value) => boolean;
}

function buckets(
  { column, bins, missing }: Pick<Grouping, 'column' | 'bins' | 'missing'>,
  schema: DatasetSchema,
): Bucket[] {
  const decimals = decimalsOf(column, schema);
  const found = schema.columns.find((each) => each.name === column);
  const codes = found === undefined ? ['0', '1'] : found.type === 'identifier' ? [] : (found.codes ?? []);
  const within = (value: Value, low: string, high: string): boolean =>
    typeof value === 'bigint' &&
    compareDecimals(value, decimals, low) >= 0 &&
    compareDecimals(value, decimals, high) < 0;
  const list: Bucket[] =
    bins === undefined
      ? codes.map((label) => ({
          label,
          has: (value) => (typeof value === 'bigint' ? compareDecimals(value, decimals, label) === 0 : value === label),
        }))
      : bins.slice(1).map((high, k) => ({
          label: `[${bins[k]!},${high})`,
          has: (value) => within(value, String(bins[k]!), String(high)),
        }));
  return missing === 'group' ? [...list, { label: null, has: (value) => value === null }] : list;
}

function valuesOf(
  request: StatisticRequest,
  rows: readonly Row[],
  schema: DatasetSchema,
): Record<string, number | null> {
  const [kind, argument] = Object.entries(request)[0] as [
    string,
    { column?: string; columns?: string[]; bins?: number[] },
  ];
  if (kind === 'count') return { count: rows.length };
  const columns = argument.columns ?? [argument.column!];
  const [x, y] = columns as [string, string];
  const name = columns.join(',');
  if (kind === 'table')
    return Object.fromEntries(
      buckets({ column: x }, schema).flatMap((a) =>
        buckets({ column: y }, schema).map((b) => [
          `table(${x}=${a.label!},${y}=${b.label!})`,
          rows.filter((row) => a.has(row[x]!) && b.has(row[y]!)).length,
        ]),
      ),
    );
  if (kind === 'histogram')
    return Object.fromEntries(
      buckets({ column: x, bins: argument.bins }, schema).map(({ label, has }) => [
        `histogram(${x})${argument.bins === undefined ? `[${label!}]` : label!}`,
        rows.filter((row) => has(row[x]!)).length,
      ]),
    );
  const complete = rows.filter((row) => columns.every((each) => row[each] !== null));
  const n = complete.length;
  if (kind === 'n') return { [`n(${name})`]: n };
  const moments = twoPass(columns.map((each) => complete.map((row) => row[each] as bigint)));
  const scale = columns.map((each) => 10 ** decimalsOf(each, schema));
  const spread = (i: number, j: number): number => Number(moments.products[i]![j]!) / (n * n) / scale[i]! / scale[j]!;
  if (kind === 'covariance') return { [`covariance(${name})`]: n < 2 ? null : spread(0, 1) / (n - 1) };
  if (kind === 'correlation') {
    const [xx, yy] = [spread(0, 0), spread(1, 1)];
    return {
      [`correlation(${name})`]: n < 2 || xx === 0 || yy === 0 ? null : spread(0, 1) / Math.sqrt(xx) / Math.sqrt(yy),
    };
  }
  const total = Number(moments.sums[0] ?? 0n) / scale[0]!;
  const variance = n < 2 ? null : spread(0, 0) / (n - 1);
  const value = {
    sum: total,
    mean: n === 0 ? null : total / n,
    variance,
    sd: variance === null ? null : Math.sqrt(variance),
    se: variance === null ? null : Math.sqrt(variance / n),
  }[kind];
  return { [`n(${x})`]: n, [`${kind}(${x})`]: value! };
}

/** Sums, and n^2 times the sums of products of deviations from the mean, exactly. */
function twoPass(columns: readonly (readonly bigint[])[]): { sums: bigint[]; products: bigint[][] } {
  const n = BigInt(columns[0]!.length);
  const sums = columns.map((column) => column.reduce((a, b) => a + b, 0n));
  const deviations = columns.map((column, k) => column.map((value) => n * value - sums[k]!));
  const product = (a: readonly bigint[], b: readonly bigint[]): bigint =>
    a.reduce((sum, each, k) => sum + each * b[k]!, 0n);
  // A column paired with itself is given twice, so that [0][1] is there for every pair.
  return { sums, products: deviations.map((a) => deviations.map((b) => product(a, b))) };
}
