import { z } from 'zod';
import { code, decimalText } from './schema.ts';
import { columnName, datasetName, datasetReference, purposeCode } from './names.ts';
import { releaseInput, releaseRule } from './release.ts';

/**
 * The query language, as a researcher writes it. Its meaning (types of columns, domains, sizes) is checked against
 * the dataset schema by `analytics`; this file fixes its form.
 */

/** A number as JSON has it, or as decimal text; never a float with an exponent once canonical. */
const numeric = z.union([z.number(), decimalText]);
const literal = z.union([numeric, code, z.boolean()]);

/**
 * A predicate over one row. Leaves name one column and one or more tests, all of which must hold:
 * `{column, gte, lt}`; missing values satisfy only `isNull` (three-valued logic, as in SQL).
 */
export type Predicate =
  | { all: Predicate[] }
  | { any: Predicate[] }
  | { not: Predicate }
  | {
      column: string;
      eq?: z.infer<typeof literal> | undefined;
      ne?: z.infer<typeof literal> | undefined;
      gt?: z.infer<typeof numeric> | undefined;
      gte?: z.infer<typeof numeric> | undefined;
      lt?: z.infer<typeof numeric> | undefined;
      lte?: z.infer<typeof numeric> | undefined;
      between?: [z.infer<typeof numeric>, z.infer<typeof numeric>] | undefined;
      in?: z.infer<typeof literal>[] | undefined;
      notIn?: z.infer<typeof literal>[] | undefined;
      isNull?: true | undefined;
      notNull?: true | undefined;
    };

const leaf = z
  .strictObject({
    column: columnName,
    eq: literal.optional(),
    ne: literal.optional(),
    gt: numeric.optional(),
    gte: numeric.optional(),
    lt: numeric.optional(),
    lte: numeric.optional(),
    /** Both ends included, as SQL's BETWEEN. */
    between: z.tuple([numeric, numeric]).optional(),
    in: z.array(literal).min(1).max(1000).optional(),
    notIn: z.array(literal).min(1).max(1000).optional(),
    isNull: z.literal(true).optional(),
    notNull: z.literal(true).optional(),
  })
  .refine((test) => Object.keys(test).length > 1, 'names a column but no test, as gte, lt, eq, in, notNull');

export const predicate: z.ZodType<Predicate> = z.lazy(() =>
  z.union([
    z.strictObject({ all: z.array(predicate).min(1).max(100) }),
    z.strictObject({ any: z.array(predicate).min(1).max(100) }),
    z.strictObject({ not: predicate }),
    leaf,
  ]),
);

const edges = z.array(z.number()).min(2).max(1001);

export const grouping = z.strictObject({
  column: columnName,
  /** Edges of half-open bins [a,b); rows outside all bins belong to no group. Without it: one group per code. */
  bins: edges.optional(),
  /** Rows where the column is missing: in no group (default), or in a group of their own. */
  missing: z.enum(['drop', 'group']).optional(),
});
export type Grouping = z.infer<typeof grouping>;

const ofColumn = z.strictObject({ column: columnName });
const ofPair = z.strictObject({ columns: z.tuple([columnName, columnName]) });

/** As decimal text it has at most four digits behind the point, and none before. */
const probability = z
  .number()
  .refine(
    (p) => /^0\.[0-9]{1,4}$/.test(String(p)),
    'expected a probability between 0 and 1 with at most 4 decimals, as 0.25',
  );

const SKETCH_BITS = Array.from({ length: 11 }, (_, k) => 2 ** (8 + k));
const sketchBits = z
  .int()
  .refine((bits) => SKETCH_BITS.includes(bits), 'expected a power of two from 256 to 262144, as 16384');

export const statistic = z.union([
  z.strictObject({ count: z.strictObject({}) }),
  z.strictObject({ n: z.union([ofColumn, ofPair]) }),
  z.strictObject({ sum: ofColumn }),
  z.strictObject({ mean: ofColumn }),
  z.strictObject({ variance: ofColumn }),
  z.strictObject({ sd: ofColumn }),
  z.strictObject({ se: ofColumn }),
  z.strictObject({ ci: z.strictObject({ column: columnName, level: z.number().gt(0).lt(1).optional() }) }),
  z.strictObject({ histogram: z.strictObject({ column: columnName, bins: edges.optional() }) }),
  z.strictObject({ covariance: ofPair }),
  z.strictObject({ correlation: ofPair }),
  z.strictObject({ table: ofPair }),
  z.strictObject({
    quantile: z.strictObject({
      column: columnName,
      /** One probability or several; a canonical query has a list. */
      p: z.union([probability, z.array(probability).min(1).max(20)]),
    }),
  }),
  z.strictObject({ median: ofColumn }),
  z.strictObject({ extremes: ofColumn }),
  z.strictObject({ distinct: z.strictObject({ column: columnName, bits: sketchBits.optional() }) }),
]);
export type StatisticRequest = z.infer<typeof statistic>;

const body = {
  purpose: purposeCode,
  title: z.string().max(200).optional(),
  derive: z.record(columnName, predicate).optional(),
  cohort: predicate.optional(),
  groupBy: z.array(grouping).max(8).optional(),
  statistics: z.array(statistic).min(1).max(100),
};

/** What a researcher writes: the version may be left out, defaults are filled in. */
export const queryInput = z.strictObject({
  dataset: z.union([datasetReference, datasetName]),
  ...body,
  release: releaseInput.prefault({}),
});
export type QueryInput = z.input<typeof queryInput>;

/** What the ledger holds: version resolved, defaults explicit. */
export const query = z.strictObject({ dataset: datasetReference, ...body, release: releaseRule });
export type Query = z.infer<typeof query>;
