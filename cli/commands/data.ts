import type { Command } from 'commander';
import { datasetMapping, inferSchema } from '../../hospital/source/index.ts';
import { generateEncounters } from '../../hospital/synthetic/index.ts';
import { Misuse } from '../../protocol/errors.ts';
import { renderDocument } from '../../researcher/result/documents.ts';
import { readDocument, writeWhole } from '../files.ts';
import { wholeNumber } from '../numbers.ts';
import { done, print, warn } from '../output.ts';

export function addDataCommands(program: Command): void {
  const schema = program.command('schema').description('dataset schemas');
  schema
    .command('infer')
    .description('print a schema that fits all the given files; review bounds and codes before registering it')
    .argument('<file...>', 'data files of all hospitals (CSV, Parquet, Arrow, NDJSON)')
    .option('--dataset <name>', 'name of the dataset', 'data')
    .option('--mapping <file>', 'names, codes, missing values, decimal comma, as in the configuration of a hospital')
    .option('--out <file>', 'write it there instead')
    .action(async (files: string[], options: { dataset: string; mapping?: string; out?: string }) => {
      const mapping =
        options.mapping === undefined
          ? undefined
          : readDocument(datasetMapping, options.mapping, 'mapping', 'BAD_CONFIG');
      const text = renderDocument(await inferSchema(files, { dataset: options.dataset, mapping, note: warn }));
      if (options.out === undefined) print(text);
      else writeWhole(options.out, text);
    });

  program
    .command('generate')
    .description('write realistic synthetic encounters for several hospitals')
    .requiredOption('--hospitals <n>', 'how many hospitals', wholeNumber)
    .requiredOption('--rows <n>', 'rows for each', wholeNumber)
    .option('--seed <n>', 'the same seed gives the same files', wholeNumber, 1)
    .option('--format <format>', 'csv or parquet', 'csv')
    .requiredOption('--out <folder>', 'where the files go')
    .action(async (options: { hospitals: number; rows: number; seed: number; format: string; out: string }) => {
      if (options.format !== 'csv' && options.format !== 'parquet')
        throw new Misuse('BAD_CONFIG', `--format ${options.format}: expected csv or parquet`);
      const { files } = await generateEncounters({ ...options, format: options.format });
      done(`${files.length} files with ${options.rows} rows each, schema.json and query.json in ${options.out}`);
    });
}
