import { gridValue, requireGrid } from '../grid.ts';
import type { Search } from '../search.ts';
import { countOf } from '../terms.ts';
import type { OfColumn, Planner } from './statistic.ts';

/**
 * The k-th smallest and the k-th largest value, where k is the smallest cell of the release rule: trimmed as far as the
 * rule asks, since the extremes themselves are single patients' values. With k = 1 they are minimum and maximum. Null where n = 0.
 */
export const extremes: Planner<OfColumn> = ({ column }, scope, place, rule) => {
  const { minimumCell } = rule;
  const field = scope.number(column, `${place}.column`);
  requireGrid(field, `${place}.column`, rule);
  const ranked = (kind: 'smallest' | 'largest'): Search => ({
    column,
    target: { kind, rank: minimumCell },
    // Of fewer values the k-th smallest would lie above the k-th largest.
    minimum: 2 * minimumCell,
    names: [`${kind}(${column})`],
    decode: (answer) => [gridValue(field, answer)],
    ofNothing: [null],
  });
  return {
    terms: [countOf(column)],
    searches: [ranked('smallest'), ranked('largest')],
    names: () => [`n(${column})`],
    decode: (cells) => cells.map(Number),
  };
};
