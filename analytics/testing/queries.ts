import fc from 'fast-check';
import type { Query } from '../../protocol/query.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import { planQuery, type Plan } from '../index.ts';
import { prepare, schemaOf } from './world.ts';

/** Queries of all kinds under a release rule, over one small schema, with the plan of each. */
export const visits: DatasetSchema = schemaOf(
  [
    { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '99' },
    { name: 'dose', type: 'number', decimals: 1, minimum: '-5', maximum: '5' },
    { name: 'sex', type: 'category', codes: ['f', 'm'] },
    { name: 'ward', type: 'category', codes: ['a', 'b', 'c'] },
    { name: 'grade', type: 'number', decimals: 0, minimum: '0', maximum: '2', codes: ['0', '1', '2'] },
  ],
  'visits',
);

const ofColumn = fc.constantFrom('age', 'dose').map((column) => ({ column }));
const statistic = fc.oneof(
  fc.constant({ count: {} }),
  ...['n', 'sum', 'mean', 'variance', 'sd', 'se', 'ci'].map((kind) => ofColumn.map((of) => ({ [kind]: of }))),
  fc.constantFrom<object>(
    { n: { column: 'ward' } },
    { n: { columns: ['age', 'ward'] } },
    { covariance: { columns: ['age', 'dose'] } },
    { correlation: { columns: ['dose', 'age'] } },
    { histogram: { column: 'sex' } },
    { histogram: { column: 'age', bins: [0, 30, 60, 100] } },
    { histogram: { column: 'age', bins: [20, 40, 60] } },
    { table: { columns: ['ward', 'grade'] } },
    { table: { columns: ['sex', 'ward'] } },
  ),
);

const input = fc.record(
  {
    cohort: fc.constantFrom({ column: 'age', gte: 20 }, { column: 'sex', notNull: true }),
    groupBy: fc.constantFrom(
      [{ column: 'sex' }],
      [
        { column: 'ward', missing: 'group' },
        { column: 'age', bins: [0, 50, 100] },
      ],
    ),
    statistics: fc.uniqueArray(statistic, { minLength: 1, maxLength: 5, selector: (each) => JSON.stringify(each) }),
    release: fc.record({
      minimumCell: fc.integer({ min: 1, max: 12 }),
      insiderRule: fc.constantFrom<boolean | number>(true, 2),
      zeroCells: fc.constantFrom('open', 'withhold'),
    }),
  },
  { requiredKeys: ['statistics', 'release'] },
);

/** Those that would tell in one part what another withholds are refused, and left out here. */
export const plannedUnderRule: fc.Arbitrary<{ query: Query; plan: Plan }> = input
  .map((written) => {
    try {
      const query = prepare(written, visits);
      return { query, plan: planQuery(query, visits) };
    } catch {
      return undefined;
    }
  })
  .filter((planned) => planned !== undefined);
