import {
  compileDistribution,
  compileMagnitudes,
  compileSql,
  compileTexts,
  judgedSums,
  readDistribution,
  readMagnitudes,
  readTexts,
  rowsToCells,
  type Distribution,
  type Magnitude,
  type Plan,
} from '../analytics/index.ts';
import { CellVector } from '../mpc/cells.ts';
import { Fault } from '../protocol/errors.ts';
import { schemaReference, type DatasetSchema } from '../protocol/schema.ts';
import { Cohorts, type ConsentBasis } from './consent/index.ts';
import { Sketch, type SketchRequest } from './sketch.ts';
import { openSource, type Rows, type Source, type SourceConfig } from './source/index.ts';

/** What one hospital finds in its own records for a plan; none of it ever leaves as it is. */
export interface LocalFigures {
  /** The cells of the plan as exact integers, and behind them the counts that guard them. */
  readonly cells: CellVector;
  /** Of each group, for the sums that the dominance rule judges; none without such a rule. */
  readonly magnitudes: readonly (readonly Magnitude[])[];
  /** By column, for the plan's searches on a grid. */
  readonly distributions: ReadonlyMap<string, Distribution>;
  /** One more pass over the same rows, when the hospitals have their key: the different values of a column. */
  readonly sketch: (request: SketchRequest) => Promise<Sketch>;
}

/** This hospital's own rows: opened when first asked for, one view for each version of a dataset. */
export class LocalData {
  readonly #datasets: Readonly<Record<string, SourceConfig>>;
  readonly #sources = new Map<string, Promise<Source>>();
  readonly #cohorts = new Map<string, Cohorts>();

  constructor(datasets: Readonly<Record<string, SourceConfig>>) {
    this.#datasets = datasets;
  }

  /**
   * One pass over the local rows for all cells, one for the dominance rule, and one for each column that is searched; where
   * the dataset rests on consent, over the rows of the patients who consented.
   * Errors: `Fault DATA` naming file, row, column and rule of what does not fit, never a value; `Refusal POLICY` where
   * whose consent there is cannot be told.
   */
  async scan(plan: Plan, schema: DatasetSchema, consent: ConsentBasis | undefined): Promise<LocalFigures> {
    const source = await this.#source(schema);
    const cohort = await this.#cohortsOf(schema.dataset).of(schema, consent);
    await source.verifyColumns(plan.columns);
    const rows = cohort === undefined ? source : source.of(cohort);
    const cells = CellVector.zeros(plan.scanned);
    const complete = new Set(plan.columns.filter((name) => rows.complete.has(name)));
    const { sql, parameters } = compileSql(plan, rows.relation, complete);
    const take = rowsToCells(plan, (index, value) => cells.add(index, value));
    await rows.scan(sql, parameters, take, complete);
    const magnitudes = judgedSums(plan).length === 0 ? [] : await magnitudesOf(rows, plan);
    const ordered = plan.searches.filter(({ target }) => target.kind !== 'distinct');
    const distributions = new Map<string, Distribution>();
    for (const column of new Set(ordered.map((search) => search.column)))
      distributions.set(column, await distributionOf(rows, plan, column));
    return { cells, magnitudes, distributions, sketch: (request) => sketchOf(rows, plan, request) };
  }

  #cohortsOf(dataset: string): Cohorts {
    let cohorts = this.#cohorts.get(dataset);
    if (cohorts === undefined) this.#cohorts.set(dataset, (cohorts = new Cohorts(this.#datasets[dataset]!)));
    return cohorts;
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

async function magnitudesOf(rows: Rows, plan: Plan): Promise<Magnitude[][]> {
  const { sql, parameters } = compileMagnitudes(plan, rows.relation);
  const { take, finish } = readMagnitudes(plan);
  await rows.scan(sql, parameters, take);
  return finish();
}

async function distributionOf(rows: Rows, plan: Plan, column: string): Promise<Distribution> {
  const { sql, parameters } = compileDistribution(plan, column, rows.relation);
  const { take, finish } = readDistribution(plan, column);
  await rows.scan(sql, parameters, take);
  return finish();
}

async function sketchOf(rows: Rows, plan: Plan, request: SketchRequest): Promise<Sketch> {
  const { sql, parameters } = compileTexts(plan, request.column, rows.relation);
  const sketch = new Sketch(plan.groups, request);
  await rows.scan(
    sql,
    parameters,
    readTexts(plan, (group, text) => sketch.add(group, text)),
  );
  return sketch;
}
