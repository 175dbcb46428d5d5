import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetSchema, type DatasetSchema } from '../../../protocol/schema.ts';
import { Engine } from '../engine.ts';
import { literal } from '../text.ts';

/** Values that must appear in no error text. */
export const SENTINELS = ['SENTINEL-7f3a', '98765.4321', '7f3a', '98765'] as const;

export const PATIENTS: DatasetSchema = datasetSchema.parse({
  dataset: 'patients',
  version: 1,
  columns: [
    { name: 'id', type: 'identifier' },
    { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
    { name: 'bmi', type: 'number', decimals: 1, minimum: '10', maximum: '70' },
    { name: 'sex', type: 'category', codes: ['F', 'M'] },
  ],
});

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'healthchain-source-'));

export function writeText(folder: string, name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

export async function writeParquet(folder: string, name: string, select: string): Promise<string> {
  const file = join(folder, name);
  const engine = await Engine.open({ threads: 1 });
  await engine.execute(`COPY (${select}) TO ${literal(file)} (FORMAT parquet)`);
  engine.close();
  return file;
}
