import { Fault } from '../../protocol/errors.ts';
import type { AttachedColumn, AttachedLayout, Attachment } from './attachment.ts';
import { refreshRelation, RELATION } from './attachment.ts';
import { nameOf } from './files.ts';
import { RULE_HINT, RULE_TEXT, type Reading, type Rule } from './readings.ts';
import { identifier } from './text.ts';

/**
 * Proves that every value of the named columns fits the schema, and picks the fastest reading that is right. What was
 * proved once is not proved again. It does not prove that a value is true.
 *
 * Cost: of Parquet, one look at each column alone, which the engine answers mostly from dictionaries; of the other
 * formats, one pass for all columns. Errors: `Fault DATA` with file, row, column and rule, never the value.
 */
export async function verifyAttached(attachment: Attachment, names: readonly string[]): Promise<void> {
  const pending = names.filter((name) => !attachment.verified.has(name));
  if (pending.length === 0) return;
  const proved: [AttachedColumn, Reading][] = [];
  for (const layout of attachment.layouts) {
    const columns = layout.attached.filter((each) => pending.includes(each.column.name));
    for (const column of columns) requireFound(layout, column);
    const fitting = await fittingReadings(attachment, layout, columns);
    for (const [index, column] of columns.entries()) {
      const reading = fitting[index];
      if (reading === undefined) throw await firstMisfit(attachment, layout, column);
      proved.push([column, reading]);
    }
  }
  // Only now, when all files fit: a column is verified in all of them or in none.
  for (const [column, reading] of proved) column.reading = reading;
  await refreshRelation(attachment);
  await findComplete(attachment, pending);
  for (const name of pending) attachment.verified.add(name);
}

/** Only of Parquet, which mostly says so in its statistics: of the other formats it would take one more pass. */
async function findComplete({ engine, layouts, complete }: Attachment, names: readonly string[]): Promise<void> {
  if (layouts.some(({ format }) => format !== 'parquet')) return;
  for (const name of names) {
    const missing = await engine.rows(`SELECT 1 FROM ${RELATION} WHERE ${identifier(name)} IS NULL LIMIT 1`);
    if (missing.length === 0) complete.add(name);
  }
}

function requireFound(layout: AttachedLayout, { column, sourceName, found, readings }: AttachedColumn): void {
  const file = nameOf(layout.files[0]!);
  if (found === undefined) {
    throw new Fault('DATA', `${file} has no column ${sourceName}, which the schema's ${column.name} is read from`, {
      hint: 'Name the right column in the mapping, or export it.',
    });
  }
  if (readings.length === 0) {
    throw new Fault('DATA', `${file}: column ${sourceName} holds neither numbers nor texts`, {
      hint: 'Nested and binary columns cannot be mapped, nor times and decimals of Arrow files; export it as a plain column, or as Parquet.',
    });
  }
}

/** For each column its first reading without a misfit. */
async function fittingReadings(
  { engine }: Attachment,
  layout: AttachedLayout,
  columns: readonly AttachedColumn[],
): Promise<(Reading | undefined)[]> {
  const relation = layout.relation(layout.files);
  if (layout.format === 'parquet') {
    // A filter on one column alone runs on its dictionary, a few hundred values for ten million rows.
    const fits = async ({ misfit }: Reading): Promise<boolean> =>
      (await engine.rows(`SELECT 1 FROM ${relation} WHERE ${misfit} LIMIT 1`)).length === 0;
    const found: (Reading | undefined)[] = [];
    for (const column of columns) found.push(await firstThat(column.readings, fits));
    return found;
  }
  const fitting: (Reading | undefined)[] = columns.map(() => undefined);
  // Mostly one pass: only columns that their first reading does not fit are read again, by the next one.
  for (let level = 0; ; level++) {
    const open = columns.flatMap(({ readings }, index) => {
      const reading = fitting[index] === undefined ? readings[level] : undefined;
      return reading === undefined ? [] : [{ index, reading }];
    });
    if (open.length === 0) return fitting;
    const terms = open.map(({ reading }) => `coalesce(bool_or(${reading.misfit}), false)`);
    const [row = []] = await engine.rows(`SELECT ${terms.join(', ')} FROM ${relation}`);
    open.forEach(({ index, reading }, term) => {
      if (row[term] === false) fitting[index] = reading;
    });
  }
}

async function firstThat<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of items) if (await holds(item)) return item;
  return undefined;
}

/** The error for the first row, in file order, that no reading fits. */
async function firstMisfit(
  { engine }: Attachment,
  layout: AttachedLayout,
  { column, readings }: AttachedColumn,
): Promise<Fault> {
  const { misfit, rule } = readings.at(-1)!;
  for (const file of layout.files) {
    const [found] = await engine.rows(
      `SELECT min(row), min_by(rule, row) FROM (
         SELECT row_number() OVER () AS row, ${misfit} AS misfit, CASE WHEN ${misfit} THEN ${rule} END AS rule
         FROM ${layout.relation([file])}) WHERE misfit`,
    );
    const [row, broken] = found ?? [];
    if (typeof row !== 'bigint') continue;
    const key = broken as Rule;
    return new Fault('DATA', `${nameOf(file)}, data row ${String(row)}: ${column.name} ${RULE_TEXT[key]}`, {
      hint: RULE_HINT[key],
    });
  }
  return changedFault();
}

/** The files are not what they were when they were looked at. */
export const changedFault = (): Fault =>
  new Fault('DATA', 'the files changed while they were read', {
    hint: 'Ask again; replace data files by renaming a finished copy over them, between queries.',
  });
