import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Predicate } from '../protocol/query.ts';
import { unscaleDecimal, type DatasetSchema } from '../protocol/schema.ts';
import { ask, createRelation, OPEN, openDatabase, prepare, schemaOf, type Row } from './testing/world.ts';
import { referenceAnswer } from './testing/reference.ts';

/** Random datasets, cohorts and statistics, split over hospitals, against the pooled rows. */

const AWKWARD_CODES = ['1', "o'clock", '"quoted"', '$1', 'ä; --', 'NULL'];
// Bounds on either side of each width that the compiler chooses: 32-bit, 64-bit and 128-bit products.
const SIZES = [3n, 100n, 46_340n, 46_341n, 1n << 31n, 3_037_000_499n, 3_037_000_500n, (1n << 39n) - 1n];

const numberColumn = (name: string): fc.Arbitrary<object> =>
  fc
    .record({ decimals: fc.integer({ min: 0, max: 3 }), size: fc.constantFrom(...SIZES), signed: fc.boolean() })
    .map(({ decimals, size, signed }) => ({
      name,
      type: 'number',
      decimals,
      minimum: unscaleDecimal(signed ? -size : 0n, decimals),
      maximum: unscaleDecimal(size, decimals),
    }));

const schema: fc.Arbitrary<DatasetSchema> = fc
  .tuple(numberColumn('x'), numberColumn('select'))
  .map((numbers) =>
    schemaOf([
      ...numbers,
      { name: 'code', type: 'number', decimals: 1, minimum: '-2.6', maximum: '3', codes: ['-2.6', '0', '0.5', '3'] },
      { name: 'a.b-c', type: 'category', codes: AWKWARD_CODES },
      { name: 'id', type: 'identifier' },
    ]),
  );

const scaledBounds = (column: DatasetSchema['columns'][number]): [bigint, bigint] => {
  if (column.type !== 'number') return [0n, 0n];
  const scaled = (text: string): bigint => BigInt(Math.round(Number(text) * 10 ** column.decimals));
  return [scaled(column.minimum), scaled(column.maximum)];
};

/** Values at the bounds, and few enough others that comparisons and bins meet them. */
function valueOf(column: DatasetSchema['columns'][number]): fc.Arbitrary<bigint | string | null> {
  const present: fc.Arbitrary<bigint | string> =
    column.type === 'category'
      ? fc.constantFrom(...column.codes)
      : column.type === 'identifier'
        ? fc.constant('p')
        : column.codes !== undefined
          ? fc.constantFrom(-26n, 0n, 5n, 30n)
          : fc.oneof(
              fc.constantFrom(...scaledBounds(column)),
              fc.bigInt({ min: scaledBounds(column)[0], max: scaledBounds(column)[1] }),
              fc.bigInt({ min: 0n, max: 3n }),
            );
  return fc.option(present, { freq: 4 });
}

const rowsOf = (of: DatasetSchema): fc.Arbitrary<Row[]> =>
  fc.array(fc.record(Object.fromEntries(of.columns.map((column) => [column.name, valueOf(column)]))), {
    maxLength: 60,
  });

const numericLiteral = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.constantFrom(0.5, 1.5, -2.6, '30.25', '0.000000001', 46340, '99999999999999999', '-99999999999999999'),
);
const numericLeaf = fc
  .tuple(
    fc.constantFrom('x', 'select', 'code'),
    fc.oneof(
      fc.record({ gt: numericLiteral, lte: numericLiteral }, { requiredKeys: ['gt'] }),
      fc.record({ lt: numericLiteral, gte: numericLiteral }, { requiredKeys: ['lt'] }),
      fc.record({ eq: numericLiteral }),
      fc.record({ ne: numericLiteral }),
      fc.record({ in: fc.array(numericLiteral, { minLength: 1, maxLength: 3 }) }),
      fc.record({ notIn: fc.array(numericLiteral, { minLength: 1, maxLength: 3 }) }),
      fc.constant({ between: [-2.6, 1.5] as [number, number] }),
      fc.constant({ isNull: true as const }),
      fc.constant({ notNull: true as const }),
    ),
  )
  .map(([column, test]): Predicate => ({ column, ...test }));
const code = fc.constantFrom<string | number>(...AWKWARD_CODES, 1);
const categoryLeaf = fc
  .oneof(
    fc.record({ eq: code }),
    fc.record({ ne: code }),
    fc.record({ in: fc.array(code, { minLength: 1, maxLength: 3 }) }),
    fc.record({ notIn: fc.array(code, { minLength: 1, maxLength: 3 }) }),
    fc.constant({ isNull: true as const }),
  )
  .map((test): Predicate => ({ column: 'a.b-c', ...test }));

