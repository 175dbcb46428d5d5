import type { Predicate, Query, StatisticRequest } from '../protocol/query.ts';
import { coalitionSize, needsDecision, type ReleaseRule } from '../protocol/release.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import type { Axis } from './axis.ts';
import type { Leaf } from './condition.ts';
import { codeOf, Scope } from './fields.ts';
import { planQuery, type Plan } from './plan.ts';

/**
 * A query in plain sentences, for the person who approves it. Made from the query itself, not from its title: what
 * is read is what will run. Errors: BAD_QUERY, as planQuery.
 */
export function describeQuery(query: Query, schema: DatasetSchema): string[] {
  const plan = planQuery(query, schema);
  const columns = new Scope(schema);
  const where =
    query.cohort === undefined ? 'all rows' : `the rows where ${predicateInWords(query.cohort, plan.scope)}`;
  return [
    `Asks of ${where} of ${query.dataset}: ${joined(query.statistics.map((request) => statisticInWords(request, query.release)))}.`,
    ...Object.entries(query.derive ?? {}).map(
      ([name, predicate]) => `"${name}" is 1 where ${predicateInWords(predicate, columns)}, and 0 where not.`,
    ),
    ...(plan.groupBy.length === 0
      ? []
      : [`Separately for each ${joined(plan.groupBy.map((axis) => axisInWords(axis, plan.scope)))}.`]),
    `${plural(plan.groups, 'group')}, ${plural(plan.cells, 'number')}: each is the sum over all hospitals taking part, and only the sums are opened.`,
    ...searchesInWords(plan),
    ...releaseInWords(query.release),
    `Reads ${plan.columns.length === 0 ? 'no column' : `the columns ${joined(plan.columns)}`}. Purpose: ${query.purpose}. At least ${query.release.minimumHospitals} hospitals must take part.`,
  ];
}

function searchesInWords({ searches, groups }: Plan): string[] {
  if (searches.length === 0) return [];
  return [
    `${plural(groups * searches.length, 'more number')} ${groups * searches.length === 1 ? 'is' : 'are'} found together on shares, without showing a count on the way; all hospitals taking part see what is found.`,
  ];
}

function releaseInWords(rule: ReleaseRule): string[] {
  if (!needsDecision(rule)) return ['Every sum opens, however few rows it rests on.'];
  const { minimumCell, zeroCells, dominance } = rule;
  const coalition = coalitionSize(rule);
  const without = coalition === 1 ? 'any hospital takes its own' : `any ${coalition} hospitals take their own`;
  return [
    `Only what rests on at least ${plural(minimumCell, 'row')} opens${coalition === 0 ? '' : `, also when ${without} off`}; a zero ${zeroCells === 'open' ? 'opens' : 'is withheld'} too.`,
    ...(dominance === undefined
      ? []
      : [`A sum opens only if all values but the two largest make up at least ${dominance.percent} % of the largest.`]),
  ];
}

const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;

