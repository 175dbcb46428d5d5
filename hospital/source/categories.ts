import type { CategoryColumn } from '../../protocol/schema.ts';
import type { ColumnRule } from './config.ts';
import type { Reading } from './readings.ts';
import { literal, translate } from './text.ts';

const DECIMAL = /^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/;
/** Above this many codes a CASE over them is slower than making texts of the numbers. */
const CASE_LIMIT = 64;

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
  const marker = `trim(CAST(${raw} AS VARCHAR)) IN (${markers.map(literal).join(', ')})`;
  const missing = markers.length === 0 ? `${raw} IS NULL` : `(${raw} IS NULL OR ${marker})`;
  const translated = hasMap ? `coalesce(${translate(text, rule.codes)}, ${text})` : text;
  readings.push({
    value: shortCase(column, raw, type, rule) ?? `CASE WHEN ${missing} THEN NULL ELSE ${translated} END`,
    missing,
    misfit: `CASE WHEN ${missing} THEN false ELSE NOT coalesce(${translated} IN ${codes}, false) END`,
    rule: `'code'`,
  });
  return readings;
}

/** The text of a value: trimmed; a number without `+`, needless zeros and a bare point where the codes are numbers. */
function canonical(column: CategoryColumn, raw: string, type: string, rule: ColumnRule): string {
  if (type === 'BOOLEAN') return booleanText(column, raw, rule);
  const trimmed = `trim(CAST(${raw} AS VARCHAR))`;
  const keys = Object.keys(rule.codes);
  if (![...(keys.length > 0 ? keys : column.codes)].every((code) => DECIMAL.test(code))) return trimmed;
  const point = rule.decimalComma ? `replace(${trimmed}, ',', '.')` : trimmed;
  const unsigned = `ltrim(${point}, '+')`;
  const stripped = `regexp_replace(regexp_replace(${unsigned}, '(\\.[0-9]*?)0+$', '\\1'), '\\.$', '')`;
  const leading = `regexp_replace(${stripped}, '^(-?)\\.', '\\10.')`;
  const isNumber = `regexp_full_match(${point}, '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)')`;
  return `CASE WHEN ${isNumber} THEN CASE ${leading} WHEN '-0' THEN '0' WHEN '' THEN '0' ELSE ${leading} END ELSE ${trimmed} END`;
}

const booleanText = (column: CategoryColumn, raw: string, rule: ColumnRule): string => {
  const named = ['true', 'false'].some((text) => column.codes.includes(text) || text in rule.codes);
  return named
    ? `CASE WHEN ${raw} THEN 'true' WHEN NOT ${raw} THEN 'false' END`
    : `CASE WHEN ${raw} THEN '1' WHEN NOT ${raw} THEN '0' END`;
};

/** For numbers with few codes: compares numbers, makes no text. What is not listed is NULL, and was refused before. */
function shortCase(column: CategoryColumn, raw: string, type: string, rule: ColumnRule): string | undefined {
  if (!/INT|^DOUBLE$/.test(type) || column.codes.length > CASE_LIMIT) return undefined;
  const map = new Map(column.codes.map((code) => [code, code]));
  for (const [from, to] of Object.entries(rule.codes)) map.set(from, to);
  const pairs = [...map].filter(([from]) => DECIMAL.test(from) && from.length <= 15);
  if (pairs.length === 0) return undefined;
  const number = (text: string): string => (type === 'DOUBLE' ? `${text}::DOUBLE` : text);
  const usable = pairs.filter(([from]) => type === 'DOUBLE' || !from.includes('.'));
  if (usable.length === 0) return undefined;
  return `CASE ${raw} ${usable.map(([from, to]) => `WHEN ${number(from)} THEN ${literal(to)}`).join(' ')} END`;
}
