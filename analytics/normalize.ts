import type { Predicate, Query, StatisticRequest } from '../protocol/query.ts';
import { canonicalRule } from '../protocol/release.ts';
import { schemaReference, type DatasetSchema } from '../protocol/schema.ts';
import type { Leaf } from './condition.ts';
import { codeOf, Scope } from './fields.ts';
import { decodeForm, type QueryForm } from './form.ts';
import { canonicalNumber } from './literals.ts';
import { badQuery } from './mistake.ts';
import { planQuery } from './plan.ts';
import { DEFAULT_LEVEL } from './statistics/ci.ts';
import { DEFAULT_BITS } from './statistics/distinct.ts';

/** The schema of `heart@1`, or the newest one of `heart`; undefined where there is none. */
export type SchemaLookup = (reference: string) => DatasetSchema | undefined;

/**
 * The canonical query for what a researcher wrote: version resolved, defaults spelled out, literals in their one
 * form. What the user ordered stays in order. A query that comes back can be planned.
 * Errors: Misuse BAD_QUERY, which names the place.
 */
export function normalizeQuery(input: unknown, schemas: SchemaLookup): Query {
  const form = decodeForm(input);
  const schema = schemas(form.dataset);
  if (schema === undefined) throw badQuery('dataset', `no dataset ${form.dataset} is registered`);
  const written: Query = { ...form, dataset: schemaReference(schema) };
  // Planned before the literals are rewritten, so that mistakes are told in the writer's own terms.
  planQuery(written, schema);
  return canonicalQuery(written, form, schema);
}

function canonicalQuery(written: Query, form: QueryForm, schema: DatasetSchema): Query {
  const scope = Scope.ofQuery(written, schema);
  const columns = new Scope(schema);
  const { derive, cohort, groupBy } = form;
  return {
    ...written,
    ...(derive && { derive: mapValues(derive, (predicate) => canonicalPredicate(predicate, columns)) }),
    ...(cohort && { cohort: canonicalPredicate(cohort, scope) }),
    ...(groupBy && { groupBy: groupBy.map((grouping) => ({ ...grouping, missing: grouping.missing ?? 'drop' })) }),
    statistics: form.statistics.map(canonicalStatistic),
    release: canonicalRule(form.release),
  };
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

function canonicalStatistic(request: StatisticRequest): StatisticRequest {
  if ('ci' in request) return { ci: { ...request.ci, level: request.ci.level ?? DEFAULT_LEVEL } };
  if ('distinct' in request) return { distinct: { ...request.distinct, bits: request.distinct.bits ?? DEFAULT_BITS } };
  if ('quantile' in request) return { quantile: { ...request.quantile, p: [request.quantile.p].flat() } };
  return request;
}

function canonicalPredicate(predicate: Predicate, scope: Scope): Predicate {
  const each = (child: Predicate): Predicate => canonicalPredicate(child, scope);
  if ('all' in predicate) return { all: predicate.all.map(each) };
  if ('any' in predicate) return { any: predicate.any.map(each) };
  if ('not' in predicate) return { not: each(predicate.not) };
  return canonicalLeaf(predicate, scope);
}

function canonicalLeaf(leaf: Leaf, scope: Scope): Leaf {
  const field = scope.known(leaf.column);
  const literal = (value: string | number | boolean): string | number => {
    if (field.kind === 'category') return codeOf(field, value, '').text;
    return canonicalNumber(typeof value === 'boolean' ? Number(value) : value, '');
  };
  const list = (values: readonly (string | number | boolean)[]): (string | number)[] => values.map(literal);
  return {
    ...leaf,
    ...(leaf.eq !== undefined && { eq: literal(leaf.eq) }),
    ...(leaf.ne !== undefined && { ne: literal(leaf.ne) }),
    ...(leaf.gt !== undefined && { gt: literal(leaf.gt) }),
    ...(leaf.gte !== undefined && { gte: literal(leaf.gte) }),
    ...(leaf.lt !== undefined && { lt: literal(leaf.lt) }),
    ...(leaf.lte !== undefined && { lte: literal(leaf.lte) }),
    ...(leaf.between && { between: [literal(leaf.between[0]), literal(leaf.between[1])] }),
    ...(leaf.in && { in: list(leaf.in) }),
    ...(leaf.notIn && { notIn: list(leaf.notIn) }),
  };
}
