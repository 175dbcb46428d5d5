import type { QueryInput } from '../../protocol/query.ts';

/** Typed: the editor completes predicates and statistics. Names of columns are checked against the schema at submission. */
export const query: QueryInput = {
  dataset: 'encounters',
  purpose: 'HMB',
  title: 'Blood pressure and mortality of inpatients by sex',
  cohort: { column: 'age', gte: 40 },
  derive: { elderly: { column: 'age', gte: 75 } },
  groupBy: [{ column: 'sex' }],
  statistics: [
    { count: {} },
    { mean: { column: 'systolic' } },
    { ci: { column: 'systolic' } },
    { correlation: { columns: ['age', 'systolic'] } },
    { mean: { column: 'elderly' } },
  ],
};
