import { z } from 'zod';
import { checkDocument } from '../protocol/canonical.ts';
import { columnName, datasetName, organisationId } from '../protocol/names.ts';
import type { Predicate, Query, StatisticRequest } from '../protocol/query.ts';
import { DEFAULT_FLOOR, releaseFloor, shortfalls } from '../protocol/release.ts';
import { schemaReference, type DatasetSchema } from '../protocol/schema.ts';

const listOrAny = (item: z.ZodType<string>): z.ZodType<string[] | 'any'> =>
  z.union([z.literal('any'), z.array(item).max(1000)]);

const keys = {
  /** Datasets that may be asked of. */
  datasets: listOrAny(datasetName),
  purposes: listOrAny(z.string().min(1).max(63)),
  researchers: listOrAny(organisationId),
  columns: listOrAny(columnName),
  /** Names as in a query: count, mean, histogram. */
  statistics: listOrAny(z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,62}$/)),
  /** Floors: a query that asks for less is denied. */
  release: releaseFloor.transform((named) => ({ ...DEFAULT_FLOOR, ...named })),
  /** Who decides on a query that every rule allows. */
  approval: z.enum(['auto', 'person']),
  budget: z.strictObject({ queriesPerResearcher: z.int().min(0).max(1_000_000).optional() }),
};

/**
 * What a site lets out. A key that the file leaves out is closed: no purpose, researcher, column or statistic is
 * allowed, a person approves, no count under 10 opens, neither to the public nor to one of the hospitals. Left open by
 * default are only `datasets` (any that the node serves) and `budget` (no limit).
 */
export const sitePolicy = z.strictObject({
  datasets: keys.datasets.default('any'),
  purposes: keys.purposes.default([]),
  researchers: keys.researchers.default([]),
  columns: keys.columns.default([]),
  statistics: keys.statistics.default([]),
  release: keys.release.prefault({}),
  approval: keys.approval.default('person'),
  budget: keys.budget.default({}),
});
export type SitePolicy = z.infer<typeof sitePolicy>;

const policyKeys = z.strictObject(keys).partial();

/** The open policy of a sandbox of synthetic data, with the given keys on top. Errors: `Misuse BAD_CONFIG`. */
export function sandboxPolicy(given: unknown = {}): SitePolicy {
  const checked = checkDocument(policyKeys, given, { what: 'site policy', code: 'BAD_CONFIG', own: true });
  const open = { purposes: 'any', researchers: 'any', columns: 'any', statistics: 'any', approval: 'auto' };
  const merged = { ...open, ...checked };
  return checkDocument(sitePolicy, merged, { what: 'site policy', code: 'BAD_CONFIG', own: true });
}

export interface PolicyDecision {
  /** `ask`: every rule allows it, and a person has the last word; `wait`: what it takes to decide is still to come. */
  readonly decision: 'approve' | 'ask' | 'wait' | 'deny';
  /** Every rule that fails; on the others, why. */
  readonly reasons: readonly string[];
}

export interface PolicyHistory {
  /** Queries of this researcher that this site approved before. */
  readonly approvedQueries: number;
}

/**
 * Says what the site's policy makes of a query. Pure: the same on every call. A policy that is missing denies.
 * It does not check that the query is well typed; `analytics` does.
 */
export function decidePolicy(
  policy: SitePolicy | undefined,
  query: Query,
  schema: DatasetSchema,
  researcher: string,
  history: PolicyHistory,
): PolicyDecision {
  if (policy === undefined) {
    return { decision: 'deny', reasons: ['POLICY_MISSING: no site policy is configured, so nothing is allowed'] };
  }
  const broken = [
    ...datasetRules(policy, query, schema),
    ...rule('purpose', policy.purposes, [query.purpose]),
    ...rule('researcher', policy.researchers, [researcher]),
    ...rule('column', policy.columns, columnsOf(query, schema)),
    ...rule('statistic', policy.statistics, statisticsOf(query)),
    ...releaseRules(policy, query, schema),
    ...budgetRules(policy, history),
  ];
  if (broken.length > 0) return { decision: 'deny', reasons: broken };
  if (policy.approval === 'person') return { decision: 'ask', reasons: ['approval: a person decides at this site'] };
  return { decision: 'approve', reasons: ['every rule of the site policy allows it'] };
}

