import { scaleDecimal, type Column, type NumberColumn } from '../../protocol/schema.ts';
import { categoryReadings } from './categories.ts';
import type { ColumnRule } from './config.ts';
import { numberReading } from './numbers.ts';
import { roundedReading } from './rounding.ts';
import { translate } from './text.ts';

/** The rule of the schema that a value breaks. */
export type Rule = 'number' | 'decimals' | 'bounds' | 'code';

/** One way to read a column, as SQL over a row of the files. */
export interface Reading {
  /** BIGINT value * 10^decimals, code, or NULL; right wherever `misfit` is false. */
  readonly value: string;
  /** True where the row has no value. */
  readonly missing: string;
  /** True, never NULL, where the value does not fit the schema when read so. (NULL counts as false.) */
  readonly misfit: string;
  /** The `Rule` that a misfit breaks. */
  readonly rule: string;
}

/** As R, Python and JSON write what a column of 0 and 1 holds; of Parquet such columns are read so too. */
const TRUTH = { true: '1', false: '0', True: '1', False: '0', TRUE: '1', FALSE: '0' };
const ONE_SPELLING = [['true', 'false'], ['True', 'False'], ['TRUE', 'FALSE']]; // prettier-ignore

/** Whether texts are truth values that some files write in one way and some in another, 0 and 1 among them. */
export const mixedTruth = (texts: readonly string[]): boolean =>
  texts.some((text) => text in TRUTH) &&
  texts.every((text) => text in TRUTH || text === '0' || text === '1') &&
  !ONE_SPELLING.some((words) => texts.every((text) => words.includes(text)));

const isTruth = ({ decimals, minimum, maximum }: NumberColumn): boolean =>
  decimals === 0 && scaleDecimal(minimum, 0) >= 0n && scaleDecimal(maximum, 0) <= 1n;

/** The ways to read a column of DuckDB type `type`, fastest first; the last one understands the most. */
export function readingsOf(column: Column, raw: string, type: string, rule: ColumnRule): readonly Reading[] {
  if (column.type === 'number') {
    const plain = inNumbers(column, raw, type, rule);
    // A 32-bit float of many digits is the decimal that its text says, as for inference.
    if (type === 'FLOAT') return [plain, inNumbers(column, `CAST(${raw} AS VARCHAR)`, 'VARCHAR', rule)];
    if (type !== 'VARCHAR' || Object.keys(rule.codes).length > 0 || !isTruth(column)) return [plain];
    return [plain, inNumbers(column, raw, type, { ...rule, codes: TRUTH })];
  }
  if (column.type === 'category') return categoryReadings(column, raw, type, rule);
  const text = `CAST(${raw} AS VARCHAR)`;
  return [{ value: text, missing: `${raw} IS NULL`, misfit: 'false', rule: `'code'` }];
}

function inNumbers(column: NumberColumn, raw: string, type: string, rule: ColumnRule): Reading {
  const read = column.rounded === true ? roundedReading : numberReading;
  if (Object.keys(rule.codes).length === 0) return read(column, raw, type, rule);
  // A flag that the files spell in words: the words become numbers first, and what is left is read as text.
  const text = `trim(CAST(${raw} AS VARCHAR))`;
  return read(column, `coalesce(${translate(text, rule.codes)}, ${text})`, 'VARCHAR', { ...rule, codes: {} });
}

/** Whether a column of this type can hold such values at all. Lists, structs and binary cannot. */
export const isReadable = (type: string): boolean =>
  !/\[|STRUCT|MAP|BLOB|UNION|BIT|VARIANT|GEOMETRY|INTERVAL/.test(type);

export const RULE_TEXT: Readonly<Record<Rule, string>> = {
  number: 'is not a number',
  decimals: 'has more decimals than the schema declares',
  bounds: "lies outside the schema's minimum and maximum",
  code: 'is not one of the codes of the schema',
};

export const RULE_HINT: Readonly<Record<Rule, string>> = {
  number: 'Correct the file, or name the text as a missing marker in the mapping.',
  decimals: 'Round it in the file, or have a schema version registered that has more decimals, or rounds the column.',
  bounds: 'Correct the file, name the value as a missing marker, or have wider bounds registered.',
  code: 'Correct the file, or map the text to a code in the mapping.',
};
