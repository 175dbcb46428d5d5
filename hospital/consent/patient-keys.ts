import type { ConsentDecision } from '../../ledger/consent.ts';
import { Fault } from '../../protocol/errors.ts';
import { publicKey } from '../../protocol/names.ts';
import { csvRelation, readDialect } from '../source/csv.ts';
import { Engine } from '../source/engine.ts';
import { identify, nameOf, type FileIdentity } from '../source/files.ts';
import { trimIdentifier } from '../source/patients.ts';

const COLUMNS = ['key', 'patient'];
const HINT = 'The file has one row for each patient who told this hospital a key, under the header: patient,key';

/**
 * Which key each patient told this hospital. It is what ties a key on the ledger to a person: it stays in this process,
 * and neither prints nor logs what it holds.
 */
export class PatientKeys {
  readonly #patients: readonly string[];
  readonly #keys: readonly string[];
  readonly file: FileIdentity;

  private constructor(file: FileIdentity, patients: readonly string[], keys: readonly string[]) {
    this.file = file;
    this.#patients = patients;
    this.#keys = keys;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The patients whose key came to this decision. */
  who(decisions: ReadonlyMap<string, ConsentDecision>, decision: 'grant' | 'withdraw'): string[] {
    return this.#patients.filter((_, at) => decisions.get(this.#keys[at]!) === decision);
  }

  /** All of them. */
  patients(): readonly string[] {
    return this.#patients;
  }

  /**
   * Reads the file. One patient has one key and one key is one patient's. Errors: `Misuse BAD_FILE`; `Fault DATA` with data
   * row (the first is 1, the header not counted) and column, never what stands there.
   */
  static async read(path: string): Promise<PatientKeys> {
    const file = await identify(path);
    const { patients, keys } = await readColumns(path);
    const seen = { patient: new Map<string, number>(), key: new Map<string, number>() };
    const names = patients.map((text, at) => {
      const patient = trimIdentifier(text ?? '');
      if (patient === '') throw wrong(path, at, 'patient', 'is empty');
      return once(path, seen.patient, patient, at, 'patient', (row) => `is the patient of row ${row} again`);
    });
    const checked = keys.map((text, at) => {
      const key = publicKey.safeParse(trimIdentifier(text ?? ''));
      if (!key.success) throw wrong(path, at, 'key', 'is not a key: 64 digits, lower-case hexadecimal');
      return once(path, seen.key, key.data, at, 'key', (row) => `is the key of row ${row} again`);
    });
    return new PatientKeys(file, names, checked);
  }
}

async function readColumns(path: string): Promise<{ patients: (string | null)[]; keys: (string | null)[] }> {
  const dialect = await readDialect(path, undefined, COLUMNS);
  if ([...dialect.header].sort().join() !== COLUMNS.join()) {
    throw new Fault('DATA', `${nameOf(path)}: the header is not patient,key`, { hint: HINT });
  }
  const engine = await Engine.open({ threads: 1 });
  try {
    await engine.lock([path]);
    const { columns } = await engine.select(
      `SELECT "patient", "key" FROM ${csvRelation([path], dialect, undefined, [])}`,
    );
    const [patients = [], keys = []] = columns as (string | null)[][];
    return { patients, keys };
  } finally {
    engine.close();
  }
}

function once(
  path: string,
  seen: Map<string, number>,
  text: string,
  at: number,
  column: string,
  problem: (row: number) => string,
): string {
  const before = seen.get(text);
  if (before !== undefined) throw wrong(path, at, column, problem(before));
  seen.set(text, at + 1);
  return text;
}

const wrong = (path: string, at: number, column: string, problem: string): Fault =>
  new Fault('DATA', `${nameOf(path)}, data row ${at + 1}: ${column} ${problem}`, { hint: HINT });
