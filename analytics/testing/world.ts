import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { Query, QueryInput } from '../../protocol/query.ts';
import { datasetSchema, type DatasetSchema } from '../../protocol/schema.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { compileSql, decode, normalizeQuery, planQuery, rowsToCells, type ReleasedGroup, type Plan } from '../index.ts';

/** A row of a local relation: scaled integers, codes, null where missing. */
export type Row = Readonly<Record<string, bigint | string | null>>;

export const OPEN = everythingOpens();

export const schemaOf = (columns: unknown[], dataset = 'heart'): DatasetSchema =>
  datasetSchema.parse({ dataset, version: 1, columns });

export const prepare = (input: object, schema: DatasetSchema): Query =>
  normalizeQuery({ dataset: schema.dataset, purpose: 'GRU', ...input } satisfies Partial<QueryInput>, () => schema);

export const openDatabase = async (): Promise<DuckDBConnection> => (await DuckDBInstance.create()).connect();

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Makes the relation that a hospital's source would give: BIGINT for numbers, VARCHAR for the rest. */
export async function createRelation(
  database: DuckDBConnection,
  name: string,
  schema: DatasetSchema,
  rows: readonly Row[],
): Promise<void> {
  const columns = schema.columns.map(
    (each) => `${identifier(each.name)} ${each.type === 'number' ? 'BIGINT' : 'VARCHAR'}`,
  );
  await database.run(`CREATE OR REPLACE TABLE ${name} (${columns.join(', ')})`);
  const appender = await database.createAppender(name);
  for (const row of rows) {
    for (const column of schema.columns) {
      const value = row[column.name] ?? null;
      if (value === null) appender.appendNull();
      else if (typeof value === 'bigint') appender.appendBigInt(value);
      else appender.appendVarchar(value);
    }
    appender.endRow();
  }
  appender.closeSync();
}

/** One hospital's cells, and behind them the counts that only guard. With or without knowing what is never missing: they are the same. */
export async function cellsOf(database: DuckDBConnection, plan: Plan, relation: string): Promise<bigint[]> {
  const complete = new Set<string>();
  for (const name of plan.columns) {
    const missing = await database.runAndReadAll(`SELECT 1 FROM ${relation} WHERE ${identifier(name)} IS NULL LIMIT 1`);
    if (missing.currentRowCount === 0) complete.add(name);
  }
  const cells = await cellsBy(database, plan, compileSql(plan, relation));
  const knowing = await cellsBy(database, plan, compileSql(plan, relation, complete));
  if (cells.some((cell, index) => cell !== knowing[index])) throw new Error('complete columns change the cells');
  return cells;
}

async function cellsBy(
  database: DuckDBConnection,
  plan: Plan,
  { sql, parameters }: ReturnType<typeof compileSql>,
): Promise<bigint[]> {
  const result = await database.runAndReadAll(sql, parameters);
  const cells = new Array<bigint>(plan.scanned).fill(0n);
  const take = rowsToCells(plan, (index, value) => {
    cells[index]! += value;
  });
  take({ rowCount: result.currentRowCount, columns: result.getColumns() });
  return cells;
}

/** The whole pipeline with release rule and secure sum left out: each hospital's cells, added, decoded. */
export async function ask(
  database: DuckDBConnection,
  query: Query,
  schema: DatasetSchema,
  relations: readonly string[],
): Promise<ReleasedGroup[]> {
  const plan = planQuery(query, schema);
  const sums = new Array<bigint>(plan.scanned).fill(0n);
  for (const relation of relations)
    (await cellsOf(database, plan, relation)).forEach((value, index) => (sums[index]! += value));
  return decode(plan, (index) => sums[index]!) as ReleasedGroup[];
}
