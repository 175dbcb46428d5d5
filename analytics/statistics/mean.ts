import { powerOfTen, ratio } from '../exact.ts';
import { countOf, sumOf } from '../terms.ts';
import type { OfColumn, Planner } from './statistic.ts';

/** (sum x) / n; null where n = 0. */
export const mean: Planner<OfColumn> = ({ column }, scope, place) => {
  const scale = powerOfTen(scope.number(column, `${place}.column`).decimals);
  return {
    terms: [countOf(column), sumOf([column])],
    names: () => [`n(${column})`, `mean(${column})`],
    decode: ([n, x]) => [Number(n), n! > 0n ? ratio(x!, n! * scale) : null],
  };
};
