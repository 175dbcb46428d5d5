/**
 * DuckDB and nothing of ours: the same statistics over the same file, under the same limit, in a process of its own. Prints what
 * memory the engine takes for itself, in MB: the peak less what there was before the first query.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { residentMemory } from '../children.ts';
import { shapeOf } from '../query/shapes.ts';

const [file, memoryLimit, ...cells] = process.argv.slice(2) as [string, string, ...string[]];
const instance = await DuckDBInstance.create(':memory:', { memory_limit: memoryLimit, threads: '2' });
const connection = await instance.connect();
const before = residentMemory(process.pid).now;
for (const each of cells) {
  const result = await connection.stream(shapeOf(Number(each)).pooledSql([file]));
  // Taken from the engine, and not made into values.
  while (((await result.fetchChunk())?.rowCount ?? 0) > 0);
}
console.log(residentMemory(process.pid).peak - before);
