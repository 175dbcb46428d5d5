import { z } from 'zod';
import { columnName } from '../../protocol/names.ts';

export const FORMATS = ['csv', 'parquet', 'arrow', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** Texts that mean "no value", unless the mapping names others. Compared after trimming, with case. */
export const MISSING_MARKERS: readonly string[] = ['', 'NA', 'N/A', 'n/a', 'NULL', 'null', 'NaN', 'nan', '?'];

const sourceName = z.string().min(1).max(256);
const markers = z.array(z.string().max(64)).max(64);

/** How one column of the schema is found in the files. */
const columnMapping = z.strictObject({
  /** Name in the file; default: the schema's own. */
  column: sourceName.optional(),
  /** Text in the file to code of the schema: {"M": "1", "F": "0"}. What is not named stays as it is. */
  codes: z.record(z.string().max(256), z.string().min(1).max(64)).optional(),
  /** Exact factor from the file's unit to the schema's, as decimal text: "0.1", "88.4". */
  multiply: z
    .string()
    .regex(/^(?=.*[1-9])(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$/, 'expected a positive decimal of at most 9 digits a side')
    .optional(),
  /** Markers of this column, in place of the mapping's. */
  missing: markers.optional(),
});
export type ColumnMapping = z.infer<typeof columnMapping>;

/** How a hospital's own table becomes the registered dataset. */
export const datasetMapping = z.strictObject({
  columns: z.record(columnName, columnMapping).optional(),
  /** Texts that mean "no value"; default: `MISSING_MARKERS`. */
  missing: markers.optional(),
  /** Numbers in text are written 1,5 and not 1.5. */
  decimalComma: z.boolean().optional(),
});
export type DatasetMapping = z.infer<typeof datasetMapping>;

const path = z.string().min(1).max(4096);

/** Whose rows are whose, for datasets that are used by their patients' consent. */
export const patientMapping = z.strictObject({
  /** The column that names the patient: an identifier of the schema, or a column of the files that the schema leaves out. */
  patient: sourceName,
  /** CSV file with the columns `patient` and `key`: which key each patient told this hospital. */
  keys: path,
});
export type PatientMapping = z.infer<typeof patientMapping>;

/** Where a dataset's rows are. `file` or `files`: paths or globs, all of one format. */
export const sourceConfig = z
  .strictObject({
    file: path.optional(),
    files: z.union([path, z.array(path).min(1).max(10_000)]).optional(),
    format: z.enum(FORMATS).optional(),
    /** Of CSV files. */
    encoding: z.enum(['utf-8', 'latin-1']).optional(),
    mapping: datasetMapping.optional(),
    consent: patientMapping.optional(),
    /** Of the engine, as "4GB"; default: 80 % of the machine. */
    memoryLimit: z
      .string()
      .regex(/^[0-9]+(\.[0-9]+)? ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/)
      .optional(),
    threads: z.int().min(1).max(1024).optional(),
    /** Where the engine may spill to; default: nowhere, a query beyond the memory limit fails. */
    tempFolder: path.optional(),
  })
  .refine((config) => (config.file === undefined) !== (config.files === undefined), 'name either file or files')
  .transform(({ file, files, ...rest }) => ({ ...rest, files: [file ?? files ?? []].flat() }));

export type SourceConfig = z.output<typeof sourceConfig>;
export type SourceInput = z.input<typeof sourceConfig>;

/** The mapping of one schema column with the defaults filled in. */
export interface ColumnRule {
  readonly column: string;
  readonly codes: Readonly<Record<string, string>>;
  readonly multiply: string;
  readonly missing: readonly string[];
  readonly decimalComma: boolean;
}

export function columnRule(mapping: DatasetMapping | undefined, name: string): ColumnRule {
  const own = mapping?.columns?.[name];
  return {
    column: own?.column ?? name,
    codes: own?.codes ?? {},
    multiply: own?.multiply ?? '1',
    missing: own?.missing ?? mapping?.missing ?? MISSING_MARKERS,
    decimalComma: mapping?.decimalComma ?? false,
  };
}
