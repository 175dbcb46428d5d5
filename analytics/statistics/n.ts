import { countOf } from '../terms.ts';
import type { OfColumn, OfPair, Planner } from './statistic.ts';

/** Rows in which the column is present, or both columns of a pair. */
export const n: Planner<OfColumn | OfPair> = (request, scope, place) => {
  const columns =
    'column' in request
      ? [scope.field(request.column, `${place}.column`).name]
      : request.columns.map((name, index) => scope.field(name, `${place}.columns.${index}`).name);
  return {
    terms: [countOf(...columns)],
    names: () => [`n(${columns.join(',')})`],
    decode: (cells) => cells.map(Number),
  };
};
