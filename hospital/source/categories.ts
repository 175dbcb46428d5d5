import type { CategoryColumn } from '../../protocol/schema.ts';
import type { ColumnRule } from './config.ts';
import type { Reading } from './readings.ts';
import { literal, translate } from './text.ts';

const DECIMAL = /^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/;
/** Above this many codes a CASE over them is slower than making texts of the numbers. */
const CASE_LIMIT = 64;
/** So many characters of a number tell doubles apart. */
const CASE_LENGTH = 15;

/**
 * The ways to read a category, fastest first: as the file has it, where every value is a code already, and else
 * trimmed, numbers in canonical form, markers taken out, and translated by the code map.
 */
export function categoryReadings(column: CategoryColumn, raw: string, type: string, rule: ColumnRule): Reading[] {
  const codes = `(${column.codes.map(literal).join(', ')})`;
  const hasMap = Object.keys(rule.codes).length > 0;
  const readings: Reading[] = [];
  // A code wins over a marker of the same text.
  const markers = rule.missing.filter((text) => !column.codes.includes(text) && !(text in rule.codes));
  if (type === 'VARCHAR' && !hasMap) {
    readings.push({
      value: raw,
      missing: `${raw} IS NULL`,
      misfit: `${raw} NOT IN ${codes}`,
      rule: `'code'`,
    });
  }
  const text = canonical(column, raw, type, rule);
  const written = holdsNumbers(type) ? text : `trim(CAST(${raw} AS VARCHAR))`;
  const marker = `${written} IN (${markers.map(literal).join(', ')})`;
  const missing = markers.length === 0 ? `${raw} IS NULL` : `(${raw} IS NULL OR ${marker})`;
  const translated = hasMap ? `coalesce(${translate(text, rule.codes)}, ${text})` : text;
  readings.push({
    value: shortCase(column, raw, type, rule, `CASE WHEN ${missing} THEN NULL ELSE ${translated} END`),
    missing,
    misfit: `CASE WHEN ${missing} THEN false ELSE NOT coalesce(${translated} IN ${codes}, false) END`,
    rule: `'code'`,
  });
  return readings;
}

/** The text of a value: trimmed; a number without `+`, needless zeros and a bare point unless a code is written with such. */
function canonical(column: CategoryColumn, raw: string, type: string, rule: ColumnRule): string {
  if (type === 'BOOLEAN') return booleanText(column, raw, rule);
  const trimmed = `trim(CAST(${raw} AS VARCHAR))`;
  const keys = Object.keys(rule.codes);
  const codes = keys.length > 0 ? keys : column.codes;
  const plain = plainNumber(trimmed, rule.decimalComma ? `replace(${trimmed}, ',', '.')` : trimmed);
  if (codes.every((code) => DECIMAL.test(code) || Number.isNaN(Number(code)))) return plain;
  // How an engine writes its numbers is nobody's choice: 7 beside the code 007 is 7.0 of a DOUBLE.
  if (holdsNumbers(type))
    return `CASE WHEN ${trimmed} IN (${codes.map(literal).join(', ')}) THEN ${trimmed} ELSE ${plain} END`;
  return trimmed;
}

export const holdsNumbers = (type: string): boolean => /INT|^DOUBLE$|^FLOAT$|^DECIMAL/.test(type);

/** SQL of a text, without `+`, needless zeros and a bare point if it is a number when written as `point` has it. */
export function plainNumber(text: string, point = text): string {
  const unsigned = `ltrim(${point}, '+')`;
  const stripped = `regexp_replace(regexp_replace(${unsigned}, '(\\.[0-9]*?)0+$', '\\1'), '\\.$', '')`;
  const leading = `regexp_replace(${stripped}, '^(-?)\\.', '\\10.')`;
  const isNumber = `regexp_full_match(${point}, '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)')`;
  return `CASE WHEN ${isNumber} THEN CASE ${leading} WHEN '-0' THEN '0' WHEN '' THEN '0' ELSE ${leading} END ELSE ${text} END`;
}

const booleanText = (column: CategoryColumn, raw: string, rule: ColumnRule): string => {
  const named = ['true', 'false'].some((text) => column.codes.includes(text) || text in rule.codes);
  return named
    ? `CASE WHEN ${raw} THEN 'true' WHEN NOT ${raw} THEN 'false' END`
    : `CASE WHEN ${raw} THEN '1' WHEN NOT ${raw} THEN '0' END`;
};

/** Of numbers with few codes, those that can be compared as numbers, without making a text: the same as of their texts, and faster. */
function shortCase(column: CategoryColumn, raw: string, type: string, rule: ColumnRule, text: string): string {
  if (!/INT|^DOUBLE$/.test(type) || column.codes.length > CASE_LIMIT) return text;
  const map = new Map(column.codes.map((code) => [code, code]));
  for (const [from, to] of Object.entries(rule.codes)) map.set(from, to);
  const number = (from: string): string => (type === 'DOUBLE' ? `${from}::DOUBLE` : from);
  const cases = [...map]
    .filter(([from]) => DECIMAL.test(from) && from.length <= CASE_LENGTH && (type === 'DOUBLE' || !from.includes('.')))
    .map(([from, to]) => `WHEN ${number(from)} THEN ${literal(to)}`);
  return cases.length === 0 ? text : `CASE ${raw} ${cases.join(' ')} ELSE ${text} END`;
}
