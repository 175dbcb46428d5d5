import { powerOfTen, ratio } from '../exact.ts';
import { countOf, sumOf } from '../terms.ts';
import type { OfColumn, Planner } from './statistic.ts';

/** sum x, the double nearest to the exact decimal number; 0 where there is no value. */
export const sum: Planner<OfColumn> = ({ column }, scope, place) => {
  const scale = powerOfTen(scope.number(column, `${place}.column`).decimals);
  return {
    terms: [countOf(column), sumOf([column])],
    names: () => [`n(${column})`, `sum(${column})`],
    decode: ([n, x]) => [Number(n), ratio(x!, scale)],
  };
};