const predicateOf = (leaf: fc.Arbitrary<Predicate>): fc.Arbitrary<Predicate> =>
  fc.letrec<{ node: Predicate }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({ all: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('node') }),
    ),
  })).node;

const onSchema = predicateOf(fc.oneof(numericLeaf, categoryLeaf));
const derivedLeaf = fc
  .constantFrom<object>({ eq: true }, { ne: 1 }, { gte: 0.5 }, { isNull: true }, { notNull: true })
  .map((test): Predicate => ({ column: 'flag', ...test }));

const grouping = fc.constantFrom<object>(
  { column: 'a.b-c' },
  { column: 'a.b-c', missing: 'group' },
  { column: 'code' },
  { column: 'flag', missing: 'group' },
  { column: 'x', bins: [-4, 0, 1, 2, 50, 5000] },
  { column: 'x', bins: [0, 3, 40, 1_000_000], missing: 'group' },
  { column: 'select', bins: [0, 1] },
);
const ofColumn = fc.constantFrom('x', 'select', 'code', 'flag').map((column) => ({ column }));
const ofPair = fc
  .tuple(fc.constantFrom('x', 'select', 'code', 'flag'), fc.constantFrom('x', 'select', 'code', 'flag'))
  .map((columns) => ({ columns }));
const statistic = fc.oneof(
  fc.constant({ count: {} }),
  ...['n', 'sum', 'mean', 'variance', 'sd', 'se'].map((kind) => ofColumn.map((argument) => ({ [kind]: argument }))),
  ...['n', 'covariance', 'correlation'].map((kind) => ofPair.map((argument) => ({ [kind]: argument }))),
  fc.constantFrom<object>(
    { n: { column: 'a.b-c' } },
    { n: { columns: ['a.b-c', 'x'] } },
    { histogram: { column: 'a.b-c' } },
    { histogram: { column: 'x', bins: [-1, 0, 1, 2, 3, 10_000] } },
    { table: { columns: ['a.b-c', 'flag'] } },
    { table: { columns: ['code', 'a.b-c'] } },
  ),
);

const queryInput = fc.record(
  {
    derive: fc.record({ flag: onSchema }),
    cohort: predicateOf(fc.oneof(numericLeaf, categoryLeaf, derivedLeaf)),
    groupBy: fc.uniqueArray(grouping, { maxLength: 3, selector: (each) => (each as { column: string }).column }),
    statistics: fc.uniqueArray(statistic, { minLength: 1, maxLength: 6, selector: (each) => JSON.stringify(each) }),
  },
  { requiredKeys: ['derive', 'statistics'] },
);

const world = schema.chain((of) =>
  fc.record({
    schema: fc.constant(of),
    hospitals: fc.array(rowsOf(of), { minLength: 2, maxLength: 5 }),
    input: queryInput,
  }),
);

const isExact = (name: string): boolean => !/^(mean|variance|sd|se|covariance|correlation)\(/.test(name);

describe('hospitals asked together', () => {
  it('answer as the pooled rows do', async () => {
    const database = await openDatabase();
    await fc.assert(
      fc.asyncProperty(world, async ({ schema, hospitals, input }) => {
        const query = prepare({ ...input, release: OPEN }, schema);
        const relations = hospitals.map((_, index) => `hospital${index}`);
        for (const [index, rows] of hospitals.entries())
          await createRelation(database, relations[index]!, schema, rows);
        const answer = await ask(database, query, schema, relations);
        const expected = referenceAnswer(query, schema, hospitals.flat());
        expect(answer.map((group) => group.key)).toEqual(expected.map((group) => group.key));
        for (const [index, { values }] of answer.entries()) {
          expect(Object.keys(values)).toEqual(Object.keys(expected[index]!.values));
          for (const [name, value] of Object.entries(values)) {
            const wanted = expected[index]!.values[name] ?? null;
            if (isExact(name) || value === null || wanted === null) expect([name, value]).toEqual([name, wanted]);
            else expect(Math.abs(value - wanted), name).toBeLessThanOrEqual(1e-12 * Math.abs(wanted));
          }
        }
      }),
      { numRuns: Number(process.env['HEALTHCHAIN_RUNS'] ?? 250) },
    );
  });
});
