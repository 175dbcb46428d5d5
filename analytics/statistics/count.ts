import { countOf } from '../terms.ts';
import type { Planner } from './statistic.ts';

/** Rows of the group. */
export const count: Planner<object> = () => ({
  terms: [countOf()],
  names: () => ['count'],
  decode: (cells) => cells.map(Number),
});