const joined = (parts: readonly string[], word = 'and'): string =>
  parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} ${word} ${parts.at(-1)!}`;

function statisticInWords(request: StatisticRequest, { minimumCell }: ReleaseRule): string {
  if ('count' in request) return 'the number of rows';
  if ('n' in request)
    return `how many have ${'column' in request.n ? request.n.column : request.n.columns.join(' and ')}`;
  if ('sum' in request) return `the sum of ${request.sum.column}`;
  if ('mean' in request) return `the mean of ${request.mean.column}`;
  if ('variance' in request) return `the variance of ${request.variance.column}`;
  if ('sd' in request) return `the standard deviation of ${request.sd.column}`;
  if ('se' in request) return `the standard error of the mean of ${request.se.column}`;
  if ('ci' in request) return `a confidence interval of the mean of ${request.ci.column}`;
  if ('histogram' in request) return `a histogram of ${request.histogram.column}`;
  if ('covariance' in request) return `the covariance of ${request.covariance.columns.join(' and ')}`;
  if ('correlation' in request) return `the correlation of ${request.correlation.columns.join(' and ')}`;
  if ('table' in request) return `a table of ${request.table.columns.join(' by ')}`;
  if ('median' in request) return `the median of ${request.median.column}`;
  if ('quantile' in request) return quantilesInWords(request.quantile);
  if ('extremes' in request) {
    const rank = minimumCell === 1 ? '' : `${ordinal(minimumCell)} `;
    return `the ${rank}smallest and the ${rank}largest value of ${request.extremes.column}`;
  }
  return `an estimate of how many different ${request.distinct.column} there are`;
}

function quantilesInWords({ column, p }: { column: string; p: number | readonly number[] }): string {
  const asked = [p].flat();
  return `the ${joined(asked.map(String))} quantile${asked.length === 1 ? '' : 's'} of ${column}`;
}

function ordinal(rank: number): string {
  const ending = ['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th';
  return `${rank.toLocaleString('en-US')}${Math.trunc(rank / 10) % 10 === 1 ? 'th' : ending}`;
}

function axisInWords(axis: Axis, scope: Plan['scope']): string {
  const field = scope.known(axis.column);
  const bands = axis.edges === undefined ? '' : ' band';
  const named = axis.labels.map((label) => (label === null ? 'missing' : codeInWords(label, field)));
  const shown = named.length > 12 ? `${named.slice(0, 12).join(', ')}, ... ${named.length} in all` : named.join(', ');
  return `${axis.column}${bands} (${shown})`;
}

function predicateInWords(predicate: Predicate, scope: Scope): string {
  const parts = (list: readonly Predicate[], word: string): string => {
    const texts = list.map((child) => predicateInWords(child, scope));
    return texts.length === 1 ? texts[0]! : `(${texts.join(` ${word} `)})`;
  };
  if ('all' in predicate) return parts(predicate.all, 'and');
  if ('any' in predicate) return parts(predicate.any, 'or');
  if ('not' in predicate) return `not (${predicateInWords(predicate.not, scope)})`;
  return leafInWords(predicate, scope);
}

type Literal = string | number | boolean;

function leafInWords(leaf: Leaf, scope: Scope): string {
  const field = scope.known(leaf.column);
  const unit = field.kind === 'number' && field.unit !== undefined ? ` ${field.unit}` : '';
  const literal = (value: Literal): string =>
    field.kind === 'category' ? codeInWords(codeOf(field, value, '').text, field) : `${String(value)}${unit}`;
  const list = (values: readonly Literal[]): string => joined(values.map(literal), 'or');
  const tests = [
    leaf.eq !== undefined && `is ${literal(leaf.eq)}`,
    leaf.ne !== undefined && `is not ${literal(leaf.ne)}`,
    leaf.gte !== undefined && `is from ${literal(leaf.gte)}`,
    leaf.gt !== undefined && `is above ${literal(leaf.gt)}`,
    leaf.lt !== undefined && `is under ${literal(leaf.lt)}`,
    leaf.lte !== undefined && `is at most ${literal(leaf.lte)}`,
    leaf.between && `is from ${literal(leaf.between[0])} to ${literal(leaf.between[1])}`,
    leaf.in && `is ${list(leaf.in)}`,
    leaf.notIn && `is not ${list(leaf.notIn)}`,
    leaf.isNull && 'is missing',
    leaf.notNull && 'is not missing',
  ].filter((test) => typeof test === 'string');
  // "age is from 30 and is under 80" reads better as "age is from 30 to under 80".
  return `${leaf.column} ${tests.join(' and ').replace(/^(is from \S+(?: \S+)?) and is (under|at most)/, '$1 to $2')}`;
}

const codeInWords = (code: string, field: ReturnType<Scope['known']>): string => {
  const label = field.kind === 'category' && Object.hasOwn(field.labels, code) ? field.labels[code] : undefined;
  return label === undefined ? code : `${code} = ${label}`;
};
