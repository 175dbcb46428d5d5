import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { inferSchema } from '../../hospital/source/index.ts';
import { generateEncounters } from '../../hospital/synthetic/index.ts';
import { Misuse } from '../../protocol/errors.ts';
import { renderDocument } from '../../researcher/result/documents.ts';
import { done, print, warn } from '../output.ts';

export function addDataCommands(program: Command): void {
  const schema = program.command('schema').description('dataset schemas');
  schema
    .command('infer')
    .description('print a schema that fits all the given files; review bounds and codes before registering it')
    .argument('<file...>', 'data files of all hospitals (CSV, Parquet, Arrow, NDJSON)')
    .option('--dataset <name>', 'name of the dataset', 'data')
    .option('--out <file>', 'write it there instead')
    .action(async (files: string[], options: { dataset: string; out?: string }) => {
      const text = renderDocument(await inferSchema(files, { dataset: options.dataset, note: warn }));
      if (options.out === undefined) print(text);
      else writeFileSync(options.out, text);
    });

  program
    .command('generate')
    .description('write realistic synthetic encounters for several hospitals')
    .requiredOption('--hospitals <n>', 'how many hospitals', count)
    .requiredOption('--rows <n>', 'rows for each', count)
    .option('--seed <n>', 'the same seed gives the same files', count, 1)
    .option('--format <format>', 'csv or parquet', 'csv')
    .requiredOption('--out <folder>', 'where the files go')
    .action(async (options: { hospitals: number; rows: number; seed: number; format: string; out: string }) => {
      if (options.format !== 'csv' && options.format !== 'parquet')
        throw new Misuse('BAD_CONFIG', `--format ${options.format}: expected csv or parquet`);
      const { files } = await generateEncounters({ ...options, format: options.format });
      done(`${files.length} files with ${options.rows} rows each, schema.json and query.json in ${options.out}`);
    });
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Misuse('BAD_CONFIG', `expected a whole number, not ${text}`);
  return value;
}
