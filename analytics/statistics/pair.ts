import type { Scope } from '../fields.ts';
import { countOf, sumOf, type Term } from '../terms.ts';
import type { OfPair } from './statistic.ts';

/** Two number columns. Errors: BAD_QUERY. */
export const numberPair = ({ columns }: OfPair, scope: Scope, place: string): { names: string; decimals: number } => {
  const fields = columns.map((name, index) => scope.number(name, `${place}.columns.${index}`));
  return { names: columns.join(','), decimals: fields.reduce((total, field) => total + field.decimals, 0) };
};

/** n, sum x, sum y and sum xy over complete pairs: the rows in which both are present. */
export const pairTerms = ([x, y]: readonly [string, string]): Term[] => [
  countOf(x, y),
  sumOf([x], [y]),
  sumOf([y], [x]),
  sumOf([x, y]),
];
