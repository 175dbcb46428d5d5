import { Fault } from '../protocol/errors.ts';
import { unscaleDecimal } from '../protocol/schema.ts';
import type { Field, NumberField, Scope } from './fields.ts';
import { onGrid, readBeside } from './literals.ts';
import { badQuery } from './mistake.ts';

/**
 * A column cut into buckets: one for each code, or half-open bins, and last the missing values where they are asked
 * for. Public: it follows from schema and query, and has the same buckets at every hospital.
 */
export interface Axis {
  readonly column: string;
  /** Text of each bucket, in domain order; null for the missing values. */
  readonly labels: readonly (string | null)[];
  /** Edges of bins in units of the column's grid; without them the buckets are the column's codes. */
  readonly edges: readonly bigint[] | undefined;
  readonly missing: boolean;
}

export interface AxisRequest {
  readonly column: string;
  readonly bins?: readonly number[] | undefined;
  readonly missing?: 'drop' | 'group' | undefined;
}

/** Errors: BAD_QUERY where the column has neither codes nor bins, or the bins do not fit it. */
export function resolveAxis(request: AxisRequest, scope: Scope, place: string): Axis {
  const field = scope.field(request.column, `${place}.column`);
  const edges = request.bins && resolveBins(request.bins, field, `${place}.bins`);
  const buckets = edges === undefined ? codeLabels(field, place) : binLabels(edges, field);
  const missing = request.missing === 'group';
  return { column: field.name, labels: missing ? [...buckets, null] : buckets, edges, missing };
}

/** An axis over the column's codes. */
export const resolveCodes = (column: string, scope: Scope, place: string): Axis => ({
  column,
  labels: codeLabels(scope.field(column, place), place),
  edges: undefined,
  missing: false,
});

/** Equal for axes with the same buckets. */
export const axisKey = (axis: Axis): string =>
  JSON.stringify([axis.column, axis.edges?.map(String) ?? null, axis.missing]);

/**
 * A function from what the local query returned for an axis to the bucket's index; undefined for a value in no bucket.
 * Bins come as their column's values (`byValue`), or numbered by the query itself, missing values among them.
 * Errors: Fault DATA for a code that the schema does not list (the code itself is not told).
 */
export function bucketReader(axis: Axis, scope: Scope, byValue: boolean): (value: unknown) => number | undefined {
  const { edges } = axis;
  if (edges !== undefined && !byValue) return (value) => (value === null ? undefined : Number(value));
  const ofMissing = axis.missing ? axis.labels.length - 1 : undefined;
  if (edges !== undefined) return (value) => (value === null ? ofMissing : binOf(edges, value as bigint | number));
  const indices = new Map(scope.known(axis.column).codes?.map((code, index) => [code.value, index]));
  return (value) => {
    if (value === null) return ofMissing;
    // Narrow integer columns come as numbers from some drivers.
    const index = indices.get(typeof value === 'number' ? BigInt(value) : (value as string | bigint));
    if (index !== undefined) return index;
    throw new Fault('DATA', `column "${axis.column}" holds a code that ${scope.reference} does not list`);
  };
}

/** The k with edges[k] <= value < edges[k+1], by halving. */
function binOf(edges: readonly bigint[], value: bigint | number): number | undefined {
  let [low, high] = [-1, edges.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (value >= edges[middle]!) low = middle;
    else high = middle - 1;
  }
  return low >= 0 && low < edges.length - 1 ? low : undefined;
}

function codeLabels(field: Field, place: string): string[] {
  if (field.codes === undefined)
    throw badQuery(
      place,
      `"${field.name}" is a number without a list of codes: say where to cut it, as "bins": [0, 50, 100]`,
    );
  if (new Set(field.codes.map((code) => code.value)).size !== field.codes.length)
    throw badQuery(place, `two codes of "${field.name}" are the same number`);
  return field.codes.map((code) => code.text);
}

function resolveBins(bins: readonly number[], field: Field, place: string): bigint[] {
  if (field.kind === 'category') throw badQuery(place, `"${field.name}" is a category: its groups are its codes`);
  const edges = bins.map((bin, index) => {
    const edge = onGrid(readBeside(field, bin, `${place}.${index}`), field.decimals);
    if (edge !== undefined) return edge;
    throw badQuery(`${place}.${index}`, `"${field.name}" has ${decimalsInWords(field)}, and this edge has more`);
  });
  const fall = edges.findIndex((edge, index) => index > 0 && edge <= edges[index - 1]!);
  if (fall >= 0) throw badQuery(`${place}.${fall}`, 'edges must increase');
  return edges;
}

const decimalsInWords = ({ decimals }: NumberField): string =>
  decimals === 0 ? 'no decimals' : decimals === 1 ? '1 decimal' : `${decimals} decimals`;

function binLabels(edges: readonly bigint[], field: Field): string[] {
  const decimals = field.kind === 'number' ? field.decimals : 0;
  const texts = edges.map((edge) => unscaleDecimal(edge, decimals));
  return texts.slice(1).map((end, index) => `[${texts[index]!},${end})`);
}
