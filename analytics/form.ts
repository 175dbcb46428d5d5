import { z } from 'zod';
import { listNames, suggestion } from '../protocol/nearest-name.ts';
import { queryInput } from '../protocol/query.ts';
import { badQuery } from './mistake.ts';
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
  throw explain(mostTelling(decoded.error.issues), document, []);
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

/** Who misspelt a key has written one that is not known, and left out one that is needed: the first says more. */
const mostTelling = (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue =>
  issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0]!;

type Path = readonly PropertyKey[];

function explain(issue: z.core.$ZodIssue, document: unknown, parent: Path): Error {
  const path = [...parent, ...issue.path];
  const place = path.map(String).join('.');
  const value = valueAt(document, path);
  if (issue.code === 'unrecognized_keys')
    return badQuery(place, isPredicatePlace(path) ? predicateForms(value) : unknownKey(issue.keys[0]!, path));
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_union'))
    return badQuery(place, 'is missing');
  if (value === null)
    return badQuery(place, isOfRows(path) ? `is null: missing values are found by "isNull": true` : 'is null');
  if (issue.code !== 'invalid_union') return badQuery(place, inWords(issue, value));
  const meant = issue.errors.find((branch) => isMeant(branch, value));
  if (meant?.[0] !== undefined) return explain(mostTelling(meant), document, path);
  if (path[0] === 'statistics' && path.length === 2) return badQuery(place, statisticForms(value));
  if (isPredicatePlace(path)) return badQuery(place, predicateForms(value));
  const [first] = issue.errors[0] ?? [];
  return badQuery(place, first === undefined ? issue.message : inWords(first, value));
}

function unknownKey(key: string, path: Path): string {
  const known = keysAt(queryInput, path);
  return `unknown key "${key}"${suggestion(key, known)}; known: ${known.join(', ')}`;
}

/** The keys that an object at this place may have. */
function keysAt(type: unknown, path: Path): string[] {
  const [step, ...rest] = path;
  if (type instanceof z.ZodObject) {
    const shape: Readonly<Record<PropertyKey, unknown>> = type.shape;
    return step === undefined ? Object.keys(shape) : keysAt(shape[step], rest);
  }
  if (type instanceof z.ZodArray) return keysAt(type.element, rest);
  if (type instanceof z.ZodUnion) return [...new Set(type.options.flatMap((option) => keysAt(option, path)))];
  if (type instanceof z.ZodOptional || type instanceof z.ZodPrefault) return keysAt(type.unwrap(), path);
  return [];
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** What the schema library says of forms, as a person would. */
function inWords(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = KINDS[issue.expected];
      if (expected === undefined) return issue.message;
      return `expected ${expected}, found ${Array.isArray(value) ? 'a list' : (KINDS[typeof value] ?? typeof value)}`;
    }
    case 'too_small':
    case 'too_big': {
      const [most, least] = issue.inclusive === false ? ['less than', 'more than'] : ['at most', 'at least'];
      const limit = issue.code === 'too_small' ? `${least} ${issue.minimum}` : `${most} ${issue.maximum}`;
      if (Array.isArray(value)) return `expected a list of ${limit}, found one of ${value.length}`;
      return typeof value === 'number' ? `expected a number of ${limit}, found ${value}` : issue.message;
    }
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
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

const isOfRows = ([root]: Path): boolean => root === 'cohort' || root === 'derive';

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
