import { checkDocument } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import {
  datasetSchema,
  MOST_COLUMNS,
  type Column,
  type DatasetSchema,
  type NumberColumn,
} from '../../protocol/schema.ts';
import { columnRule, type DatasetMapping, type Format } from './config.ts';
import { Engine } from './engine.ts';
import { byFormat, findFiles, namesOf } from './files.ts';
import { findColumn, layoutsOf, type Layout, type RawColumn } from './layout.ts';
import { isReadable, mixedTruth } from './readings.ts';
import { schemaName } from './names.ts';
import {
  firstText,
  mergeProfiles,
  profileFile,
  scaleOf,
  valuesOf,
  type NumberProfile,
  type Profile,
  type TextProfile,
} from './profile.ts';

export interface InferOptions {
  readonly dataset: string;
  readonly version?: number;
  readonly format?: Format;
  /** As the hospitals will have it; `multiply` aside, which no draft can follow. */
  readonly mapping?: DatasetMapping | undefined;
  /** Told what the draft leaves out, and what was perhaps meant otherwise, in sentences that hold no value of a row. */
  readonly note?: (line: string) => void;
}

const MOST_NUMBER_CODES = 32;
const WIDEST_NUMBER_CODES = 1000;
const MOST_CATEGORY_CODES = 200;
const IDENTIFIER_NAME = /(^|_)(id|mrn|ssn)$|(^|_)(ID|MRN|SSN|Id)$|[a-z]I[dD]$/;

/**
 * Proposes the schema that all the files together fit: for a sandbox, and as a draft for a person to review before it
 * is registered. Bounds and codes are those that occur, so the draft tells something of the rows. Columns whose numbers no
 * schema holds are left out.
 *
 * Errors: `Misuse BAD_SCHEMA` for a column that is missing in some files, or a number in one and text in another;
 * `Misuse BAD_CONFIG` for a mapping that does not fit the files; `Misuse BAD_FILE`, `Fault DATA` as `openSource`.
 */
export async function inferSchema(files: readonly string[], options: InferOptions): Promise<DatasetSchema> {
  const { mapping, note = () => undefined } = options;
  if (Object.values(mapping?.columns ?? {}).some(({ multiply }) => multiply !== undefined)) {
    throw new Misuse('BAD_CONFIG', 'no schema can be drafted for a mapping with multiply', {
      hint: 'Write the schema.',
    });
  }
  const paths = (await findFiles(files)).map((file) => file.path);
  const formats = byFormat(paths, options.format);
  const engine = await Engine.open();
  try {
    await engine.lock(paths.filter((path) => formats.get('arrow')?.includes(path) !== true));
    const layouts: Layout[] = [];
    for (const [format, alike] of formats) {
      layouts.push(
        ...(await layoutsOf(engine, alike, { format, encoding: undefined, expected: undefined, markers: [] })),
      );
    }
    const names = namesOf(paths);
    const draft: Draft = { engine, layouts, mapping, nameOf: (path) => names.get(path)!, note: once(note) };
    const columns: Column[] = [];
    for (const name of commonColumns(draft)) {
      const column = await inferColumn(draft, name);
      if (column !== undefined) columns.push(column);
    }
    if (columns.length === 0) {
      throw new Misuse('BAD_SCHEMA', 'the files have no column that a schema can hold', {
        hint: 'Numbers have at most 15 digits before and behind the point, names letters, digits, _, . and -.',
      });
    }
    const schema = { dataset: options.dataset, version: options.version ?? 1, columns };
    if (columns.length > MOST_COLUMNS) {
      throw new Misuse(
        'BAD_SCHEMA',
        `the files have ${columns.length} columns, and a schema has at most ${MOST_COLUMNS}`,
        {
          hint: 'Leave columns out of the files that nobody asks for.',
        },
      );
    }
    return checkDocument(datasetSchema, schema, { what: 'inferred schema', code: 'BAD_SCHEMA' });
  } finally {
    engine.close();
  }
}

