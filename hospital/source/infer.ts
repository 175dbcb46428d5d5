import { checkDocument } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import { datasetSchema, unscaleDecimal, type Column, type DatasetSchema } from '../../protocol/schema.ts';
import { MISSING_MARKERS, type Format } from './config.ts';
import { Engine } from './engine.ts';
import { findFiles, formatOf, nameOf } from './files.ts';
import { findColumn, layoutsOf, type Layout } from './layout.ts';
import { isReadable } from './readings.ts';
import { mergeProfiles, profileFile, type Profile } from './profile.ts';
import { identifier, literal } from './text.ts';

export interface InferOptions {
  readonly dataset: string;
  readonly version?: number;
  readonly format?: Format;
}

const MOST_NUMBER_CODES = 32;
const WIDEST_NUMBER_CODES = 1000n;
const MOST_CATEGORY_CODES = 200;
const IDENTIFIER_NAME = /^(id|mrn|ssn)$|_(id|mrn|ssn)$|[a-z]Id$/;

/**
 * Proposes the schema that all the files together fit: for a sandbox, and as a draft for a person to review before it
 * is registered. Bounds and codes are those that occur, so the draft tells something of the rows.
 *
 * Errors: `Misuse BAD_SCHEMA` for a column that is missing in some files, a number in one and text in another, or
 * needs more decimals than a schema can have; `Misuse BAD_FILE`, `Fault DATA` as `openSource`.
 */
export async function inferSchema(files: readonly string[], options: InferOptions): Promise<DatasetSchema> {
  const paths = (await findFiles(files)).map((file) => file.path);
  const format = formatOf(paths, options.format);
  const engine = await Engine.open();
  try {
    await engine.lock(format === 'arrow' ? [] : paths);
    const layouts = await layoutsOf(engine, paths, {
      format,
      encoding: undefined,
      expected: undefined,
      markers: MISSING_MARKERS,
    });
    const columns: Column[] = [];
    for (const name of commonColumns(layouts)) columns.push(await inferColumn(engine, layouts, name));
    const schema = { dataset: options.dataset, version: options.version ?? 1, columns };
    return checkDocument(datasetSchema, schema, { what: 'inferred schema', code: 'BAD_SCHEMA' });
  } finally {
    engine.close();
  }
}

/** The names that all files have, as the first one writes them. */
function commonColumns(layouts: readonly Layout[]): string[] {
  for (const layout of layouts) {
    for (const { name } of layout.columns) {
      const lacking = layouts.find((other) => findColumn(other, name) === undefined);
      if (lacking === undefined) continue;
      const [has, lacks] = [nameOf(layout.files[0]!), nameOf(lacking.files[0]!)];
      throw new Misuse('BAD_SCHEMA', `SCHEMA MISMATCH: ${has} has a column ${name}, ${lacks} has not`, {
        hint: 'Give all files the same columns.',
      });
    }
  }
  return layouts[0]!.columns.map((column) => column.name);
}

async function inferColumn(engine: Engine, layouts: readonly Layout[], name: string): Promise<Column> {
  if (IDENTIFIER_NAME.test(name)) return { name, type: 'identifier' };
  const profiles: Profile[] = [];
  for (const layout of layouts) {
    const found = findColumn(layout, name)!;
    if (!isReadable(found.type)) {
      throw new Misuse('BAD_SCHEMA', `${nameOf(layout.files[0]!)}: column ${name} holds neither numbers nor texts`);
    }
    for (const file of layout.files) profiles.push(await profileFile(engine, layout.relation([file]), found, file));
  }
  const profile = mergeProfiles(name, profiles);
  if (profile.kind === 'empty') return { name, type: 'number', decimals: 0, minimum: '0', maximum: '0' };
  const spread = await distinct(engine, layouts, name, profile.kind === 'number');
  if (profile.kind === 'text') {
    const usable = spread.length <= MOST_CATEGORY_CODES && spread.every((code) => code.length <= 64);
    return usable ? { name, type: 'category', codes: spread.sort() } : { name, type: 'identifier' };
  }
  const { decimals, minimum, maximum } = profile;
  const listed = decimals === 0 && spread.length <= MOST_NUMBER_CODES && maximum - minimum <= WIDEST_NUMBER_CODES;
  return {
    name,
    type: 'number',
    decimals,
    minimum: unscaleDecimal(minimum, decimals),
    maximum: unscaleDecimal(maximum, decimals),
    ...(listed ? { codes: [...new Set(spread.map((text) => BigInt(text)))].sort(ascending).map(String) } : {}),
  };
}

const ascending = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);

/** The values that occur, as text; one more than a category may have, at most. */
async function distinct(
  engine: Engine,
  layouts: readonly Layout[],
  name: string,
  asNumber: boolean,
): Promise<string[]> {
  const markers = MISSING_MARKERS.map(literal).join(', ');
  const parts = layouts.map((layout) => {
    const raw = identifier(findColumn(layout, name)!.name);
    const text = asNumber ? `CAST(TRY_CAST(${raw} AS DOUBLE) AS DECIMAL(38,9))` : `trim(CAST(${raw} AS VARCHAR))`;
    return `SELECT ${text} AS value FROM ${layout.relation(layout.files)} WHERE ${raw} IS NOT NULL AND trim(CAST(${raw} AS VARCHAR)) NOT IN (${markers})`;
  });
  const shown = asNumber ? 'CAST(CAST(value AS HUGEINT) AS VARCHAR)' : 'value';
  const rows = await engine.rows(
    `SELECT ${shown} FROM (SELECT DISTINCT value FROM (${parts.join(' UNION ALL ')})) LIMIT ${MOST_CATEGORY_CODES + 1}`,
  );
  return rows.map(([value]) => String(value));
}
