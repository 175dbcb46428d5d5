import { Misuse } from '../../protocol/errors.ts';
import type { Format, SourceConfig } from './config.ts';
import { csvRelation, readDialect, type Dialect } from './csv.ts';
import type { Engine } from './engine.ts';
import { nameOf, readStart, twoAlike } from './files.ts';
import { findByName, knownAs } from './names.ts';
import { identifier, list, literal } from './text.ts';

export interface RawColumn {
  readonly name: string;
  /** DuckDB's name of the type, as DOUBLE or DECIMAL(18,2). */
  readonly type: string;
}

/** Files that look alike, read as one; those that differ are read apart, so that no engine casts one to the other. */
export interface Layout {
  readonly format: Format;
  readonly files: readonly string[];
  readonly columns: readonly RawColumn[];
  /** SQL of the relation over some of the files, in file order. */
  readonly relation: (files: readonly string[]) => string;
}

export interface LayoutRequest {
  readonly format: Format;
  readonly encoding: SourceConfig['encoding'];
  /** Names that the mapping looks for; undefined for inference: all columns are read. */
  readonly expected: readonly string[] | undefined;
  /** Texts that mean "no value" in whichever column they stand. */
  readonly markers: readonly string[];
}

/** Looks at every file and groups those of the same columns and types. */
export async function layoutsOf(engine: Engine, files: readonly string[], request: LayoutRequest): Promise<Layout[]> {
  const groups = new Map<string, { inspected: Inspected; files: string[] }>();
  for (const file of files) {
    const inspected = await inspect(engine, file, request);
    const key = JSON.stringify([inspected.columns, inspected.key]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { inspected, files: [file] });
    else group.files.push(file);
  }
  return [...groups.values()].map(({ inspected, files: alike }) => ({
    format: request.format,
    files: alike,
    columns: inspected.columns,
    relation: inspected.relation,
  }));
}

/** The file's column of a name, see `findByName`. */
export const findColumn = (layout: Pick<Layout, 'columns'>, name: string): RawColumn | undefined =>
  findByName(layout.columns, name);

interface Inspected {
  readonly columns: readonly RawColumn[];
  /** What besides the columns keeps files apart. */
  readonly key: string;
  readonly relation: (files: readonly string[]) => string;
}

async function inspect(engine: Engine, file: string, request: LayoutRequest): Promise<Inspected> {
  switch (request.format) {
    case 'csv':
      return inspectCsv(await readDialect(file, request.encoding, request.expected), request);
    case 'parquet':
      return inspectParquet(engine, file);
    case 'ndjson':
      return inspectJson(engine, file, request);
    case 'arrow': {
      // A large library, for files that few hospitals have.
      const { loadArrow } = await import('./arrow.ts');
      const { table, columns } = await loadArrow(engine, file, request.expected);
      return { columns, key: table, relation: () => identifier(table) };
    }
  }
}

const inspectCsv = (dialect: Dialect, request: LayoutRequest): Inspected => ({
  columns: dialect.header.map((name) => ({ name, type: 'VARCHAR' })),
  key: dialect.delimiter,
  relation: (files) => csvRelation(files, dialect, request.encoding, request.markers),
});

async function inspectParquet(engine: Engine, file: string): Promise<Inspected> {
  const start = Buffer.from(await readStart(file, 4)).toString('latin1');
  if (start === 'PARE') throw new Misuse('BAD_FILE', `${nameOf(file)} is an encrypted Parquet file`);
  if (start !== 'PAR1') throw new Misuse('BAD_FILE', `${nameOf(file)} is not a Parquet file`);
  const relation = (files: readonly string[]): string => `read_parquet(${list(files.map(literal))})`;
  const look = async (): Promise<[RawColumn[], Set<string>]> => {
    const names = await engine.rows(`SELECT name FROM parquet_schema(${literal(file)})`);
    return [await describe(engine, relation([file])), new Set(names.map(([name]) => String(name)))];
  };
  const [columns, written] = await look().catch(() => {
    throw new Misuse('BAD_FILE', `${nameOf(file)} is a damaged Parquet file`, { hint: 'Export or copy it again.' });
  });
  // The engine makes a name for a column without one, and for the second of two that are alike but for capitals.
  const named = columns.filter(({ name }) => written.has(name));
  if (named.length < columns.length && !written.has('')) throw twoAlike(file);
  return { columns: named, key: '', relation };
}

/** Every value as text: DuckDB guesses types of JSON from a sample, and rows behind the sample may differ. */
async function inspectJson(engine: Engine, file: string, request: LayoutRequest): Promise<Inspected> {
  const start = Buffer.from(await readStart(file, 1 << 12)).toString('latin1');
  if (!/^(\xef\xbb\xbf)?\s*\{/.test(start)) {
    throw new Misuse('BAD_FILE', `${nameOf(file)} does not start with a JSON object`, {
      hint: 'NDJSON has one complete object on every line, and no list around them.',
    });
  }
  const found = async (sample: number): Promise<RawColumn[]> =>
    describe(
      engine,
      `read_json([${literal(file)}], format = 'newline_delimited', sample_size = ${sample}, map_inference_threshold = -1)`,
    );
  let columns = await found(20_480);
  // A key that only later rows have is still a column.
  const names = new Set(columns.flatMap((column) => knownAs(column.name)));
  if (request.expected?.every((name) => names.has(name.toLowerCase())) !== true) {
    columns = await found(-1);
  }
  const asText = columns.map(({ name, type }) => ({ name, type: /\[|STRUCT|MAP/.test(type) ? type : 'VARCHAR' }));
  const types = asText.map(({ name }) => `${identifier(name)}: 'VARCHAR'`).join(', ');
  const relation = (files: readonly string[]): string =>
    `read_json(${list(files.map(literal))}, format = 'newline_delimited', columns = {${types}})`;
  return { columns: asText, key: '', relation };
}

export async function describe(engine: Engine, relation: string): Promise<RawColumn[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`);
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
}
