import { DuckDBDataChunk, VARCHAR } from '@duckdb/node-api';
import { Fault, Misuse } from '../../protocol/errors.ts';
import { refreshRelation, RELATION, type Attachment } from './attachment.ts';
import { nameOf } from './files.ts';
import { findColumn } from './layout.ts';
import { PATIENT, trimIdentifier, type PatientRule } from './patients.ts';
import { literal } from './text.ts';

/**
 * Whose rows count. `keep` `listed`: those of these patients alone; `others`: those of everybody else. Rows that name no patient
 * count in neither: nobody can tell what their patients decided. Prints nobody's identifier.
 */
export class Cohort {
  readonly keep: 'listed' | 'others';
  /** SQL name of the table that holds the patients. */
  readonly table: string;
  readonly #patients: readonly string[];
  static #tables = 0;

  constructor(keep: 'listed' | 'others', patients: readonly string[]) {
    this.keep = keep;
    this.table = `cohort_${++Cohort.#tables}`;
    this.#patients = patients;
  }

  get size(): number {
    return this.#patients.length;
  }

  /** The rows of this cohort, as SQL of a relation. */
  of(relation: string): string {
    const patient = `r.${PATIENT}`;
    const join = this.keep === 'listed' ? 'SEMI' : 'ANTI';
    return `(SELECT * FROM ${relation} AS r ${join} JOIN ${this.table} AS c ON ${patient} = c.patient WHERE ${patient} IS NOT NULL)`;
  }

  /** Loads the table, unless the engine has it. Errors: `Fault DATA` where some file does not say whose its rows are. */
  async load(attachment: Attachment): Promise<void> {
    const missing = await readPatients(attachment);
    const { engine, cohorts } = attachment;
    if (cohorts.has(this.table)) return;
    for (const old of [...cohorts].slice(0, cohorts.size - MOST_COHORTS + 1)) {
      await engine.execute(`DROP TABLE ${old}`);
      cohorts.delete(old);
    }
    await engine.execute(`CREATE TABLE ${this.table} (patient VARCHAR)`);
    // A text that stands for no value is nobody's: never a patient who consented, and left out with those who withdrew.
    const patients =
      this.keep === 'listed'
        ? this.#patients.filter((each) => !missing.has(each))
        : [...new Set([...this.#patients, ...missing])];
    await engine.load(async (connection) => {
      const appender = await connection.createAppender(this.table);
      for (let start = 0; start < patients.length; start += CHUNK) {
        const values = patients.slice(start, start + CHUNK);
        const chunk = DuckDBDataChunk.create([VARCHAR], values.length);
        chunk.setColumnValues(0, values);
        appender.appendDataChunk(chunk);
      }
      appender.closeSync();
    });
    cohorts.add(this.table);
  }
}

/** Rows of a DuckDB data chunk. */
const CHUNK = 2048;
/** Kept in one engine: queries of one purpose and epoch have one cohort. */
const MOST_COHORTS = 8;

/** Sees to it that the relation has the patients, read in the fastest way that is right; returns the texts that are nobody. */
async function readPatients(attachment: Attachment): Promise<ReadonlySet<string>> {
  const rule = requirePatients(attachment);
  if (attachment.patientReading === undefined) {
    attachment.patientReading = (await anySpace(attachment)) ? 'trimmed' : 'bare';
    await refreshRelation(attachment);
  }
  return new Set(['', ...rule.missing.map(trimIdentifier)]);
}

async function anySpace({ engine, layouts }: Attachment): Promise<boolean> {
  for (const { patient, files, relation } of layouts) {
    const { bare, trimmed } = patient!;
    if (bare === trimmed) continue;
    const found = await engine.rows(`SELECT 1 FROM ${relation(files)} WHERE ${trimmed} <> ${bare} LIMIT 1`);
    if (found.length > 0) return true;
  }
  return false;
}

function requirePatients({ patient, layouts }: Attachment): PatientRule {
  if (patient === undefined) {
    throw new Misuse('BAD_CONFIG', 'the configuration does not say which patient a row is of', {
      hint: 'Add consent.patient and consent.keys to the dataset.',
    });
  }
  for (const layout of layouts) {
    if (layout.patient !== undefined) continue;
    const file = nameOf(layout.files[0]!);
    const found = findColumn(layout, patient.column);
    throw found === undefined
      ? new Fault('DATA', `${file} has no column ${patient.column}, which names the patients`, {
          hint: 'Name the right column in consent.patient, or export it.',
        })
      : new Fault('DATA', `${file}: column ${patient.column} names patients by neither texts nor whole numbers`, {
          hint: 'Export it as text.',
        });
  }
  return patient;
}

/** How the records and the keys of patients fit together: counts alone. */
export interface PatientReport {
  readonly rows: number;
  /** Rows that name no patient, and so count in no cohort. */
  readonly unnamed: number;
  readonly patients: number;
  /** Patients whose key is known. */
  readonly withKey: number;
}

export async function describePatients(attachment: Attachment, known: Cohort): Promise<PatientReport> {
  await known.load(attachment);
  const nobody = [...(await readPatients(attachment))].map(literal).join(', ');
  const [row = []] = await attachment.engine.rows(
    `SELECT count(*), count(*) - count(p), count(DISTINCT p),
       count(DISTINCT p) FILTER (WHERE p IN (SELECT patient FROM ${known.table}))
     FROM (SELECT CASE WHEN ${PATIENT} NOT IN (${nobody}) THEN ${PATIENT} END AS p FROM ${RELATION})`,
  );
  const [rows = 0, unnamed = 0, patients = 0, withKey = 0] = row.map(Number);
  return { rows, unnamed, patients, withKey };
}
