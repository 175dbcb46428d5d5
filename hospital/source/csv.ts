import { Misuse } from '../../protocol/errors.ts';
import type { SourceConfig } from './config.ts';
import { nameOf, readStart } from './files.ts';
import { knownAs } from './names.ts';
import { identifier, list, literal } from './text.ts';
import { notUtf8, requireUtf8 } from './utf8.ts';

const START = 1 << 18;
const DELIMITERS = [',', ';', '\t', '|'] as const;

export interface Dialect {
  readonly delimiter: string;
  readonly header: readonly string[];
}

/**
 * Reads the header and tells the separator by it. We do not let the engine guess: it takes a first row of data for a
 * header, or renames doubled columns, without a word. No cell of the file enters an error, for without a header the
 * first line is a patient's.
 *
 * `expected` are the names the mapping looks for; without (schema inference) any header will do.
 */
export async function readDialect(
  path: string,
  encoding: SourceConfig['encoding'],
  expected: readonly string[] | undefined,
): Promise<Dialect> {
  const name = nameOf(path);
  const text = decodeStart(path, await readStart(path, START), encoding);
  const readings = DELIMITERS.map((delimiter) => ({ delimiter, header: firstRecord(text, delimiter) ?? [] }));
  const matches = (header: readonly string[]): number => {
    const names = new Set(header.flatMap(knownAs));
    return (expected ?? []).filter((each) => names.has(each.toLowerCase())).length;
  };
  const [best] = readings.sort((a, b) => matches(b.header) - matches(a.header) || b.header.length - a.header.length);
  if (best === undefined || best.header.length === 0) {
    throw new Misuse('BAD_FILE', `${name}: the first line does not end, or its quotes do not close`);
  }
  if (expected !== undefined && matches(best.header) === 0) {
    throw new Misuse('BAD_FILE', `${name}: the first line names none of the columns of the schema`, {
      hint: 'The first line of a CSV file must be a header; where names differ, map them in the mapping.',
    });
  }
  // Row names that R and pandas write, and separators at the end of lines, make columns without a name; nobody asks for them.
  const header = best.header.map((each, index) => (each.trim() === '' ? ' '.repeat(index + 1) : each));
  checkHeader(name, header, expected === undefined);
  if (encoding !== 'latin-1') await requireUtf8(path);
  return { delimiter: best.delimiter, header };
}

function checkHeader(name: string, header: readonly string[], guessing: boolean): void {
  if (header.every((each) => each.trim() === '')) {
    throw new Misuse('BAD_FILE', `${name}: the first line names no column`, { hint: 'Add a header line.' });
  }
  const seen = new Map<string, number>();
  header.forEach((each, index) => {
    const earlier = seen.get(each.toLowerCase());
    if (earlier !== undefined) {
      throw new Misuse(
        'BAD_FILE',
        `${name}: columns ${earlier + 1} and ${index + 1} of the header have the same name`,
        {
          hint: 'Rename one of them; capitals alone do not tell names apart.',
        },
      );
    }
    seen.set(each.toLowerCase(), index);
  });
  if (guessing && header.some((each) => /^[+-]?[0-9.,]+$/.test(each.trim()))) {
    throw new Misuse('BAD_FILE', `${name}: the first line holds numbers and not names`, {
      hint: 'Add a header line; a name that is a number needs a letter, as y1990.',
    });
  }
}

function decodeStart(path: string, bytes: Uint8Array, encoding: SourceConfig['encoding']): string {
  const name = nameOf(path);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new Misuse('BAD_FILE', `${name} is UTF-16 text`, { hint: 'Save it as "CSV UTF-8".' });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new Misuse('BAD_FILE', `${name} is compressed with gzip`, { hint: 'Decompress it first.' });
  }
  if (bytes.includes(0)) {
    throw new Misuse('BAD_FILE', `${name} is not text`, { hint: 'A CSV file is expected, no spreadsheet or archive.' });
  }
  if (encoding === 'latin-1') return Buffer.from(bytes).toString('latin1');
  try {
    // A character may be cut at the end of the piece: `stream` forgives that, and nothing else.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    throw notUtf8(path);
  }
}

/** The fields of the first record; undefined where it does not end within `text`. */
function firstRecord(text: string, delimiter: string): string[] | undefined {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let index = 0; index <= text.length; index++) {
    const character = text[index] ?? '\n';
    if (quoted) {
      if (index === text.length) return undefined;
      if (character !== '"') field += character;
      else if (text[index + 1] === '"') field += text[++index]!;
      else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === delimiter) {
      fields.push(field);
      field = '';
    } else if (character === '\n' || character === '\r') {
      fields.push(field);
      return fields;
    } else field += character;
  }
  return undefined;
}

/**
 * The relation over CSV files of one dialect, every column as text: types are decided by exact rules, not by a
 * sniffer. The reader itself drops fields that are exactly one of `markers`.
 */
export function csvRelation(
  files: readonly string[],
  dialect: Dialect,
  encoding: SourceConfig['encoding'],
  markers: readonly string[],
): string {
  const columns = dialect.header.map((name) => `${identifier(name)}: 'VARCHAR'`).join(', ');
  return `read_csv(${list(files.map(literal))}, auto_detect = false, header = true, delim = ${literal(dialect.delimiter)},
    quote = '"', escape = '"', strict_mode = true, null_padding = false, encoding = '${encoding ?? 'utf-8'}',
    nullstr = ${list(['', ...markers].map(literal))}, columns = {${columns}})`;
}
