import { checkDocument } from '../../protocol/canonical.ts';
import { Fault, Misuse } from '../../protocol/errors.ts';
import { schemaReference, type DatasetSchema } from '../../protocol/schema.ts';
import { attach, RELATION, type Attachment } from './attachment.ts';
import { sourceConfig, type SourceConfig, type SourceInput } from './config.ts';
import { collect, type Parameter, type ResultColumns } from './engine.ts';
import { findFiles, sameFiles } from './files.ts';
import { describeMapping, type MappingReport } from './mapping-report.ts';
import { describePatients, type Cohort, type PatientReport } from './cohort.ts';
import { changedFault, verifyAttached } from './verify.ts';

/**
 * Opens a hospital's files as the registered dataset, read-only and locked: no statement can reach another file, the
 * network or an extension. Errors: `Misuse BAD_CONFIG`, `Misuse BAD_FILE`, `Fault DATA`; never with a value of a row.
 */
export async function openSource(config: SourceInput, schema: DatasetSchema): Promise<Source> {
  const checked = checkDocument(sourceConfig, config, { what: 'source configuration', code: 'BAD_CONFIG' });
  const known = new Set(schema.columns.map((column) => column.name));
  const stranger = Object.keys(checked.mapping?.columns ?? {}).find((name) => !known.has(name));
  if (stranger !== undefined) {
    throw new Misuse('BAD_CONFIG', `the mapping names ${stranger}, which is no column of ${schema.dataset}`, {
      hint: `Columns: ${[...known].slice(0, 40).join(', ')}.`,
    });
  }
  return new Source(checked, schema, await attach(checked, schema));
}

/** Rows that a compiled statement runs over. */
export interface Rows {
  readonly relation: string;
  /** Verified columns that are known to have a value in every row. */
  readonly complete: ReadonlySet<string>;
  /** `complete`: the columns that the statement takes to be so. */
  scan(
    sql: string,
    parameters: readonly Parameter[],
    take: (rows: ResultColumns) => void,
    complete?: ReadonlySet<string>,
  ): Promise<void>;
}

/**
 * The rows of one dataset. `verifyColumns` before `run`: the relation has the verified columns alone. When the files
 * change, the next `verifyColumns` opens them anew.
 */
export class Source implements Rows {
  readonly schema: DatasetSchema;
  /** SQL name of the relation; of each verified column: value * 10^decimals as BIGINT, codes and identifiers as VARCHAR, missing as NULL. */
  readonly relation = RELATION;
  readonly #config: SourceConfig;
  #attachment: Attachment;
  /** Tasks on the connection run one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(config: SourceConfig, schema: DatasetSchema, attachment: Attachment) {
    this.#config = config;
    this.schema = schema;
    this.#attachment = attachment;
  }

  /**
   * Proves that every value of these columns fits the schema. Errors: `Fault DATA` naming file, data row (the first is
   * 1, a header not counted), column and rule.
   */
  verifyColumns(names: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const unknown = names.find((name) => this.schema.columns.every((column) => column.name !== name));
      if (unknown !== undefined) throw new Misuse('OUT_OF_RANGE', `${unknown} is no column of ${this.schema.dataset}`);
      await this.#refresh();
      await verifyAttached(this.#attachment, names);
      await this.#requireUnchanged();
    });
  }

  /**
   * Runs one SELECT over the relation, with bound parameters, and hands its rows over, some thousands at a time.
   * Integers of any width come as bigint. The files are looked at again afterwards: a change since they were verified
   * is a `Fault DATA`, and nothing that was handed over may be used. So is a column of `complete` that is not any more.
   */
  scan(
    sql: string,
    parameters: readonly Parameter[],
    take: (rows: ResultColumns) => void,
    complete: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    return this.#scan(undefined, sql, parameters, take, complete);
  }

  get complete(): ReadonlySet<string> {
    return this.#attachment.complete;
  }

  /** The rows of some patients alone. Errors of its scans: as of `scan`, and where a file does not say whose its rows are. */
  of(cohort: Cohort): Rows {
    return {
      relation: cohort.of(this.relation),
      complete: this.complete,
      scan: (sql, parameters, take, complete = new Set()) => this.#scan(cohort, sql, parameters, take, complete),
    };
  }

  #scan(
    cohort: Cohort | undefined,
    sql: string,
    parameters: readonly Parameter[],
    take: (rows: ResultColumns) => void,
    complete: ReadonlySet<string>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      await this.#requireUnchanged();
      // Others may have opened changed files since the statement was made.
      for (const name of complete) if (!this.#attachment.complete.has(name)) throw changedFault();
      await cohort?.load(this.#attachment);
      await this.#attachment.engine.scan(sql, parameters, take);
      await this.#requireUnchanged();
    });
  }

  /** As `scan`, all rows at once. */
  async run(sql: string, parameters: readonly Parameter[] = []): Promise<ResultColumns> {
    return collect((take) => this.scan(sql, parameters, take));
  }

  /** How each schema column is found in the files and how many values do not fit: one pass over all columns. */
  checkMapping(): Promise<MappingReport> {
    return this.#inTurn(async () => {
      await this.#refresh();
      const report = await describeMapping(this.#attachment, this.schema);
      await this.#requireUnchanged();
      return report;
    });
  }

  /** How many of the patients of these rows are among the known ones: one pass. */
  checkPatients(known: Cohort): Promise<PatientReport> {
    return this.#inTurn(async () => {
      await this.#refresh();
      return describePatients(this.#attachment, known);
    });
  }

  async close(): Promise<void> {
    await this.#inTurn(() => {
      this.#attachment.engine.close();
      return Promise.resolve();
    });
    this.#closed = true;
  }

  async #refresh(): Promise<void> {
    const now = await findFiles(this.#config.files);
    if (!this.#attachment.engine.broken && sameFiles(this.#attachment.files, now)) return;
    const fresh = await attach(this.#config, this.schema);
    this.#attachment.engine.close();
    this.#attachment = fresh;
  }

  async #requireUnchanged(): Promise<void> {
    const now = await findFiles(this.#attachment.files.map((file) => file.path)).catch(() => []);
    if (!sameFiles(this.#attachment.files, now)) throw changedFault();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Fault('INTERNAL', 'the source is closed'));
    const next = this.#last.then(task);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** As `source.checkMapping()`. The schema must be the one that the source was opened with. */
export async function checkMapping(source: Source, schema: DatasetSchema): Promise<MappingReport> {
  if (schemaReference(schema) !== schemaReference(source.schema)) {
    throw new Misuse('OUT_OF_ORDER', `the source was opened as ${schemaReference(source.schema)}`);
  }
  return source.checkMapping();
}
