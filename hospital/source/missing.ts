import type { ColumnRule } from './config.ts';
import { literal } from './text.ts';

/** Markers that are numbers themselves, as -9 or 999: without a test of their own they would count as values. */
export const markerNumbers = (rule: ColumnRule): string[] =>
  rule.missing.filter((text) => /^-?\d{1,15}(\.\d+)?$/.test(text));

/** A column of DuckDB type `type` as text in which a number would have a decimal point. */
export const textOf = (raw: string, type: string, rule: ColumnRule): string => {
  const text = type === 'VARCHAR' ? raw : `CAST(${raw} AS VARCHAR)`;
  return rule.decimalComma ? `replace(${text}, ',', '.')` : text;
};

/** DuckDB reads 1_000 and +-5 as numbers; people do not. */
export const writtenByPeople = (text: string): string => `NOT contains(${text}, '_') AND NOT contains(${text}, '+-')`;

/** Where a row has no number: NULL, or one of the markers. */
export function missingNumber(raw: string, type: string, rule: ColumnRule): string {
  if (!/INT|^DOUBLE$|^FLOAT$|^DECIMAL|^BOOLEAN$/.test(type)) {
    const text = type === 'VARCHAR' ? raw : `CAST(${raw} AS VARCHAR)`;
    const marker = rule.missing.length === 0 ? 'false' : `trim(${text}) IN (${rule.missing.map(literal).join(', ')})`;
    const numbers = markerNumbers(rule);
    // -9 is written -9.0 as well.
    const alike =
      numbers.length === 0 ? '' : ` OR TRY_CAST(${textOf(raw, type, rule)} AS DOUBLE) IN (${numbers.join(', ')})`;
    return `(${raw} IS NULL OR ${marker}${alike})`;
  }
  const tests = [`${raw} IS NULL`];
  if ((type === 'DOUBLE' || type === 'FLOAT') && rule.missing.includes('NaN')) tests.push(`isnan(${raw})`);
  const markers = markerNumbers(rule);
  if (markers.length > 0 && type !== 'BOOLEAN') tests.push(`${raw} IN (${markers.join(', ')})`);
  return `(${tests.join(' OR ')})`;
}
