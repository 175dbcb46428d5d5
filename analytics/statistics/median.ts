import { requireGrid } from '../grid.ts';
import { countOf } from '../terms.ts';
import { quantileOf } from './quantile.ts';
import type { OfColumn, Planner } from './statistic.ts';

/** The quantile of type 1 at p = 0.5: of an even number of values the lower of the two in the middle. Null where n = 0. */
export const median: Planner<OfColumn> = ({ column }, scope, place, rule) => {
  const field = scope.number(column, `${place}.column`);
  requireGrid(field, `${place}.column`, rule);
  return {
    terms: [countOf(column)],
    searches: [quantileOf(field, 0.5, rule.minimumCell, `median(${column})`)],
    names: () => [`n(${column})`],
    decode: (cells) => cells.map(Number),
  };
};
