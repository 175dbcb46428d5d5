/**
 * Asks an answer's files with SQL, through DuckDB: node examples/read-result/query.ts answer/
 *
 * DuckDB reads JSON and CSV by itself; for Arrow IPC it wants an extension from the network. So result.json and
 * result.csv are read as they are, and result.arrow is read with apache-arrow and its columns handed over.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { tableFromIPC, type Table } from 'apache-arrow';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: node examples/read-result/query.ts <folder of an answer>');
  process.exit(2);
}

const instance = await DuckDBInstance.create(':memory:');
const duckdb = await instance.connect();
await fromCsv(duckdb, join(folder, 'result.csv'));
await fromJson(duckdb, join(folder, 'result.json'));
await fromArrow(duckdb, tableFromIPC(readFileSync(join(folder, 'result.arrow'))));
for (const source of ['csv', 'json', 'arrow']) {
  const answer = await duckdb.runAndReadAll(`SELECT count(*) AS groups, sum("count") AS patients FROM ${source}`);
  const [row] = answer.getRowObjectsJS();
  console.log(`${source}: ${Number(row?.['groups'])} groups, ${Number(row?.['patients'])} rows counted`);
}
console.log(
  await duckdb.runAndReadAll('SELECT * FROM csv ORDER BY "count" DESC LIMIT 3').then((r) => r.getRowObjectsJS()),
);
duckdb.closeSync();

/** One row per group; names such as mean(age) are quoted. */
async function fromCsv(duckdb: DuckDBConnection, path: string): Promise<void> {
  await duckdb.run(`CREATE TABLE csv AS SELECT * FROM read_csv($path, header = true)`, { path });
}

/** `groups` is a list of {key, status, values}; each name of `values` becomes a column. */
async function fromJson(duckdb: DuckDBConnection, path: string): Promise<void> {
  await duckdb.run(
    `CREATE TABLE json AS
     SELECT each.key, each.status, unnest(each.values)
     FROM (SELECT unnest(groups) AS each FROM read_json($path))`,
    { path },
  );
}

/** An answer is small: its rows are appended one by one. */
async function fromArrow(duckdb: DuckDBConnection, table: Table): Promise<void> {
  const columns = table.schema.fields.map((field) => ({
    name: field.name,
    type: { Utf8: 'VARCHAR', Bool: 'BOOLEAN', Float64: 'DOUBLE' }[String(field.type)] ?? 'VARCHAR',
  }));
  const quoted = columns.map(({ name, type }) => `"${name.replaceAll('"', '""')}" ${type}`);
  await duckdb.run(`CREATE TABLE arrow (${quoted.join(', ')})`);
  const appender = await duckdb.createAppender('arrow');
  for (const row of table.toArray() as Record<string, string | boolean | number | null>[]) {
    for (const { name } of columns) {
      const value = row[name] ?? null;
      if (value === null) appender.appendNull();
      else if (typeof value === 'string') appender.appendVarchar(value);
      else if (typeof value === 'boolean') appender.appendBoolean(value);
      else appender.appendDouble(value);
    }
    appender.endRow();
  }
  appender.closeSync();
}
