import { createReadStream } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { DuckDBDataChunk, VARCHAR, DOUBLE, BIGINT, BOOLEAN, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import {
  compressionRegistry,
  CompressionType,
  DataType,
  Precision,
  RecordBatchReader,
  type Field,
  type RecordBatch,
} from 'apache-arrow';
import { HealthchainError, Misuse } from '../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { nameOf, readStart, twoAlike } from './files.ts';
import { decompressLz4 } from './lz4.ts';
import type { RawColumn } from './layout.ts';
import { knownAs } from './names.ts';
import { identifier } from './text.ts';

/** Rows of a DuckDB data chunk. */
const CHUNK = 2048;

let tables = 0;

/**
 * Loads an Arrow IPC file into a table of the in-memory engine, batch by batch; the engine cannot read Arrow without
 * an extension that it would have to download. Only the wanted columns are kept.
 */
export async function loadArrow(
  engine: Engine,
  file: string,
  wanted: readonly string[] | undefined,
): Promise<{ table: string; columns: RawColumn[] }> {
  await checkMagic(file);
  registerCodecs();
  try {
    const reader = await RecordBatchReader.from(createReadStream(file));
    await reader.open();
    return await fill(engine, file, reader, wanted);
  } catch (error) {
    if (error instanceof HealthchainError) throw error;
    // The reader's text may quote what it stumbled over.
    throw new Misuse('BAD_FILE', `${nameOf(file)} is a damaged Arrow file`, { hint: 'Export or copy it again.' });
  }
}

async function fill(
  engine: Engine,
  file: string,
  reader: AsyncIterable<RecordBatch> & { readonly schema: { readonly fields: readonly Field[] } },
  wanted: readonly string[] | undefined,
): Promise<{ table: string; columns: RawColumn[] }> {
  const keep = new Set(wanted?.map((name) => name.toLowerCase()));
  // The reader says null where a column has no name.
  const isNamed = ({ name }: { readonly name: string | null }): boolean => name !== null && name !== '';
  const fields = reader.schema.fields
    .filter(isNamed)
    .filter(({ name }) => wanted === undefined || knownAs(name).some((each) => keep.has(each)));
  const names = new Set(fields.map((field) => field.name.toLowerCase()));
  if (names.size !== fields.length) throw twoAlike(file);
  const columns = fields.flatMap((field) => {
    const storage = storageOf(field);
    return storage === undefined ? [] : [{ name: field.name, ...storage }];
  });
  const table = `arrow_${++tables}`;
  // A table needs a column: where none is wanted, the rows still count.
  const stored = columns.length === 0 ? [{ name: 'row', type: 'BOOLEAN', duck: BOOLEAN, read: asIs }] : columns;
  await engine.execute(
    `CREATE TABLE ${identifier(table)} (${stored.map((each) => `${identifier(each.name)} ${each.type}`).join(', ')})`,
  );
  await engine.load(async (connection) => {
    const appender = await connection.createAppender(table);
    for await (const batch of reader) {
      const vectors = columns.map((column) => batch.getChild(column.name)!);
      for (let start = 0; start < batch.numRows; start += CHUNK) {
        const length = Math.min(CHUNK, batch.numRows - start);
        const chunk = DuckDBDataChunk.create(
          stored.map((each) => each.duck),
          length,
        );
        stored.forEach((column, index) => {
          const vector = vectors[index];
          const values = Array.from({ length }, (_, row) => column.read(vector?.get(start + row)));
          chunk.setColumnValues(index, values);
        });
        appender.appendDataChunk(chunk);
      }
    }
    appender.closeSync();
  });
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  return { table, columns: fields.map(({ name }) => ({ name, type: types.get(name) ?? UNREADABLE })) };
}

/** What `isReadable` is not. */
const UNREADABLE = 'STRUCT';

interface Storage {
  readonly type: string;
  readonly duck: DuckDBType;
  readonly read: (value: unknown) => DuckDBValue;
}

const asIs = (value: unknown): DuckDBValue => (value === undefined ? null : (value as DuckDBValue));
const orNull =
  (convert: (value: unknown) => DuckDBValue) =>
  (value: unknown): DuckDBValue =>
    value === null || value === undefined ? null : convert(value);

/** How the engine keeps a column of an Arrow type: exactly, or not at all (undefined). */
function storageOf(field: Field): Storage | undefined {
  const declared: unknown = field.type;
  const type = DataType.isDictionary(declared) ? (declared.dictionary as DataType) : (declared as DataType);
  if (DataType.isInt(type)) {
    return type.bitWidth === 64 && !type.isSigned
      ? { type: 'VARCHAR', duck: VARCHAR, read: orNull(String) }
      : { type: 'BIGINT', duck: BIGINT, read: orNull((value) => BigInt(value as number | bigint)) };
  }
  if (DataType.isFloat(type)) {
    // A 32-bit float stays one, for its decimals are told by another rule than a double's.
    return type.precision === Precision.DOUBLE
      ? { type: 'DOUBLE', duck: DOUBLE, read: asIs }
      : { type: 'VARCHAR', duck: VARCHAR, read: orNull((value) => shortestFloat(value as number)) };
  }
  if (DataType.isBool(type)) return { type: 'BOOLEAN', duck: BOOLEAN, read: asIs };
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { type: 'VARCHAR', duck: VARCHAR, read: asIs };
  if (DataType.isNull(type)) return { type: 'VARCHAR', duck: VARCHAR, read: () => null };
  if (DataType.isDate(type)) {
    const iso = (value: unknown): string => new Date(Number(value)).toISOString().slice(0, 10);
    return { type: 'VARCHAR', duck: VARCHAR, read: orNull(iso) };
  }
  return undefined;
}

/** The shortest decimal that names the same 32-bit float: 0.1 and not 0.10000000149011612. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(value);
}

async function checkMagic(file: string): Promise<void> {
  const start = Buffer.from(await readStart(file, 6)).toString('latin1');
  if (start.startsWith('FEA1')) {
    throw new Misuse('BAD_FILE', `${nameOf(file)} is of the old Feather format`, { hint: 'Write Feather version 2.' });
  }
  // The stream format starts with a continuation marker.
  if (start !== 'ARROW1' && !start.startsWith('\xff\xff\xff\xff')) {
    throw new Misuse('BAD_FILE', `${nameOf(file)} is not an Arrow file`);
  }
}

function registerCodecs(): void {
  compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => new Uint8Array(zstdDecompressSync(data)) });
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decompressLz4 });
}
