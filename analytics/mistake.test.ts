import { describe, expect, it } from 'vitest';
import { normalizeQuery } from './normalize.ts';
import { heart as schema } from './testing/heart.ts';
import { prepare } from './testing/world.ts';

const count = { statistics: [{ count: {} }] };
const derive = { disease: { column: 'num', gt: 0 } };
const hundred = Array.from({ length: 101 }, (_, k) => k);

describe('a mistake is told with its place', () => {
  const statistics = (...list: unknown[]): object => ({ statistics: list });
  const cohort = (predicate: unknown): object => ({ ...count, derive, cohort: predicate });
  const groupBy = (...list: unknown[]): object => ({ ...count, groupBy: list });

  it.each<[object, string]>([
    [
      statistics({ count: {} }, { mean: { column: 'cholesterol' } }),
      'statistics.1.mean.column: "cholesterol" is not a column of heart@1; did you mean "chol"?',
    ],
    [statistics({ mean: { column: 'zzz' } }), 'statistics.0.mean.column: "zzz" is not a column of heart@1'],
    [
      statistics({ mean: { column: 'sex' } }),
      'statistics.0.mean.column: "sex" is a category, and this statistic needs a number',
    ],
    [
      statistics({ mean: { column: 'patient' } }),
      'statistics.0.mean.column: "patient" is an identifier: it is never grouped by, compared, summed or shown',
    ],
    [statistics({ mean: {} }), 'statistics.0.mean.column: is missing'],
    [statistics({ mean: { column: 5 } }), 'statistics.0.mean.column: expected text, found a number'],
    [
      statistics({ mena: { column: 'age' } }),
      'statistics.0: unknown statistic "mena"; did you mean "mean"?; known: count, n, sum, mean, variance, sd, se, ci, histogram, covariance, correlation, table, quantile, median, extremes, distinct',
    ],
    [
      statistics({}),
      'statistics.0: expected one statistic, as {"mean": {"column": "age"}}; known: count, n, sum, mean, variance, sd, se, ci, histogram, covariance, correlation, table, quantile, median, extremes, distinct',
    ],
    [statistics({ count: {} }, { count: {} }), 'statistics.1: is the same as statistics.0'],
    [
      statistics({ ci: { column: 'age' } }, { ci: { column: 'age', level: 0.9 } }),
      'statistics.1: a value named ci.lower(age) is asked for already; ask for this one in a query of its own',
    ],
    [
      statistics({ histogram: { column: 'age' } }),
      'statistics.0.histogram: "age" is a number without a list of codes: say where to cut it, as "bins": [0, 50, 100]',
    ],
    [
      statistics({ table: { columns: ['sex', 'sex'] } }),
      'statistics.0.table.columns: a table needs two different columns; of one there is a histogram',
    ],
    [
      statistics({ correlation: { columns: ['age', 'sex'] } }),
      'statistics.0.correlation.columns.1: "sex" is a category, and this statistic needs a number',
    ],
    [
      statistics({ quantile: { column: 'sex', p: 0.5 } }),
      'statistics.0.quantile.column: "sex" is a category, and this statistic needs a number',
    ],
    [
      statistics({ quantile: { column: 'age', p: 1 } }),
      'statistics.0.quantile.p: expected a probability between 0 and 1 with at most 4 decimals, as 0.25',
    ],
    [
      statistics({ quantile: { column: 'age', p: [0.5, 0.12345] } }),
      'statistics.0.quantile.p.1: expected a probability between 0 and 1 with at most 4 decimals, as 0.25',
    ],
    [
      statistics({ quantile: { column: 'age', p: [0.5, 0.5] } }),
      'statistics.0: a value named quantile(age,0.5) is asked for already; ask for this one in a query of its own',
    ],
    [
      statistics({ quantile: { column: 'age', p: Array.from({ length: 21 }, (_, k) => (k + 1) / 50) } }),
      'statistics.0.quantile.p: expected a list of at most 20, found one of 21',
    ],
    [
      { ...statistics({ quantile: { column: 'age', p: 0.0001 } }), release: { minimumCell: 1_000_000 } },
      'statistics.0.quantile.p: under this release rule the quantile at 0.0001 would need 2,500,000,000 values',
    ],
    [
      statistics({ median: { column: 'ages' } }),
      'statistics.0.median.column: "ages" is not a column of heart@1; did you mean "age"?',
    ],
    [
      statistics({ median: { column: 'income' } }),
      'statistics.0.median.column: "income" has 20,000,001 possible values between its bounds; at most 16,777,216 can be searched',
    ],
    [
      { derive, ...statistics({ median: { column: 'disease' } }) },
      'statistics.0.median.column: "disease" has few values: its quantiles could tell a count that the release rule withholds',
    ],
    [
      statistics({ extremes: { column: 'patient' } }),
      'statistics.0.extremes.column: "patient" is an identifier: it is never grouped by, compared, summed or shown',
    ],
    [
      statistics({ distinct: { column: 'patient', bits: 1000 } }),
      'statistics.0.distinct.bits: expected a power of two from 256 to 262144, as 16384',
    ],
    [
      { ...groupBy({ column: 'age', bins: hundred }), ...statistics({ distinct: { column: 'patient', bits: 65536 } }) },
      'the query asks for 6,553,600 bits of distinct counts over its 100 groups; at most 4,194,304 are allowed',
    ],
    [
      {
        ...groupBy({ column: 'age', bins: hundred }, { column: 'chol', bins: hundred }, { column: 'sex' }),
        ...statistics({ median: { column: 'age' } }),
      },
      'the query asks for 20,000 quantiles and extremes over its 20,000 groups; at most 10,000 are allowed',
    ],
    [cohort({ column: 'sex', eq: '3' }), 'cohort.eq: wrong code "3" for sex; known: 0, 1'],
    [cohort({ column: 'sex', in: ['0', true] }), 'cohort.in.1: wrong code "true" for sex; known: 0, 1'],
    [cohort({ column: 'disease', eq: 2 }), 'cohort.eq: wrong code "2" for disease; known: 0, 1'],
    [cohort({ column: 'sex', gte: 0 }), 'cohort.gte: gte compares numbers, and "sex" is a category'],
    [cohort({ column: 'age', eq: true }), 'cohort.eq: "age" is a number; true and false are for derived columns'],
    [
      cohort({ all: [{ any: [{ column: 'agee', gt: 3 }] }] }),
      'cohort.all.0.any.0.column: "agee" is not a column of heart@1; did you mean "age"?',
    ],
    [
      cohort({ column: 'age', greater: 3 }),
      'cohort: unknown test "greater"; known: eq, ne, gt, gte, lt, lte, between, in, notIn, isNull, notNull',
    ],
    [
      cohort({ all: [{ not: { colum: 'age' } }] }),
      'cohort.all.0.not: unknown form of predicate; known: {"all": [...]}, {"any": [...]}, {"not": ...}, {"column": ..., "gte": ...}, found "colum"',
    ],
    [
      cohort({ column: 'age', gte: 1e30 }),
      'cohort.gte: expected a number of at most 18 digits before and 30 behind the decimal point',
    ],
    [cohort({ column: 'age', between: [5, 1] }), 'cohort.between: the first bound is above the second'],
    [
      cohort({ column: 'patient', notNull: true }),
      'cohort.column: "patient" is an identifier: it is never grouped by, compared, summed or shown',
    ],
    [
      { ...count, derive: { Age: { column: 'num', gt: 0 } } },
      'derive.Age: "Age" is a column already; choose another name',
    ],
    [
      { ...count, derive: { ...derive, worse: { column: 'disease', eq: 1 } } },
      'derive.worse.column: "disease" is not a column of heart@1',
    ],
    [
      groupBy({ column: 'age' }),
      'groupBy.0: "age" is a number without a list of codes: say where to cut it, as "bins": [0, 50, 100]',
    ],
    [groupBy({ column: 'age', bins: [0, 50, 50] }), 'groupBy.0.bins.2: edges must increase'],
    [
      groupBy({ column: 'oldpeak', bins: [0, 0.25] }),
      'groupBy.0.bins.1: "oldpeak" has 1 decimal, and this edge has more',
    ],
    [groupBy({ column: 'sex', bins: [0, 1] }), 'groupBy.0.bins: "sex" is a category: its groups are its codes'],
    [groupBy({ column: 'sex' }, { column: 'sex' }), 'groupBy.1.column: "sex" is grouped by twice'],
    [
      groupBy(
        { column: 'age', bins: hundred },
        { column: 'chol', bins: hundred },
        { column: 'oldpeak', bins: hundred.map((k) => k / 10) },
        { column: 'sex' },
      ),
      'the query asks for 2,000,000 numbers (2,000,000 groups of 1); at most 1,000,000 are allowed',
    ],
    [{ ...count, purpose: '' }, 'purpose: expected a purpose code, as GRU'],
    [
      { ...count, groupby: [] },
      'unknown key "groupby"; did you mean "groupBy"?; known: dataset, purpose, title, derive, cohort, groupBy, statistics, release',
    ],
    [
      statistics({ mean: { colum: 'age' } }),
      'statistics.0.mean: unknown key "colum"; did you mean "column"?; known: column',
    ],
    [
      groupBy({ column: 'age', bin: [0, 50] }),
      'groupBy.0: unknown key "bin"; did you mean "bins"?; known: column, bins, missing',
    ],
    [
      { ...count, release: { minimumCells: 5 } },
      'release: unknown key "minimumCells"; did you mean "minimumCell"?; known: minimumCell, insiderRule, minimumHospitals, zeroCells, dominance',
    ],
    [
      { ...count, release: { minimumHospitals: 1 } },
      'release.minimumHospitals: expected a number of at least 2, found 1',
    ],
    [statistics({ mean: 'age' }), 'statistics.0.mean: expected an object, found text'],
    [{ ...count, groupBy: { column: 'sex' } }, 'groupBy: expected a list, found an object'],
    [
      statistics({ histogram: { column: 'age', bins: [40] } }),
      'statistics.0.histogram.bins: expected a list of at least 2, found one of 1',
    ],
    [statistics({ quantile: { column: 'age' } }), 'statistics.0.quantile.p: is missing'],
    [
      { ...count, cohort: { column: 'age', eq: null } },
      'cohort.eq: is null: missing values are found by "isNull": true',
    ],
    [{ ...count, title: null }, 'title: is null'],
    [
      { ...count, derive: { 'my column': { column: 'age', gt: 1 } } },
      'derive.my column: expected a column name of letters, digits, _, . and - that starts with a letter or _',
    ],
  ])('%j', (input, message) => {
    expect(() => prepare(input, schema)).toThrow(expect.objectContaining({ code: 'BAD_QUERY', message }) as Error);
  });

  it('an unknown dataset', () => {
    expect(() => normalizeQuery({ dataset: 'lung', purpose: 'GRU', ...count }, () => undefined)).toThrow(
      'dataset: no dataset lung is registered',
    );
  });
});
