import { Misuse } from '../../protocol/errors.ts';
import { MOST_DECIMALS, unscaleDecimal, type NumberColumn } from '../../protocol/schema.ts';
import type { ColumnRule } from './config.ts';
import type { Engine } from './engine.ts';
import type { RawColumn } from './layout.ts';
import { holdsNumbers, plainNumber } from './categories.ts';
import { markerNumbers } from './missing.ts';
import { identifier, literal, translate } from './text.ts';

/** What the values of a column are, as far as a schema can say. */
export type Profile = { readonly kind: 'empty'; readonly file: string } | TextProfile | NumberProfile;

export interface TextProfile {
  readonly kind: 'text';
  readonly file: string;
  readonly values: number;
  /** How many of them are numbers nevertheless, and how many would be without signs as % and separators. */
  readonly numbers: number;
  readonly dressed: number;
  /** Of these, those that would be if a comma were a point; and of those, the ones that may be whole, as 1,000. */
  readonly withComma: number;
  readonly grouped: number;
}

export interface NumberProfile {
  readonly kind: 'number';
  readonly file: string;
  readonly minimum: number;
  readonly maximum: number;
  /** One more than a schema's column may have, if more than that. */
  readonly decimals: number;
  /** Some are written 007: codes, not quantities. */
  readonly padded: boolean;
}

/** SQL over a column of the files, by the rule of the mapping: its texts, its codes, its numbers where they are any, and which rows have a value. */
export function valuesOf(
  { name, type }: RawColumn,
  rule: ColumnRule,
): { readonly text: string; readonly code: string; readonly double: string; readonly present: string } {
  const raw = identifier(name);
  const trimmed = `trim(CAST(${raw} AS VARCHAR))`;
  const hasCodes = Object.keys(rule.codes).length > 0;
  const text = hasCodes ? `coalesce(${translate(trimmed, rule.codes)}, ${trimmed})` : trimmed;
  const point = rule.decimalComma ? `replace(${text}, ',', '.')` : text;
  const double = `${doubleOf(raw, hasCodes ? 'VARCHAR' : type, point)}::DOUBLE`;
  const missing = rule.missing.filter((marker) => !(marker in rule.codes)).map(literal);
  const numbers = markerNumbers(rule);
  const present = [
    `${raw} IS NOT NULL`,
    ...(missing.length === 0 ? [] : [`${trimmed} NOT IN (${missing.join(', ')})`]),
    ...(numbers.length === 0 ? [] : [`coalesce(${double} NOT IN (${numbers.join(', ')}), true)`]),
  ];
  // A DOUBLE's 7.0 is the 7 of a text.
  const code = holdsNumbers(type) ? plainNumber(text) : text;
  return { text, code, double, present: present.join(' AND ') };
}

function doubleOf(raw: string, type: string, text: string): string {
  // A 32-bit float is the decimal that its text says, not the double nearest to it.
  if (type === 'VARCHAR' || type === 'FLOAT') return `TRY_CAST(${text} AS DOUBLE)`;
  // Dates and booleans have a number form of their own, which is not what their text says.
  return /INT|^DOUBLE$|^DECIMAL/.test(type) ? `TRY_CAST(${raw} AS DOUBLE)` : 'NULL';
}

/** Where t is a text and v the number that it is read as: whether a person would read it so. */
const isNumber = "isfinite(v) AND NOT contains(t, '_') AND NOT contains(t, '+-')";

/** Texts that are no numbers, as `dressed`, `withComma`, `grouped` count them. */
const TEXTS = [
  '[$€£]?\\s?[+-]?[$€£]?\\s?[0-9]+(,[0-9]{3})*([.,][0-9]+)?\\s?[%$€£]?',
  '[+-]?[0-9]+,[0-9]+',
  '[+-]?[0-9]{1,3},[0-9]{3}',
];

/** `file`: what to call it. */
export async function profileFile(
  engine: Engine,
  relation: string,
  { text, double, present }: ReturnType<typeof valuesOf>,
  file: string,
): Promise<Profile> {
  const [row = []] = await engine.rows(
    `SELECT count(*), count_if(${isNumber}), count_if(regexp_full_match(t, '[+-]?0[0-9]+')),
       ${TEXTS.map((form) => `count_if(CASE WHEN ${isNumber} THEN false ELSE regexp_full_match(t, '${form}') END)`).join(', ')},
       min(v), max(v), max(${decimalsNeeded})
     FROM (SELECT ${double} AS v, ${text} AS t FROM ${relation} WHERE ${present})`,
  );
  const [values = 0, numbers = 0, padded, dressed = 0, withComma = 0, grouped = 0] = row.slice(0, 6).map(Number);
  if (values === 0) return { kind: 'empty', file };
  if (numbers !== values) return { kind: 'text', file, values, numbers, dressed, withComma, grouped };
  const [low, high, decimals] = row.slice(6).map(Number);
  return {
    kind: 'number',
    file,
    decimals: decimals!,
    minimum: low!,
    maximum: high!,
    padded: padded! > 0,
  };
}

