import { DuckDBInstance, StatementType, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { Fault, HealthchainError, Misuse } from '../../protocol/errors.ts';
import { list, literal } from './text.ts';

export interface EngineLimits {
  readonly memoryLimit?: string | undefined;
  readonly threads?: number | undefined;
  readonly tempFolder?: string | undefined;
}

/** A value as the relation holds it: scaled integer, code, or missing. */
export type Cell = bigint | string | null;

/** Columns of equal length, in the order of the SELECT list. */
export interface ResultColumns {
  readonly names: readonly string[];
  readonly rowCount: number;
  readonly columns: readonly (readonly Cell[])[];
}

export type Parameter = bigint | string | boolean | number | null;

/**
 * An in-memory DuckDB that downloads nothing. DuckDB's own error texts quote rows of the data, so none leaves this
 * class: every error is one of ours, of fixed text.
 */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  #broken = false;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(limits: EngineLimits = {}): Promise<Engine> {
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        allow_community_extensions: 'false',
        // Without a folder to spill to, nothing of the records is written to disk.
        temp_directory: limits.tempFolder ?? '',
        ...(limits.memoryLimit === undefined ? {} : { memory_limit: limits.memoryLimit }),
        ...(limits.threads === undefined ? {} : { threads: String(limits.threads) }),
      });
      return new Engine(instance, await instance.connect());
    } catch {
      throw new Misuse('BAD_CONFIG', 'the data engine does not start with these limits', {
        hint: 'Check memoryLimit (as "4GB"), threads and tempFolder.',
      });
    }
  }

  /** From here on the engine reads these files and no others, and no statement can change that. */
  async lock(paths: readonly string[]): Promise<void> {
    await this.execute(`SET allowed_paths = ${list(paths.map(literal))}`);
    await this.execute('SET enable_external_access = false');
    await this.execute('SET lock_configuration = true');
  }

  async execute(sql: string): Promise<void> {
    await this.#guard(() => this.#connection.run(sql));
  }

  /** All rows of a statement of our own, as DuckDB's values. */
  async rows(sql: string): Promise<DuckDBValue[][]> {
    return this.#guard(async () => (await this.#connection.runAndReadAll(sql)).getRows());
  }

  /**
   * Runs one SELECT with bound parameters and hands over its rows as the engine makes them, a vector of some thousands at a
   * time. Integers come as bigint, whatever their width.
   */
  async scan(sql: string, parameters: readonly Parameter[], take: (rows: ResultColumns) => void): Promise<void> {
    await this.#guard(async () => {
      const statement = await this.#connection.prepare(sql);
      try {
        if (statement.statementType !== StatementType.SELECT) {
          throw new Misuse('BAD_QUERY', 'only a SELECT runs over the records');
        }
        statement.bind(parameters.map((value) => value));
        const result = await statement.stream();
        const names = result.columnNames();
        for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0;) {
          const columns = names.map((_, index) => chunk!.getColumnValues(index).map(toCell));
          take({ names, rowCount: chunk.rowCount, columns });
          chunk = await result.fetchChunk();
        }
      } finally {
        statement.destroySync();
      }
    });
  }

  /** As `scan`, all rows at once. */
  async select(sql: string, parameters: readonly Parameter[] = []): Promise<ResultColumns> {
    return collect((take) => this.scan(sql, parameters, take));
  }

  /** Hands the connection to a loader of rows, under the same guard. */
  async load<T>(action: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.#guard(() => action(this.#connection));
  }

  /** Whether an error inside DuckDB has made this engine useless; another one must take its place. */
  get broken(): boolean {
    return this.#broken;
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof HealthchainError) throw error;
      const text = error instanceof Error ? error.message : '';
      this.#broken ||= /^(INTERNAL|FATAL) Error/.test(text);
      throw explain(text);
    }
  }
}

/** The rows of a scan, put together again. */
export async function collect(scan: (take: (rows: ResultColumns) => void) => Promise<void>): Promise<ResultColumns> {
  const parts: ResultColumns[] = [];
  await scan((rows) => parts.push(rows));
  const columns = parts[0]?.columns.map((_, index) => parts.flatMap((part) => part.columns[index]!)) ?? [];
  return { names: parts[0]?.names ?? [], rowCount: columns[0]?.length ?? 0, columns };
}

function toCell(value: DuckDBValue): Cell {
  if (typeof value === 'bigint' || typeof value === 'string' || value === null) return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new Fault('INTERNAL', 'a result column holds neither integers nor text');
}

/**
 * What went wrong, from the few forms of DuckDB's text that we know. Only a line number is taken over, and only from
 * before the place where the text starts to quote the file.
 */
function explain(text: string): HealthchainError {
  const line = /^Invalid Input Error: CSV Error on Line: (\d{1,15})\n/.exec(text)?.[1];
  const at = line === undefined ? '' : ` at line ${line}`;
  const is = (pattern: RegExp): boolean => pattern.test(text);
  if (is(/^Out of Memory Error/)) {
    return new Fault('DATA', 'the query needs more memory than the engine may use', {
      hint: 'Raise memoryLimit, or name a tempFolder to spill to.',
    });
  }
  if (line !== undefined && is(/^Expected Number of Columns: \d+ Found: \d+$/m)) {
    return new Fault('DATA', `a row has more or fewer fields than the header${at}`, {
      hint: 'Look for a separator or line break inside an unquoted text.',
    });
  }
  if (is(/unterminated quote/)) {
    return new Fault('DATA', `a quoted text does not end${at}`, {
      hint: 'Close the quote; a quote inside a quoted text is written twice.',
    });
  }
  if (is(/CSV Parser state machine reached an invalid state/)) {
    return new Fault('DATA', 'the lines of a CSV file do not all end in the same way', {
      hint: 'Save it anew, or convert it with dos2unix: files that were put together may be of two kinds.',
    });
  }
  if (is(/Invalid unicode|not utf-8|invalid UTF-?8/i)) {
    return new Fault('DATA', `a text is not UTF-8${at}`, {
      hint: 'Export as UTF-8, or set encoding to "latin-1" for a CSV file.',
    });
  }
  if (is(/Malformed JSON/)) {
    return new Fault('DATA', 'a line is not a JSON object', { hint: 'NDJSON has one complete object on every line.' });
  }
  const kind = /^([A-Z][A-Za-z]+(?: [A-Za-z]+){0,2}) Error:/.exec(text)?.[1];
  if (kind === 'Binder' || kind === 'Parser' || kind === 'Catalog') {
    return new Fault('INTERNAL', `the engine does not understand a compiled query (${kind})`, {
      hint: 'A column that was not verified since the files last changed is not there: ask again.',
    });
  }
  return new Fault('DATA', `the engine could not read the records${at}${kind === undefined ? '' : ` (${kind})`}`, {
    hint: 'The file may be damaged or of another format than its name says; run doctor.',
  });
}
