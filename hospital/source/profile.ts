import { Misuse } from '../../protocol/errors.ts';
import { MISSING_MARKERS } from './config.ts';
import type { Engine } from './engine.ts';
import { nameOf } from './files.ts';
import type { RawColumn } from './layout.ts';
import { identifier, literal } from './text.ts';

/** What the values of a column are, as far as a schema can say. */
export type Profile =
  { readonly kind: 'empty'; readonly file: string } | { readonly kind: 'text'; readonly file: string } | NumberProfile;

export interface NumberProfile {
  readonly kind: 'number';
  readonly file: string;
  /** Scaled by 10^decimals. */
  readonly minimum: bigint;
  readonly maximum: bigint;
  readonly decimals: number;
  /** Some are written 007: codes, not quantities. */
  readonly padded: boolean;
}

const MOST_DECIMALS = 9;
const LIMIT = 2n ** 50n;

export async function profileFile(engine: Engine, relation: string, column: RawColumn, path: string): Promise<Profile> {
  const file = nameOf(path);
  const raw = identifier(column.name);
  const text = `trim(CAST(${raw} AS VARCHAR))`;
  const present = `${raw} IS NOT NULL AND ${text} NOT IN (${MISSING_MARKERS.map(literal).join(', ')})`;
  // Dates and booleans have a number form of their own, which is not what their text says.
  const isNumeric = /INT|^DOUBLE$|^DECIMAL|^VARCHAR$/.test(column.type);
  // A 32-bit float is the decimal that its text says, not the double nearest to it.
  const double = isNumeric
    ? `TRY_CAST(${raw} AS DOUBLE)`
    : column.type === 'FLOAT'
      ? `TRY_CAST(${text} AS DOUBLE)`
      : 'NULL';
  const [row = []] = await engine.rows(
    `SELECT count(*), count_if(isfinite(v) AND NOT contains(t, '_') AND NOT contains(t, '+-')),
       count_if(regexp_full_match(t, '[+-]?0[0-9]+')), min(v), max(v), max(${decimalsNeeded('v')})
     FROM (SELECT ${double}::DOUBLE AS v, ${text} AS t FROM ${relation} WHERE ${present})`,
  );
  const [count, numbers, padded] = row.slice(0, 3).map(Number);
  if (count === 0) return { kind: 'empty', file };
  if (numbers !== count) return { kind: 'text', file };
  const [low, high, decimals] = row.slice(3).map(Number);
  return {
    kind: 'number',
    file,
    decimals: decimals!,
    minimum: scale(low!, decimals!),
    maximum: scale(high!, decimals!),
    padded: padded! > 0,
  };
}

/** Merges the profiles of one column over all files. Errors: `Misuse BAD_SCHEMA`. */
export function mergeProfiles(name: string, profiles: readonly Profile[]): Profile {
  const filled = profiles.filter((profile) => profile.kind !== 'empty');
  const numbers = filled.filter((profile) => profile.kind === 'number');
  const [text] = filled.filter((profile) => profile.kind === 'text');
  const [first] = numbers;
  if (first === undefined) return text ?? profiles[0]!;
  if (text !== undefined) {
    throw new Misuse('BAD_SCHEMA', `SCHEMA MISMATCH: ${name} is a number in ${first.file} and text in ${text.file}`, {
      hint: 'Correct the texts, or empty the fields that mean a missing value.',
    });
  }
  if (numbers.some((profile) => profile.padded)) return { kind: 'text', file: first.file };
  const decimals = Math.max(...numbers.map((profile) => profile.decimals));
  const at = (value: bigint, from: number): bigint => value * 10n ** BigInt(decimals - from);
  const minimum = smallest(numbers.map((profile) => at(profile.minimum, profile.decimals)));
  const maximum = -smallest(numbers.map((profile) => -at(profile.maximum, profile.decimals)));
  if (decimals <= MOST_DECIMALS && minimum > -LIMIT && maximum < LIMIT) return { ...first, decimals, minimum, maximum };
  // Whole numbers this long are names of things.
  if (decimals === 0) return { kind: 'text', file: first.file };
  throw new Misuse('BAD_SCHEMA', `${name} has numbers of too many digits for exact sums`, {
    hint: `Round the column in the files, to at most ${MOST_DECIMALS} decimals and 15 digits in all.`,
  });
}

/** The fewest decimals d for which v is a multiple of 10^-d; 10 if more than nine. */
function decimalsNeeded(v: string): string {
  const tests = Array.from({ length: MOST_DECIMALS + 1 }, (_, d) => {
    const ten = `${10n ** BigInt(d)}::DOUBLE`;
    return `WHEN round(${v} * ${ten}) / ${ten} = ${v} THEN ${d}`;
  });
  return `CASE ${tests.join(' ')} ELSE ${MOST_DECIMALS + 1} END`;
}

const smallest = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b));

/** value * 10^decimals; beyond 2^53 only its size matters. */
const scale = (value: number, decimals: number): bigint => BigInt(Math.round(value * 10 ** decimals));
