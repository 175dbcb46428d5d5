import { columnName } from '../../protocol/names.ts';

/**
 * What a schema calls a column of the files: by its own name, or where a schema cannot have that, by what is left of it.
 * `Jitter(Abs)` is Jitter_Abs, `concave points` concave_points, `2h-Glucose` _2h-Glucose; of some names nothing is left.
 */
export function schemaName(written: string): string | undefined {
  const name = written.trim();
  if (columnName.safeParse(name).success) return name;
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^A-Za-z0-9.-]+/g, '_')
    .replace(/^[_.-]+|[_.-]+$/g, '');
  const short = (/^[0-9]/.test(plain) ? `_${plain}` : plain).slice(0, 63);
  return columnName.safeParse(short).success ? short : undefined;
}

/** Names that a column of the files goes by, in small letters. */
export const knownAs = (name: string): string[] =>
  [...new Set([name, schemaName(name) ?? name])].map((each) => each.toLowerCase());

/** The column that a name means: written alike, or else alike but for capitals, or else the only one that a schema would call so. */
export function findByName<T extends { readonly name: string }>(columns: readonly T[], wanted: string): T | undefined {
  const small = wanted.toLowerCase();
  const alike = columns.find(({ name }) => name === wanted) ?? columns.find(({ name }) => name.toLowerCase() === small);
  if (alike !== undefined) return alike;
  const [only, ...others] = columns.filter(({ name }) => schemaName(name)?.toLowerCase() === small);
  return others.length === 0 ? only : undefined;
}