function datasetRules(policy: SitePolicy, query: Query, schema: DatasetSchema): string[] {
  const reasons = rule('dataset', policy.datasets, [schema.dataset]);
  const reference = schemaReference(schema);
  if (query.dataset !== reference) reasons.push(`dataset: the query asks of ${query.dataset}, not of ${reference}`);
  // SQL compares names without case; a derived name that hides a column would pass for harmless.
  const columns = new Set(schema.columns.map((column) => column.name.toLowerCase()));
  for (const name of Object.keys(query.derive ?? {})) {
    if (columns.has(name.toLowerCase())) reasons.push(`column: the derived name ${name} hides a column`);
  }
  return reasons;
}

function releaseRules(policy: SitePolicy, query: Query, schema: DatasetSchema): string[] {
  const floors = [
    { whose: "this site's policy", floor: policy.release },
    { whose: `the schema ${schemaReference(schema)}`, floor: schema.release ?? {} },
  ];
  return floors.flatMap(({ whose, floor }) =>
    shortfalls(query.release, floor).map(
      ({ parameter, asked, least }) =>
        `release.${parameter}: the query asks ${asked}, ${whose} requires ${orMore(least)}; ask for ${least} or stricter`,
    ),
  );
}

const orMore = (least: string): string => (/^\d+$/.test(least) ? `at least ${least}` : least);

function budgetRules(policy: SitePolicy, history: PolicyHistory): string[] {
  const most = policy.budget.queriesPerResearcher;
  if (most === undefined || history.approvedQueries < most) return [];
  return [`budget.queriesPerResearcher: ${history.approvedQueries} of ${most} used`];
}

function rule(what: string, allowed: readonly string[] | 'any', asked: readonly string[]): string[] {
  if (allowed === 'any') return [];
  return asked.filter((each) => !allowed.includes(each)).map((each) => `${what} ${each} is not allowed`);
}

/** The names of the statistics that a query asks for, each once. */
export const statisticsOf = (query: Pick<Query, 'statistics'>): string[] => [
  ...new Set(query.statistics.flatMap((each) => Object.keys(each))),
];

/**
 * The dataset's columns that a query touches, sorted, each once: in derive, cohort, groupBy and statistics; derived
 * names are seen through. With a schema, any text in a statistic that names a column counts, so that a statistic
 * added later cannot reach a column under a key that this function does not know.
 */
export function columnsOf(query: Query, schema?: DatasetSchema): string[] {
  const known = new Set(schema?.columns.map((column) => column.name));
  const derived = new Set(Object.keys(query.derive ?? {}).filter((name) => !known.has(name)));
  const predicates = [...Object.values(query.derive ?? {}), ...(query.cohort === undefined ? [] : [query.cohort])];
  const names = [
    ...predicates.flatMap(columnsOfPredicate),
    ...(query.groupBy ?? []).map((grouping) => grouping.column),
    ...query.statistics.flatMap((statistic) => columnsOfStatistic(statistic, known)),
  ];
  return [...new Set(names)].filter((name) => !derived.has(name)).sort();
}

function columnsOfPredicate(predicate: Predicate): string[] {
  if ('all' in predicate) return predicate.all.flatMap(columnsOfPredicate);
  if ('any' in predicate) return predicate.any.flatMap(columnsOfPredicate);
  if ('not' in predicate) return columnsOfPredicate(predicate.not);
  return [predicate.column];
}

function columnsOfStatistic(statistic: StatisticRequest, known: ReadonlySet<string>): string[] {
  const names: string[] = [];
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (key === 'column' || key === 'columns' || known.has(value)) names.push(value);
    } else if (Array.isArray(value)) for (const each of value as unknown[]) visit(each, key);
    else if (typeof value === 'object' && value !== null)
      for (const [inner, each] of Object.entries(value)) visit(each, inner);
  };
  visit(statistic, '');
  return names;
}
