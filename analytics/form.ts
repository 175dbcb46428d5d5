import type { z } from 'zod';
import { queryInput } from '../protocol/query.ts';
import { badQuery, listNames, suggestion } from './mistake.ts';
import { STATISTIC_KINDS } from './statistics/registry.ts';

export type QueryForm = z.output<typeof queryInput>;

/** Deep enough for any cohort a person writes, far from where recursion would end. */
const MAXIMUM_DEPTH = 50;
const MAXIMUM_NODES = 100_000;

/**
 * Decodes what a researcher wrote. The query language is made of unions, of which a schema library can only say
 * "invalid input": here the one branch the writer meant is found, and its complaint told.
 * Errors: BAD_QUERY with the place of the first mistake.
 */
export function decodeForm(input: unknown): QueryForm {
  const document = plainDocument(input);
  const decoded = queryInput.safeParse(document);
  if (decoded.success) return decoded.data;
  throw explain(decoded.error.issues[0]!, document, []);
}

/** A copy without undefined properties; anything that JSON cannot say, or that goes too deep, is refused. */
function plainDocument(input: unknown): unknown {
  let nodes = 0;
  const copy = (value: unknown, depth: number): unknown => {
    if (depth > MAXIMUM_DEPTH) throw badQuery('', `nested more than ${MAXIMUM_DEPTH} deep`);
    if (++nodes > MAXIMUM_NODES) throw badQuery('', `more than ${MAXIMUM_NODES} parts`);
    if (Array.isArray(value)) return value.map((each) => copy(each, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    return Object.fromEntries(entries.map(([key, each]) => [key, copy(each, depth + 1)]));
  };
  return copy(input, 0);
}

type Path = readonly PropertyKey[];

function explain(issue: z.core.$ZodIssue, document: unknown, parent: Path): Error {
  const path = [...parent, ...issue.path];
  const place = path.map(String).join('.');
  const value = valueAt(document, path);
  if (issue.code === 'unrecognized_keys' && isPredicatePlace(path)) return badQuery(place, predicateForms(value));
  if (issue.code === 'invalid_type' && value === undefined) return badQuery(place, 'is missing');
  if (issue.code !== 'invalid_union') return badQuery(place, issue.message);
  const meant = issue.errors.find((branch) => isMeant(branch, value));
  if (meant?.[0] !== undefined) return explain(meant[0], document, path);
  if (path[0] === 'statistics' && path.length === 2) return badQuery(place, statisticForms(value));
  if (isPredicatePlace(path)) return badQuery(place, predicateForms(value));
  return badQuery(place, issue.errors[0]?.[0]?.message ?? issue.message);
}

/** The branch that knows every key the writer used and misses none: what it complains of lies deeper. */
function isMeant(branch: readonly z.core.$ZodIssue[], value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return branch.every(({ path, code }) => path.length > 0 || code !== 'invalid_type');
  return branch.every((issue) => {
    if (issue.path.length > 0) return Object.hasOwn(value, issue.path[0]!);
    return issue.code !== 'unrecognized_keys' && issue.code !== 'invalid_type';
  });
}

function statisticForms(value: unknown): string {
  const known = `known: ${STATISTIC_KINDS.join(', ')}`;
  const keys = keysOf(value);
  if (keys.length !== 1) return `expected one statistic, as {"mean": {"column": "age"}}; ${known}`;
  const [kind] = keys as [string];
  return `unknown statistic "${kind}"${suggestion(kind, STATISTIC_KINDS)}; ${known}`;
}

const TESTS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'between', 'in', 'notIn', 'isNull', 'notNull'];

function predicateForms(value: unknown): string {
  const keys = keysOf(value);
  const unknown = keys.find((key) => key !== 'column' && !TESTS.includes(key));
  if (keys.includes('column') && unknown !== undefined)
    return `unknown test "${unknown}"${suggestion(unknown, TESTS)}; known: ${TESTS.join(', ')}`;
  const found =
    keys.length === 0
      ? ''
      : `, found ${listNames(
          keys.map((key) => `"${key}"`),
          4,
        )}`;
  return `unknown form of predicate; known: {"all": [...]}, {"any": [...]}, {"not": ...}, {"column": ..., "gte": ...}${found}`;
}

/** cohort, derive.<name>, and below them what stands in all, any and not. */
function isPredicatePlace(path: Path): boolean {
  const root = path[0] === 'cohort' ? 1 : path[0] === 'derive' ? 2 : Infinity;
  if (path.length <= root) return path.length === root;
  const [before, last] = path.slice(-2);
  return last === 'not' || (typeof last === 'number' && (before === 'all' || before === 'any'));
}

const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
