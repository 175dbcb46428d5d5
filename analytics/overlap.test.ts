import { expect, it } from 'vitest';
import { visits } from './testing/queries.ts';
import { OPEN, prepare } from './testing/world.ts';

const derive = { severe: { column: 'grade', gte: 2 }, old: { column: 'age', gte: 65 } };
const sexByWard = { table: { columns: ['sex', 'ward'] } };
const ages = { histogram: { column: 'age', bins: [0, 50, 100] } };

it.each<[string, object[]]>([
  ['counts by "sex" again, as statistics.0 does', [sexByWard, { histogram: { column: 'sex' } }]],
  ['counts by "old" again, as statistics.0 does', [ages, { histogram: { column: 'old' } }]],
  ['counts by "grade" again', [{ histogram: { column: 'severe' } }, { histogram: { column: 'grade' } }]],
  ['sums and counts by "grade"', [{ histogram: { column: 'grade' } }, { mean: { column: 'grade' } }]],
  ['sums and counts by "severe"', [{ variance: { column: 'severe' } }, { table: { columns: ['grade', 'sex'] } }]],
  ['sums and counts by "old"', [ages, { covariance: { columns: ['dose', 'old'] } }]],
  ['sums and counts by "age"', [{ mean: { column: 'age' } }, { histogram: { column: 'age', bins: [0, 1, 2, 100] } }]],
])('a query that %s is refused under a rule', (mistake, statistics) => {
  expect(() => prepare({ derive, statistics }, visits)).toThrow(mistake);
  expect(() => prepare({ derive, statistics, release: OPEN }, visits)).not.toThrow();
});

it.each<[object[]]>([
  [[sexByWard, ages, { histogram: { column: 'grade' } }, { mean: { column: 'dose' } }]],
  [[ages, { mean: { column: 'age' } }, { n: { column: 'age' } }]],
  [[{ mean: { column: 'old' } }, { mean: { column: 'age' } }]],
])('%j stand beside each other', (statistics) => {
  expect(() => prepare({ derive, statistics, groupBy: [{ column: 'severe' }] }, visits)).not.toThrow();
});