interface Draft {
  readonly engine: Engine;
  readonly layouts: readonly Layout[];
  readonly mapping: DatasetMapping | undefined;
  /** What to call a file. */
  readonly nameOf: (path: string) => string;
  readonly note: (line: string) => void;
}

/** Files that differ in the order of their columns are looked at apart, and have the same to say. */
function once(note: Draft['note']): Draft['note'] {
  const said = new Set<string>();
  return (line) => {
    if (!said.has(line)) note(line);
    said.add(line);
  };
}

const findMapped = ({ mapping }: Draft, layout: Layout, name: string): RawColumn | undefined =>
  findColumn(layout, columnRule(mapping, name).column);

/** The names that all files have, as a schema can hold them, in the order of the first file. */
function commonColumns(draft: Draft): string[] {
  const { layouts, mapping, nameOf } = draft;
  const names = layouts.map((layout) => namesIn(draft, layout));
  const stranger = Object.keys(mapping?.columns ?? {}).find((name) => names[0]?.includes(name) !== true);
  if (stranger !== undefined) {
    throw new Misuse('BAD_CONFIG', `the mapping names ${stranger}, and the files have no such column`, {
      hint: `Columns: ${(names[0] ?? []).slice(0, 40).join(', ')}.`,
    });
  }
  for (const [index, own] of names.entries()) {
    for (const name of own) {
      const lacking = layouts.find((other) => findMapped(draft, other, name) === undefined);
      if (lacking === undefined) continue;
      const [has, lacks] = [nameOf(layouts[index]!.files[0]!), nameOf(lacking.files[0]!)];
      throw new Misuse('BAD_SCHEMA', `SCHEMA MISMATCH: ${has} has a column ${name}, ${lacks} has not`, {
        hint: 'Give all files the same columns.',
      });
    }
  }
  return names[0]!;
}

function namesIn({ mapping, nameOf, note }: Draft, layout: Layout): string[] {
  const file = nameOf(layout.files[0]!);
  const mapped = Object.keys(mapping?.columns ?? {}).map((name) => ({
    name,
    found: findColumn(layout, columnRule(mapping, name).column),
  }));
  const seen = new Map<string, string>();
  return layout.columns.flatMap((column, index) => {
    const { name: written } = column;
    const wanted = mapped.find(({ found }) => found === column)?.name;
    const name = wanted ?? schemaName(written);
    if (name === undefined) {
      const why =
        written.trim() === '' ? 'it has no name' : "a schema's names are of letters, digits, _, . and -; rename it";
      note(`column ${index + 1} of ${file} is left out: ${why}`);
      return [];
    }
    const earlier = seen.get(name.toLowerCase());
    if (earlier !== undefined) {
      const message = `${file}: a schema would have one name, ${name}, for the columns ${earlier} and ${written}`;
      throw new Misuse('BAD_SCHEMA', message, { hint: 'Rename one of them.' });
    }
    seen.set(name.toLowerCase(), written);
    if (wanted === undefined && name !== written.trim()) note(`column ${written} is called ${name}`);
    return [name];
  });
}

async function inferColumn(draft: Draft, name: string): Promise<Column | undefined> {
  const { engine, layouts, note, nameOf } = draft;
  if (IDENTIFIER_NAME.test(name)) return { name, type: 'identifier' };
  const rule = columnRule(draft.mapping, name);
  const profiles: Profile[] = [];
  for (const layout of layouts) {
    const found = findMapped(draft, layout, name)!;
    if (!isReadable(found.type)) {
      note(`${name} is left out: in ${nameOf(layout.files[0]!)} it holds neither numbers nor texts`);
      return undefined;
    }
    for (const file of layout.files)
      profiles.push(await profileFile(engine, layout.relation([file]), valuesOf(found, rule), nameOf(file)));
  }
  const texts = profiles.some(({ kind }) => kind === 'text') ? await distinct(draft, name, false) : undefined;
  if (texts !== undefined && mixedTruth(texts)) {
    note(`${name} is 0 or 1: the files write its truth values in more than one way`);
    return { name, type: 'number', decimals: 0, minimum: '0', maximum: '1', codes: ['0', '1'] };
  }
  const profile = mergeProfiles(name, profiles, Object.keys(rule.codes).length > 0);
  if (profile.kind === 'empty') return { name, type: 'number', decimals: 0, minimum: '0', maximum: '0' };
  if (profile.kind === 'number') return numberColumn(draft, name, profile);
  const codes = texts ?? (await distinct(draft, name, false));
  const usable = codes.length <= MOST_CATEGORY_CODES && codes.every((code) => code.length <= 64);
  const column: Column = usable ? { name, type: 'category', codes: codes.sort() } : { name, type: 'identifier' };
  await noteTexts(draft, column, profile);
  return column;
}

