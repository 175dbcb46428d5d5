import { scaleDecimal, type NumberColumn } from '../../protocol/schema.ts';
import type { ColumnRule } from './config.ts';
import { markerNumbers, missingNumber, textOf, writtenByPeople } from './missing.ts';
import type { Reading } from './readings.ts';

/**
 * A column whose schema says that values are rounded: the double nearest to a value, times 10^decimals, to the nearest
 * integer; a half goes away from zero. What has no more decimals than declared comes out exact, since integers stay below 2^50.
 */
export function roundedReading(column: NumberColumn, raw: string, type: string, rule: ColumnRule): Reading {
  const double = doubleOf(raw, type, rule);
  const integer = `round(${double} * ${Number(rule.multiply) * Number(10n ** BigInt(column.decimals))}::DOUBLE)`;
  const at = (text: string): string => `${scaleDecimal(text, column.decimals)}::DOUBLE`;
  const between = `${integer} BETWEEN ${at(column.minimum)} AND ${at(column.maximum)}`;
  const listed = column.codes === undefined ? 'true' : `${integer} IN (${column.codes.map(at).join(', ')})`;
  const written = type === 'VARCHAR' ? writtenByPeople(raw) : 'true';
  const known = `${written} AND isfinite(${double})`;
  const missing = missingNumber(raw, type, rule);
  const value = `TRY_CAST(${integer} AS BIGINT)`;
  return {
    value: markerNumbers(rule).length > 0 ? `CASE WHEN ${missing} THEN NULL ELSE ${value} END` : value,
    missing,
    misfit: `CASE WHEN ${missing} THEN false ELSE NOT coalesce(${known} AND ${between} AND ${listed}, false) END`,
    rule: `CASE WHEN NOT coalesce(${known}, false) THEN 'number' WHEN NOT (${between}) THEN 'bounds' ELSE 'code' END`,
  };
}

function doubleOf(raw: string, type: string, rule: ColumnRule): string {
  // Dates have a number form of their own, which is not what their text says.
  if (/INT|^DOUBLE$|^DECIMAL/.test(type)) return `TRY_CAST(${raw} AS DOUBLE)`;
  if (type === 'BOOLEAN') return `CAST(CAST(${raw} AS INTEGER) AS DOUBLE)`;
  // A 32-bit float is the decimal that its text says, not the double nearest to it.
  return `TRY_CAST(${textOf(raw, type, rule)} AS DOUBLE)`;
}