/** Merges the profiles of one column over all files. `coded`: its values are said to be codes. Errors: `Misuse BAD_SCHEMA`. */
export function mergeProfiles(name: string, profiles: readonly Profile[], coded: boolean): Profile {
  const filled = profiles.filter((profile) => profile.kind !== 'empty');
  const numbers = filled.filter((profile) => profile.kind === 'number');
  const text = filled.filter((profile) => profile.kind === 'text').reduce(addTexts, undefined);
  const [first] = numbers;
  if (first === undefined) return text ?? profiles[0]!;
  if (text !== undefined && coded) return names(first.file);
  if (text !== undefined) {
    throw new Misuse('BAD_SCHEMA', `SCHEMA MISMATCH: ${name} is a number in ${first.file} and text in ${text.file}`, {
      hint: `Correct the texts, or name those that mean a missing value as "missing" in a mapping. If all are codes, the mapping says so by one of the texts: "columns": {"${name}": {"codes": {"text": "text"}}}.`,
    });
  }
  if (numbers.some((profile) => profile.padded)) return names(first.file);
  const decimals = Math.max(...numbers.map((profile) => profile.decimals));
  const minimum = Math.min(...numbers.map((profile) => profile.minimum));
  const maximum = Math.max(...numbers.map((profile) => profile.maximum));
  // Whole numbers so long are names of things.
  if (decimals === 0 && Math.max(-minimum, maximum) >= SCHEMA_LIMIT) return names(first.file);
  return { ...first, decimals, minimum, maximum };
}

/** Bounds times 10^decimals lie below. */
const SCHEMA_LIMIT = 2 ** 50;
/** So far may a value times 10^decimals go whose square can still be summed. */
const SQUARED_LIMIT = 2 ** 42;
/** Of a value that is rounded, fewer digits than six would be left: nearly all of it. */
const LEAST_ROUNDED = 1e6;

/**
 * Decimals and bounds that a schema can hold. Numbers with a fraction and more than 12 digits are mostly computed, and rounded,
 * so that their squares can be summed; all others are exact. Undefined if they are too large even without decimals, or so small
 * that little would be left of them.
 */
export function scaleOf({
  decimals,
  minimum,
  maximum,
}: NumberProfile): Pick<NumberColumn, 'decimals' | 'rounded' | 'minimum' | 'maximum'> | undefined {
  const greatest = Math.max(-minimum, maximum);
  const bounds = (at: number): Pick<NumberColumn, 'minimum' | 'maximum'> => ({
    minimum: unscaleDecimal(scaled(minimum, at), at),
    maximum: unscaleDecimal(scaled(maximum, at), at),
  });
  const limit = decimals === 0 ? SCHEMA_LIMIT : SQUARED_LIMIT;
  if (decimals <= MOST_DECIMALS && greatest * 10 ** decimals < limit) return { decimals, ...bounds(decimals) };
  let fewer = MOST_DECIMALS;
  while (greatest * 10 ** fewer >= SQUARED_LIMIT && fewer > 0) fewer--;
  const left = greatest * 10 ** fewer;
  if (left >= SCHEMA_LIMIT || left < LEAST_ROUNDED) return undefined;
  return { decimals: fewer, rounded: true, ...bounds(fewer) };
}

/** Digits that are no quantity: none of them counts as a number. */
const names = (file: string): TextProfile => ({
  kind: 'text',
  file,
  values: 0,
  numbers: 0,
  dressed: 0,
  withComma: 0,
  grouped: 0,
});

const addTexts = (sum: TextProfile | undefined, next: TextProfile): TextProfile =>
  sum === undefined
    ? next
    : {
        ...sum,
        values: sum.values + next.values,
        numbers: sum.numbers + next.numbers,
        dressed: sum.dressed + next.dressed,
        withComma: sum.withComma + next.withComma,
        grouped: sum.grouped + next.grouped,
      };

/** The first data row of the relation, counted from 1, whose value is not a number. */
export async function firstText(
  engine: Engine,
  relation: string,
  { text, double, present }: ReturnType<typeof valuesOf>,
): Promise<bigint | undefined> {
  const [found] = await engine.rows(
    `SELECT min(row) FROM (SELECT row_number() OVER () AS row, ${double} AS v, ${text} AS t, ${present} AS present FROM ${relation})
     WHERE present AND NOT coalesce(${isNumber}, false)`,
  );
  return typeof found?.[0] === 'bigint' ? found[0] : undefined;
}

/**
 * The fewest decimals d for which v is a multiple of 10^-d; one more than a schema may have if there are more. A double tells decimals apart while they
 * have 15 digits; of a longer text the digits count.
 */
const decimalsNeeded = `CASE WHEN strlen(t) > 15 AND regexp_full_match(t, '[+-]?[0-9]*[.,][0-9]*')
  THEN least(strlen(rtrim(split_part(replace(t, ',', '.'), '.', 2), '0')), ${MOST_DECIMALS + 1}) ${Array.from(
    { length: MOST_DECIMALS + 1 },
    (_, d) => {
      const ten = `${10n ** BigInt(d)}::DOUBLE`;
      return `WHEN round(v * ${ten}) / ${ten} = v THEN ${d}`;
    },
  ).join(' ')} ELSE ${MOST_DECIMALS + 1} END`;

/** value * 10^decimals; a half goes away from zero, as in `roundedReading`. */
const scaled = (value: number, decimals: number): bigint => {
  const size = BigInt(Math.round(Math.abs(value) * 10 ** decimals));
  return value < 0 ? -size : size;
};
