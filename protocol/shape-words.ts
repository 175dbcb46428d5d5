import { z } from 'zod';

/** What a document may hold at a place, in words: `a whole number from 1 to 1000`. Undefined where only the check itself can say. */
export function inWords(types: readonly unknown[]): string | undefined {
  const all = types.flatMap(alternatives);
  const objects = all.filter((type) => type instanceof z.ZodObject);
  const words = [...all.filter((type) => !(type instanceof z.ZodObject)).map(one), ...objectWords(objects)];
  const known = [...new Set(words)].filter((each) => each !== undefined);
  return known.length === 0 || words.includes(undefined) ? undefined : listed(known, 'or');
}

/** `a, b or c` */
export const listed = (words: readonly string[], last: 'or' | 'and'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)!}`;

/** The types that a value at the end of a path may have; several where the document is one of several forms. */
export function typesAt(type: unknown, path: readonly PropertyKey[], value: unknown): unknown[] {
  const [step, ...rest] = path;
  if (step === undefined) return [type];
  const inside =
    typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined;
  return formsOf(type, value).flatMap((form) => {
    const next = memberOf(form, step);
    return next === undefined ? [] : typesAt(next, rest, inside);
  });
}

/** The keys that an object of this type may have. */
export const keysOf = (type: unknown, value: unknown): string[] => [
  ...new Set(formsOf(type, value).flatMap((form) => (form instanceof z.ZodObject ? Object.keys(form.shape) : []))),
];

/** The alternatives that can be meant by a value that says, by a literal, which of them it is. */
function formsOf(type: unknown, value: unknown): unknown[] {
  const all = alternatives(type);
  const meant = all.filter((form) => saysToBe(form, value));
  return meant.length === 0 ? all : meant;
}

function saysToBe(form: unknown, value: unknown): boolean {
  if (!(form instanceof z.ZodObject) || typeof value !== 'object' || value === null) return true;
  const shape: Readonly<Record<string, unknown>> = form.shape;
  return Object.entries(shape).every(
    ([key, type]) =>
      !(type instanceof z.ZodLiteral) ||
      (type.values as ReadonlySet<unknown>).has((value as Readonly<Record<string, unknown>>)[key]),
  );
}

function memberOf(form: unknown, step: PropertyKey): unknown {
  if (form instanceof z.ZodObject)
    return Object.hasOwn(form.shape, step) ? (form.shape as Readonly<Record<PropertyKey, unknown>>)[step] : undefined;
  if (form instanceof z.ZodArray) return form.element;
  if (form instanceof z.ZodTuple) return form.def.items[Number(step)];
  return form instanceof z.ZodRecord ? form.valueType : undefined;
}

/** A type without what stands around it: defaults, transformations, and the choice between several. */
function alternatives(type: unknown): unknown[] {
  if (type instanceof z.ZodUnion) return type.options.flatMap(alternatives);
  if (type instanceof z.ZodPipe) return alternatives(type.def.in);
  if (type instanceof z.ZodLazy) return alternatives(type.unwrap());
  if (type instanceof z.ZodNullable) return [...alternatives(type.unwrap()), z.null()];
  if (
    type instanceof z.ZodOptional ||
    type instanceof z.ZodDefault ||
    type instanceof z.ZodPrefault ||
    type instanceof z.ZodReadonly
  )
    return alternatives(type.unwrap());
  return [type];
}

function one(type: unknown): string | undefined {
  if (type instanceof z.ZodNumber) return numberWords(type);
  if (type instanceof z.ZodBoolean) return 'true or false';
  if (type instanceof z.ZodNull) return 'null';
  if (type instanceof z.ZodEnum) return listed(type.options.map(quoted), 'or');
  if (type instanceof z.ZodLiteral) return listed([...type.values].map(quoted), 'or');
  if (type instanceof z.ZodArray) return sized('a list', rangeOf(type), 'entries');
  if (type instanceof z.ZodTuple) return `a list of ${type.def.items.length} entries`;
  if (type instanceof z.ZodRecord) return 'an object';
  return type instanceof z.ZodString || type instanceof z.ZodStringFormat ? textWords(type) : undefined;
}

interface Range {
  least?: { value: unknown; inclusive: boolean };
  most?: { value: unknown; inclusive: boolean };
}

function rangeOf(type: z.ZodType): Range {
  const range: Range = {};
  for (const each of type.def.checks ?? []) {
    const check = each._zod.def as z.core.$ZodCheckDef & Readonly<Record<string, unknown>>;
    const inclusive = check['inclusive'] !== false;
    if (check.check === 'greater_than') range.least = { value: check['value'], inclusive };
    if (check.check === 'less_than') range.most = { value: check['value'], inclusive };
    if (check.check === 'min_length') range.least = { value: check['minimum'], inclusive };
    if (check.check === 'max_length') range.most = { value: check['maximum'], inclusive };
  }
  return range;
}

function numberWords(type: z.ZodNumber): string {
  const kind = type.format === 'safeint' ? 'a whole number' : 'a number';
  const { least, most } = rangeOf(type);
  if (least?.inclusive === true && most?.inclusive === true)
    return `${kind} from ${String(least.value)} to ${String(most.value)}`;
  const bounds = [
    ...(least === undefined ? [] : [`${least.inclusive ? 'of at least' : 'above'} ${String(least.value)}`]),
    ...(most === undefined ? [] : [`${most.inclusive ? 'of at most' : 'below'} ${String(most.value)}`]),
  ];
  return [kind, ...(bounds.length === 0 ? [] : [bounds.join(' and ')])].join(' ');
}

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  base64: 'base64 text',
  datetime: 'a time, as 2026-12-31T12:00:00Z',
};

function textWords(type: z.ZodString | z.ZodStringFormat): string | undefined {
  const format: unknown = 'format' in type.def ? type.def.format : undefined;
  if (typeof format === 'string') return FORMATS[format];
  for (const each of type.def.checks ?? []) {
    const { check, error } = each._zod.def;
    if (check !== 'string_format') continue;
    // Our own patterns say what they expect.
    const told = error?.({} as never);
    return typeof told === 'string' ? told.replace(/^expected /, '') : undefined;
  }
  return sized('text', rangeOf(type), 'characters');
}

function sized(kind: string, { least, most }: Range, of: string): string {
  if (most === undefined)
    return least === undefined
      ? kind
      : least.value === 1
        ? `${kind} that is not empty`
        : `${kind} of at least ${String(least.value)} ${of}`;
  if (least === undefined) return `${kind} of at most ${String(most.value)} ${of}`;
  return least.value === most.value
    ? `${kind} of ${String(least.value)} ${of}`
    : `${kind} of ${String(least.value)} to ${String(most.value)} ${of}`;
}

/** By the keys that they cannot do without; those of one such key, together. */
function objectWords(types: readonly z.ZodObject[]): string[] {
  const needed = types.map(({ shape }: { shape: Readonly<Record<string, z.ZodType>> }) =>
    Object.keys(shape).filter((key) => !shape[key]!.safeParse(undefined).success),
  );
  const single = needed.filter(({ length }) => length === 1).flat();
  return [
    ...needed.filter(({ length }) => length > 1).map((keys) => `an object with ${listed(keys.map(quoted), 'and')}`),
    ...(needed.some(({ length }) => length === 0) ? ['an object'] : []),
    ...(single.length === 0 ? [] : [`an object with ${listed([...new Set(single)].map(quoted), 'or')}`]),
  ];
}

const quoted = (value: unknown): string => JSON.stringify(value);
