import { compileSql, rowsToCells, type Plan } from '../analytics/index.ts';
import { CellVector } from '../mpc/cells.ts';
import { Fault } from '../protocol/errors.ts';
import { schemaReference, type DatasetSchema } from '../protocol/schema.ts';
import { openSource, type Source, type SourceConfig } from './source/index.ts';

/** This hospital's own rows: opened when first asked for, one view for each version of a dataset. */
export class LocalData {
  readonly #datasets: Readonly<Record<string, SourceConfig>>;
  readonly #sources = new Map<string, Promise<Source>>();

  constructor(datasets: Readonly<Record<string, SourceConfig>>) {
    this.#datasets = datasets;
  }

  /**
   * One pass over the local rows: the cells of the plan as exact integers, and behind them the counts that guard them.
   * Errors: `Fault DATA` naming file, row, column and rule of what does not fit, never a value.
   */
  async scan(plan: Plan, schema: DatasetSchema): Promise<CellVector> {
    const source = await this.#source(schema);
    const cells = CellVector.zeros(plan.scanned);
    await source.verifyColumns(plan.columns);
    const { sql, parameters } = compileSql(plan, source.relation);
    await source.scan(
      sql,
      parameters,
      rowsToCells(plan, (index, value) => cells.add(index, value)),
    );
    return cells;
  }

  async close(): Promise<void> {
    for (const source of this.#sources.values()) await source.then((each) => each.close()).catch(() => undefined);
  }

  #source(schema: DatasetSchema): Promise<Source> {
    const reference = schemaReference(schema);
    const known = this.#sources.get(reference);
    if (known !== undefined) return known;
    const config = this.#datasets[schema.dataset];
    if (config === undefined) {
      throw new Fault('DATA', `this hospital has no data for ${schema.dataset}`, {
        hint: `Add datasets.${schema.dataset} to its configuration.`,
      });
    }
    const source = openSource(config, schema);
    // A source that could not be opened is tried again by the next query, after somebody mended it.
    source.catch(() => this.#sources.delete(reference));
    this.#sources.set(reference, source);
    return source;
  }
}
