import { checkDocument } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import { datasetSchema, unscaleDecimal, type Column, type DatasetSchema } from '../../protocol/schema.ts';
import { MISSING_MARKERS, type Format } from './config.ts';
import { Engine } from './engine.ts';
import { findFiles, formatOf, nameOf } from './files.ts';
import { findColumn, layoutsOf, type Layout } from './layout.ts';
import { isReadable } from './readings.ts';
import { schemaName } from './names.ts';
import {
  firstText,
  mergeProfiles,
  MOST_DECIMALS,
  profileFile,
  textsOf,
  type Profile,
  type TextProfile,
} from './profile.ts';
import { identifier } from './text.ts';

export interface InferOptions {
  readonly dataset: string;
  readonly version?: number;
  readonly format?: Format;
  /** Told what the draft leaves out, and what was perhaps meant otherwise, in sentences that hold no value of a row. */
  readonly note?: (line: string) => void;
}

const MOST_NUMBER_CODES = 32;
const WIDEST_NUMBER_CODES = 1000n;
const MOST_CATEGORY_CODES = 200;
const IDENTIFIER_NAME = /(^|_)(id|mrn|ssn)$|(^|_)(ID|MRN|SSN|Id)$|[a-z]I[dD]$/;

/**
 * Proposes the schema that all the files together fit: for a sandbox, and as a draft for a person to review before it
 * is registered. Bounds and codes are those that occur, so the draft tells something of the rows. Columns whose numbers no
 * schema holds are left out.
 *
 * Errors: `Misuse BAD_SCHEMA` for a column that is missing in some files, or a number in one and text in another;
 * `Misuse BAD_FILE`, `Fault DATA` as `openSource`.
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
    const note = once(options.note ?? (() => undefined));
    const columns: Column[] = [];
    for (const name of commonColumns(layouts, note)) {
      const column = await inferColumn(engine, layouts, name, note);
      if (column !== undefined) columns.push(column);
    }
    if (columns.length === 0) {
      throw new Misuse('BAD_SCHEMA', 'the files have no column that a schema can hold', {
        hint: `Numbers have at most ${MOST_DECIMALS} decimals and 15 digits in all, names letters, digits, _, . and -.`,
      });
    }
    const schema = { dataset: options.dataset, version: options.version ?? 1, columns };
    return checkDocument(datasetSchema, schema, { what: 'inferred schema', code: 'BAD_SCHEMA' });
  } finally {
    engine.close();
  }
}

type Note = NonNullable<InferOptions['note']>;

/** Files that differ in the order of their columns are looked at apart, and have the same to say. */
function once(note: Note): Note {
  const said = new Set<string>();
  return (line) => {
    if (!said.has(line)) note(line);
    said.add(line);
  };
}

/** The names that all files have, as a schema can hold them, in the order of the first file. */
function commonColumns(layouts: readonly Layout[], note: Note): string[] {
  const names = layouts.map((layout) => namesIn(layout, note));
  for (const [index, own] of names.entries()) {
    for (const name of own) {
      const lacking = layouts.find((other) => findColumn(other, name) === undefined);
      if (lacking === undefined) continue;
      const [has, lacks] = [nameOf(layouts[index]!.files[0]!), nameOf(lacking.files[0]!)];
      throw new Misuse('BAD_SCHEMA', `SCHEMA MISMATCH: ${has} has a column ${name}, ${lacks} has not`, {
        hint: 'Give all files the same columns.',
      });
    }
  }
  return names[0]!;
}

function namesIn(layout: Layout, note: Note): string[] {
  const file = nameOf(layout.files[0]!);
  const seen = new Map<string, string>();
  return layout.columns.flatMap(({ name: written }, index) => {
    const name = schemaName(written);
    if (name === undefined) {
      note(
        `column ${index + 1} of ${file} is left out: a schema's names are of letters, digits, _, . and -; rename it`,
      );
      return [];
    }
    const earlier = seen.get(name.toLowerCase());
    if (earlier !== undefined) {
      throw new Misuse(
        'BAD_SCHEMA',
        `${file}: a schema would have one name, ${name}, for the columns ${earlier} and ${written}`,
        {
          hint: 'Rename one of them.',
        },
      );
    }
    seen.set(name.toLowerCase(), written);
    if (name !== written.trim()) note(`column ${written} is called ${name}`);
    return [name];
  });
}

async function inferColumn(
  engine: Engine,
  layouts: readonly Layout[],
  name: string,
  note: Note,
): Promise<Column | undefined> {
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
  if (profile === 'too fine') {
    note(
      `${name} is left out: its numbers have more than ${MOST_DECIMALS} decimals, or more than 15 digits; round them in the files`,
    );
    return undefined;
  }
  if (profile.kind === 'empty') return { name, type: 'number', decimals: 0, minimum: '0', maximum: '0' };
  const spread = await distinct(engine, layouts, name, profile.kind === 'number');
  if (profile.kind === 'text') {
    const usable = spread.length <= MOST_CATEGORY_CODES && spread.every((code) => code.length <= 64);
    const column: Column = usable ? { name, type: 'category', codes: spread.sort() } : { name, type: 'identifier' };
    await noteTexts(engine, layouts, column, profile, note);
    return column;
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

/** Says so where most texts of a column would be numbers: a slip in some rows makes a text of all. */
async function noteTexts(
  engine: Engine,
  layouts: readonly Layout[],
  { name, type }: Column,
  { file, values, numbers, withComma }: TextProfile,
  note: Note,
): Promise<void> {
  if (2 * (numbers + withComma) <= values) return;
  const kind = type === 'category' ? 'a category' : 'an identifier';
  if (withComma > 0) {
    note(
      `${name} is ${kind}: ${withComma} of ${values} values are written with a decimal comma; write a point in the files`,
    );
    return;
  }
  const layout = layouts.find(({ files }) => files.some((path) => nameOf(path) === file))!;
  const path = layout.files.find((each) => nameOf(each) === file)!;
  const row = await firstText(engine, layout.relation([path]), findColumn(layout, name)!);
  const first = row === undefined ? '' : `, the first in data row ${row} of ${file}`;
  note(
    `${name} is ${kind}: ${values - numbers} of ${values} values are no numbers${first}; empty them if they mean that there is none`,
  );
}

const ascending = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);

/** The values that occur, as text; one more than a category may have, at most. */
async function distinct(
  engine: Engine,
  layouts: readonly Layout[],
  name: string,
  asNumber: boolean,
): Promise<string[]> {
  const parts = layouts.map((layout) => {
    const column = findColumn(layout, name)!;
    const { text, present } = textsOf(column);
    const value = asNumber ? `CAST(TRY_CAST(${identifier(column.name)} AS DOUBLE) AS DECIMAL(38,9))` : text;
    return `SELECT ${value} AS value FROM ${layout.relation(layout.files)} WHERE ${present}`;
  });
  const shown = asNumber ? 'CAST(CAST(value AS HUGEINT) AS VARCHAR)' : 'value';
  const rows = await engine.rows(
    `SELECT ${shown} FROM (SELECT DISTINCT value FROM (${parts.join(' UNION ALL ')})) LIMIT ${MOST_CATEGORY_CODES + 1}`,
  );
  return rows.map(([value]) => String(value));
}
