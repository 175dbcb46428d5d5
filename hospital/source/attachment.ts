import { Fault } from '../../protocol/errors.ts';
import type { Column, DatasetSchema } from '../../protocol/schema.ts';
import { columnRule, type SourceConfig } from './config.ts';
import { Engine } from './engine.ts';
import { findFiles, formatOf, type FileIdentity } from './files.ts';
import { findColumn, layoutsOf, type Layout } from './layout.ts';
import { findPatients, patientRule, PATIENT, type PatientReading, type PatientRule } from './patients.ts';
import { isReadable, readingsOf, type Reading } from './readings.ts';
import { identifier } from './text.ts';

/** The name of the relation that holds the dataset's rows, in the schema's columns. */
export const RELATION = 'records';

/** A schema column in the files of one layout. */
export interface AttachedColumn {
  readonly column: Column;
  /** What the mapping looks for. */
  readonly sourceName: string;
  /** What was found there; undefined where the files have no such column. */
  readonly found: { readonly name: string; readonly type: string } | undefined;
  /** Fastest first; empty where the column is not found or cannot be read. */
  readonly readings: readonly Reading[];
  /** The first reading that every value fits; undefined until verified. */
  reading: Reading | undefined;
}

export interface AttachedLayout extends Layout {
  readonly attached: readonly AttachedColumn[];
  /** How these files name the patient of a row; undefined where they do not. */
  readonly patient: PatientReading | undefined;
}

/** The files as they were at one moment, in an engine that can read them and nothing else. */
export interface Attachment {
  readonly engine: Engine;
  readonly files: readonly FileIdentity[];
  readonly layouts: readonly AttachedLayout[];
  /** Columns that were found to fit, and need no second look while the files stay the same. */
  readonly verified: Set<string>;
  /** Verified columns that are known to have a value in every row. */
  readonly complete: Set<string>;
  /** Where the configuration says that rows name their patients. */
  readonly patient: PatientRule | undefined;
  /** Which of its readings is right in all files; undefined until a cohort is asked for. */
  patientReading: keyof PatientReading | undefined;
  /** Tables of patients that were loaded, oldest first. */
  readonly cohorts: Set<string>;
}

export async function attach(config: SourceConfig, schema: DatasetSchema): Promise<Attachment> {
  const files = await findFiles(config.files);
  const paths = files.map((file) => file.path);
  const format = formatOf(paths, config.format);
  const patient = patientRule(config, schema);
  const engine = await Engine.open(config);
  try {
    // Arrow is read by us and not by the engine, which then needs no file at all.
    await engine.lock(format === 'arrow' ? [] : paths);
    const rules = schema.columns.map((column) => columnRule(config.mapping, column.name));
    const layouts = await layoutsOf(engine, paths, {
      format,
      encoding: config.encoding,
      expected: [...rules.map((rule) => rule.column), ...(patient === undefined ? [] : [patient.column])],
      markers: commonMarkers(schema, config),
    });
    const attachment: Attachment = {
      engine,
      files,
      layouts: layouts.map((layout) => ({
        ...layout,
        attached: attachColumns(layout, schema, config),
        patient: patient && findPatients(layout, patient),
      })),
      verified: new Set(),
      complete: new Set(),
      patient,
      patientReading: undefined,
      cohorts: new Set(),
    };
    await refreshRelation(attachment);
    await refuseNoRows(attachment);
    return attachment;
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * (Re)creates the relation, of the verified columns alone: a query over another one fails, and does not read what does
 * not fit as missing. It also spares the engine the conversions that a query does not need but would still make.
 */
export async function refreshRelation({ engine, layouts, patientReading }: Attachment): Promise<void> {
  const parts = layouts.map((layout) => {
    const columns = layout.attached.flatMap(({ column, reading }) =>
      reading === undefined ? [] : [`${reading.value} AS ${identifier(column.name)}`],
    );
    if (patientReading !== undefined) columns.push(`${layout.patient![patientReading]} AS ${PATIENT}`);
    // A relation needs a column; a name with a space is no schema's.
    return `SELECT ${columns.join(', ') || 'true AS "a row"'} FROM ${layout.relation(layout.files)}`;
  });
  await engine.execute(`CREATE OR REPLACE VIEW ${RELATION} AS ${parts.join(' UNION ALL ')}`);
}

async function refuseNoRows({ engine, layouts }: Attachment): Promise<void> {
  for (const layout of layouts) {
    const rows = await engine.rows(`SELECT 1 FROM ${layout.relation(layout.files)} LIMIT 1`);
    if (rows.length > 0) return;
  }
  throw new Fault('DATA', 'the files hold no rows', { hint: 'Export them again; a header alone is no data.' });
}

function attachColumns(layout: Layout, schema: DatasetSchema, config: SourceConfig): AttachedColumn[] {
  return schema.columns.map((column) => {
    const rule = columnRule(config.mapping, column.name);
    const found = findColumn(layout, rule.column);
    const readings =
      found === undefined || !isReadable(found.type)
        ? []
        : readingsOf(column, identifier(found.name), found.type, rule);
    return { column, sourceName: rule.column, found, readings, reading: undefined };
  });
}

/** Markers that hold for every column and are no code of any, so that a reader may drop them wherever they stand. */
function commonMarkers(schema: DatasetSchema, config: SourceConfig): string[] {
  const rules = schema.columns.map((column) => columnRule(config.mapping, column.name));
  const codes = new Set(rules.flatMap((rule) => Object.keys(rule.codes)));
  for (const column of schema.columns) {
    if (column.type === 'category') for (const code of column.codes) codes.add(code);
  }
  const common = rules[0]?.missing.filter((text) => rules.every((rule) => rule.missing.includes(text))) ?? [];
  return common.filter((text) => !codes.has(text));
}