async function numberColumn(draft: Draft, name: string, profile: NumberProfile): Promise<NumberColumn | undefined> {
  const scale = scaleOf(profile);
  if (scale === undefined) {
    draft.note(`${name} is left out: its numbers are too large or too small for a schema; another unit would do`);
    return undefined;
  }
  if (scale.rounded === true) {
    draft.note(`${name} has numbers of more than 12 digits: they are rounded to ${scale.decimals} decimals`);
  }
  const column: NumberColumn = { name, type: 'number', ...scale };
  if (profile.decimals > 0 || profile.maximum - profile.minimum > WIDEST_NUMBER_CODES) return column;
  const codes = [...new Set((await distinct(draft, name, true)).map(BigInt))].sort(ascending).map(String);
  return codes.length <= MOST_NUMBER_CODES ? { ...column, codes } : column;
}

/** Says so where most texts of a column would be numbers: a slip in some rows makes a text of all. */
async function noteTexts(draft: Draft, { name, type }: Column, profile: TextProfile): Promise<void> {
  const { engine, layouts, mapping, nameOf, note } = draft;
  const { file, values, numbers, dressed, withComma, grouped } = profile;
  if (2 * (numbers + dressed) <= values) return;
  const kind = type === 'category' ? 'a category' : 'an identifier';
  const mostly = 2 * dressed > values - numbers;
  if (mostly && (dressed > withComma || grouped === withComma)) {
    const perhaps = dressed > withComma ? '' : '; if it is a decimal comma, set "decimalComma": true in a mapping';
    note(
      `${name} is ${kind}: ${dressed} of ${values} values are numbers with a sign or separator, as % or the comma of 1,000; write plain numbers in the files${perhaps}`,
    );
    return;
  }
  if (mostly) {
    note(
      `${name} is ${kind}: ${withComma} of ${values} values are written with a decimal comma; set "decimalComma": true in a mapping`,
    );
    return;
  }
  const layout = layouts.find(({ files }) => files.some((path) => nameOf(path) === file))!;
  const path = layout.files.find((each) => nameOf(each) === file)!;
  const found = findMapped(draft, layout, name)!;
  const row = await firstText(engine, layout.relation([path]), valuesOf(found, columnRule(mapping, name)));
  const first = row === undefined ? '' : `, the first in data row ${row} of ${file}`;
  note(
    `${name} is ${kind}: ${values - numbers} of ${values} values are no numbers${first}; if they mean that there is none, name them as "missing" in a mapping`,
  );
}

const ascending = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);

/** The values that occur, as text; one more than a category may have, at most. */
async function distinct(draft: Draft, name: string, asNumber: boolean): Promise<string[]> {
  const parts = draft.layouts.map((layout) => {
    const { code, double, present } = valuesOf(findMapped(draft, layout, name)!, columnRule(draft.mapping, name));
    const value = asNumber ? `CAST(${double} AS DECIMAL(38,9))` : code;
    return `SELECT ${value} AS value FROM ${layout.relation(layout.files)} WHERE ${present}`;
  });
  const shown = asNumber ? 'CAST(CAST(value AS HUGEINT) AS VARCHAR)' : 'value';
  const rows = await draft.engine.rows(
    `SELECT ${shown} FROM (SELECT DISTINCT value FROM (${parts.join(' UNION ALL ')})) LIMIT ${MOST_CATEGORY_CODES + 1}`,
  );
  return rows.map(([value]) => String(value));
}
