import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checkDocument } from '../../protocol/canonical.ts';
import { Fault } from '../../protocol/errors.ts';
import { Engine } from '../source/engine.ts';
import { literal } from '../source/text.ts';
import { drawHospital, encountersSql, MACROS } from './encounters.ts';
import { ENCOUNTERS_SCHEMA, EXAMPLE_QUERY } from './schema.ts';

export { ENCOUNTERS_SCHEMA, EXAMPLE_QUERY } from './schema.ts';

const encountersRequest = z.strictObject({
  hospitals: z.int().min(1).max(1000),
  /** For each hospital. */
  rows: z.int().min(1).max(1_000_000_000),
  seed: z.int().min(0),
  /** Folder to write to; made where absent. */
  out: z.string().min(1),
  format: z.enum(['csv', 'parquet']).default('csv'),
});
export type EncountersRequest = z.input<typeof encountersRequest>;

/** Paths of what was written. */
export interface GeneratedEncounters {
  readonly files: readonly string[];
  readonly schema: string;
  readonly query: string;
}

/**
 * Writes `rows` synthetic encounters for each hospital, their schema and an example query. The same seed gives the
 * same files, on any number of threads; another format holds the same rows. Errors: `Misuse BAD_CONFIG`, `Fault DISK`.
 */
export async function generateEncounters(request: EncountersRequest): Promise<GeneratedEncounters> {
  const { hospitals, rows, seed, out, format } = checkDocument(encountersRequest, request, {
    what: 'synthetic encounters',
    code: 'BAD_CONFIG',
  });
  const files = Array.from({ length: hospitals }, (_, index) => join(out, `hospital-${index + 1}.${format}`));
  const [schema, query] = [join(out, 'schema.json'), join(out, 'query.json')];
  const engine = await Engine.open();
  try {
    await mkdir(out, { recursive: true });
    for (const macro of MACROS) await engine.execute(macro);
    for (const [index, file] of files.entries()) {
      const rowsSql = encountersSql(drawHospital(seed, index + 1), rows);
      const options = format === 'csv' ? `FORMAT csv, HEADER` : `FORMAT parquet, COMPRESSION zstd`;
      await engine.execute(`COPY (${rowsSql}) TO ${literal(file)} (${options})`);
    }
    await writeFile(schema, `${JSON.stringify(ENCOUNTERS_SCHEMA, null, 2)}\n`);
    await writeFile(query, `${JSON.stringify(EXAMPLE_QUERY, null, 2)}\n`);
  } catch {
    // The rows are ours and the SQL is fixed: what fails here is the disk.
    throw new Fault('DISK', `cannot write synthetic encounters to ${out}`, {
      hint: 'Check the folder and free space.',
    });
  } finally {
    engine.close();
  }
  return { files, schema, query };
}
