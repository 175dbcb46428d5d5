import { resolveCodes } from '../axis.ts';
import { badQuery } from '../mistake.ts';
import type { OfPair, Planner } from './statistic.ts';

/** Contingency table: rows with each pair of codes. Values are named `table(cp=1,disease=0)`; the second varies fastest. */
export const table: Planner<OfPair> = ({ columns }, scope, place) => {
  const [x, y] = columns;
  if (x === y) throw badQuery(`${place}.columns`, 'a table needs two different columns; of one there is a histogram');
  const [rows, across] = [resolveCodes(x, scope, `${place}.columns.0`), resolveCodes(y, scope, `${place}.columns.1`)];
  return {
    terms: [],
    table: [rows, across],
    names: () => rows.labels.flatMap((a) => across.labels.map((b) => `table(${x}=${a ?? ''},${y}=${b ?? ''})`)),
    decode: (cells) => cells.map(Number),
  };
};
