/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const list = (items: readonly string[]): string => `[${items.join(', ')}]`;

export const translate = (text: string, codes: Readonly<Record<string, string>>): string =>
  `CASE ${text} ${Object.entries(codes)
    .map(([from, to]) => `WHEN ${literal(from)} THEN ${literal(to)}`)
    .join(' ')} END`;
