import type { z } from 'zod';
import { listNames, suggestion } from './nearest-name.ts';
import { inWords, keysOf, typesAt } from './shape-words.ts';

export interface Misfits {
  readonly type: z.ZodType;
  readonly value: unknown;
  readonly issues: readonly z.core.$ZodIssue[];
  /** Whether what was found may be told: the reader wrote the document. Of what came from others nothing but its kind is. */
  readonly tell: boolean;
}

/** Why a document does not have its form, for who has to mend it: which key, what is allowed there and what was found. */
export function describeMisfits(what: string, { issues, ...document }: Misfits): string {
  const all = [...issues].sort((a, b) => Number(isUnknownKey(b)) - Number(isUnknownKey(a)));
  const told = all.slice(0, 3).map((issue) => describe(issue, document, []));
  const more = all.length > told.length ? `; and ${all.length - told.length} more` : '';
  const [first, ...others] = told.map(({ place, says }) => `${place}${says}`);
  const colon = told[0]!.place === '' ? '' : ': ';
  return `${what}${colon}${[first, ...others.map((each) => each.trim())].join('; ')}${more}`;
}

const isUnknownKey = ({ code }: z.core.$ZodIssue): boolean => code === 'unrecognized_keys';

type Document = Omit<Misfits, 'issues'>;
type Path = readonly PropertyKey[];

function describe(issue: z.core.$ZodIssue, document: Document, parent: Path): { place: string; says: string } {
  const path = [...parent, ...issue.path];
  const value = valueAt(document.value, path);
  if (issue.code === 'invalid_union' && typeof value === 'object' && value !== null) {
    const meant = issue.errors.find((branch) => isMeant(branch, value));
    const first = meant?.find(isUnknownKey) ?? meant?.[0];
    if (first !== undefined) return describe(first, document, path);
  }
  return { place: path.map(String).map(legible).join('.'), says: complaint(issue, document, path, value) };
}

function complaint(issue: z.core.$ZodIssue, document: Document, path: Path, value: unknown): string {
  if (issue.code === 'custom') return `: ${issue.message}`;
  const types = typesAt(document.type, path, document.value);
  const known = [...new Set(types.flatMap((type) => keysOf(type, value)))];
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : strangeKey(issue, value, known);
  if (key !== undefined) {
    if (!NAME.test(key)) return ` has a key that is not known; known: ${listNames(known)}`;
    const meant = suggestion(key, known);
    return ` has the unknown key "${key}"${meant === '' ? `; known: ${listNames(known)}` : meant}`;
  }
  if (issue.code === 'invalid_key') return ` cannot be a key there: ${issue.issues[0]?.message ?? issue.message}`;
  const allowed = inWords(types);
  if (value === undefined) return ` is missing${allowed === undefined ? '' : `: it must be ${allowed}`}`;
  if (allowed === undefined) return `: ${issue.message}`;
  const found = document.tell ? foundAt(path, value) : isOfOtherKind(issue, value) ? kindOf(value) : undefined;
  return ` must be ${allowed}${found === undefined ? '' : `, and is ${found}`}`;
}

/** A key that no form of a choice knows. */
const strangeKey = (issue: z.core.$ZodIssue, value: unknown, known: readonly string[]): string | undefined =>
  issue.code === 'invalid_union' && kindOf(value) === 'an object'
    ? Object.keys(value as object).find((key) => !known.includes(key))
    : undefined;

/** Where the kind of what was found says something: that a number out of its range is a number does not. */
const isOfOtherKind = (issue: z.core.$ZodIssue, value: unknown): boolean =>
  issue.code === 'invalid_type' && !(issue.expected === 'int' && typeof value === 'number');

const OF_SIZE: ReadonlySet<string> = new Set(['too_small', 'too_big', 'custom']);

/** The branch of a choice that the writer had in mind: it knows every key, and misses none. */
function isMeant(branch: readonly z.core.$ZodIssue[], value: object): boolean {
  if (Array.isArray(value)) return branch.every(({ path, code }) => path.length > 0 || OF_SIZE.has(code));
  return branch.every(({ path, code }) => {
    const [key] = path;
    return key === undefined ? code !== 'invalid_type' && code !== 'unrecognized_keys' : Object.hasOwn(value, key);
  });
}

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<PropertyKey, unknown>)[step]
        : undefined,
    document,
  );

/** Keys as documents have them; others are whatever somebody sent. */
const NAME = /^[\p{L}\p{N} @:_.-]{1,63}$/u;
const legible = (key: string): string => (NAME.test(key) ? key : '…');

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return String(value);
  return `a ${typeof value}`;
}

/** Places of secrets, and of values that stand in rows. */
const PRIVATE = /key|secret|password|token|pem|seed|share|proxy|code|label/i;
/** What may be a key or a password: long words, and addresses with a name before the host. */
const SECRET = /[A-Za-z0-9+/=_-]{24,}|\/\/[^/]*@|-----/;

function foundAt(path: Path, value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const hidden = path.some((step) => PRIVATE.test(String(step)));
  if (typeof value === 'number') return hidden ? 'another number' : String(value);
  if (typeof value !== 'string') return kindOf(value);
  if (value === '') return 'empty';
  if (hidden || value.length > 60 || SECRET.test(value)) return 'another text';
  return JSON.stringify(value.replaceAll(/\p{Cc}/gu, '�'));
}
