/**
 * A term is one exact integer per group that a statistic is made of. Terms that must be equal have one key, so that
 * the mean and the variance of a column, and every statistic beside them, share their cells.
 */
export type Term =
  /** Rows in which all these columns are present. */
  | { readonly kind: 'count'; readonly present: readonly string[] }
  /** Sum of the product of one or two columns, over the rows in which `present` are there too. */
  | { readonly kind: 'sum'; readonly factors: readonly string[]; readonly present: readonly string[] };

/** Rows where all columns are present; with none, all rows. */
export const countOf = (...columns: readonly string[]): Term => ({ kind: 'count', present: columns });

/** Sum of products of `factors`, over rows where `present` are there as well. */
export const sumOf = (factors: readonly string[], present: readonly string[] = []): Term => ({
  kind: 'sum',
  factors,
  present,
});

/**
 * The simplest term with the same value, given the columns that are present in every row of every group. A product
 * is missing where a factor is, so that factors need not be asked for again.
 */
export function simplify(term: Term, alwaysPresent: ReadonlySet<string>): Term {
  const factors = term.kind === 'sum' ? term.factors : [];
  const present = [...new Set(term.present)]
    .filter((name) => !alwaysPresent.has(name) && !factors.includes(name))
    .sort();
  return term.kind === 'count' ? { kind: 'count', present } : { kind: 'sum', factors: [...factors].sort(), present };
}

/** Equal for simplified terms that are equal. */
export const termKey = (term: Term): string =>
  JSON.stringify(term.kind === 'count' ? [term.present] : [term.present, term.factors]);

/** Columns whose values a term needs. */
export const columnsOfTerm = (term: Term): readonly string[] =>
  term.kind === 'sum' ? [...term.factors, ...term.present] : term.present;
