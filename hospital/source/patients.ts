import { Misuse } from '../../protocol/errors.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import { columnRule, MISSING_MARKERS, type SourceConfig } from './config.ts';
import { findColumn, type Layout } from './layout.ts';
import { identifier } from './text.ts';

/** The patient of a row, in the relation. A name with a space is no schema's: no query can ask for it. */
export const PATIENT = '"a patient"';

/** Which column of the files names the patient. */
export interface PatientRule {
  readonly column: string;
  /** Texts that name nobody. */
  readonly missing: readonly string[];
}

/** Errors: `Misuse BAD_CONFIG` where the schema has the column, and not as an identifier. */
export function patientRule(
  { consent, mapping }: Pick<SourceConfig, 'consent' | 'mapping'>,
  schema: DatasetSchema,
): PatientRule | undefined {
  if (consent === undefined) return undefined;
  const column = schema.columns.find(({ name }) => name === consent.patient);
  if (column === undefined) return { column: consent.patient, missing: mapping?.missing ?? MISSING_MARKERS };
  if (column.type !== 'identifier') {
    throw new Misuse('BAD_CONFIG', `consent.patient names ${column.name}, which is no identifier in the schema`, {
      hint: 'Name an identifier of the schema, or a column of the files that the schema leaves out.',
    });
  }
  return columnRule(mapping, column.name);
}

/** White space around an identifier is no part of it. */
const SPACE = [9, 10, 11, 12, 13, 32].map((code) => `chr(${code})`).join(' || ');
export const trimIdentifier = (text: string): string => text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '');

/** SQL of the patient that a row names: as it stands, and without white space around it, which takes three times as long. */
export interface PatientReading {
  readonly bare: string;
  readonly trimmed: string;
}

/**
 * A patient's identifier as text, from texts, whole numbers and UUIDs. Not from fractions: 17 may be written 17.0 in them, and who
 * withdrew would not be found.
 */
export function findPatients(layout: Layout, rule: PatientRule): PatientReading | undefined {
  const found = findColumn(layout, rule.column);
  if (found === undefined || !/^(VARCHAR|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|UUID)$/.test(found.type))
    return undefined;
  const column = identifier(found.name);
  if (found.type !== 'VARCHAR') return { bare: `CAST(${column} AS VARCHAR)`, trimmed: `CAST(${column} AS VARCHAR)` };
  return { bare: column, trimmed: `trim(${column}, ${SPACE})` };
}
