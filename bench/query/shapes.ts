import { planQuery } from '../../analytics/index.ts';
import { ENCOUNTERS_SCHEMA } from '../../hospital/synthetic/index.ts';
import type { Query } from '../../protocol/query.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { power } from '../measurement.ts';

/** A query over the synthetic encounters with the columns and bins that the pooled SQL needs too. */
export interface Shape {
  readonly query: Query;
  readonly cells: number;
  /** The same statistics over all rows in one engine, without any of our code. */
  readonly pooledSql: (files: readonly string[]) => string;
}

interface Axis {
  readonly column: string;
  readonly from: number;
  readonly width: number;
  readonly bins: number;
}

const axis = (column: string, from: number, width: number, bins: number): Axis => ({ column, from, width, bins });

const AXES: Readonly<Record<number, readonly Axis[]>> = {
  100: [axis('systolic', 60, 20, 10)],
  1000: [axis('systolic', 60, 20, 10), axis('heart_rate', 30, 19, 10)],
  10_000: [axis('systolic', 60, 8, 25), axis('heart_rate', 30, 4, 40)],
  100_000: [axis('systolic', 60, 2, 100), axis('heart_rate', 40, 1, 100)],
  1_000_000: [axis('systolic', 60, 4, 50), axis('diastolic', 30, 3, 40), axis('heart_rate', 30, 3, 50)],
};
export const CELL_COUNTS = Object.keys(AXES).map(Number);

/** Means, variances and a correlation by bins of vital signs: ten cells for each group. */
export function shapeOf(cells: number): Shape {
  const axes = AXES[cells];
  if (axes === undefined) throw new Error(`no query of ${power(cells)} cells is prepared`);
  const query: Query = {
    dataset: 'encounters@1',
    purpose: 'GRU',
    cohort: { column: 'admission_type', ne: 'transfer' },
    groupBy: axes.map(({ column, from, width, bins }) => ({
      column,
      bins: Array.from({ length: bins + 1 }, (_, k) => from + width * k),
    })),
    statistics: [
      { count: {} },
      { mean: { column: 'length_of_stay' } },
      { variance: { column: 'length_of_stay' } },
      { correlation: { columns: ['age', 'length_of_stay'] } },
    ],
    release: everythingOpens(),
  };
  const planned = planQuery(query, ENCOUNTERS_SCHEMA).cells;
  if (planned !== cells) throw new Error(`the query prepared for ${cells} cells has ${planned}`);
  return { query, cells, pooledSql: (files) => pooledSql(axes, files) };
}

function pooledSql(axes: readonly Axis[], files: readonly string[]): string {
  const bin = ({ column, from, width }: Axis): string => `(${column} - ${from}) // ${width}`;
  const within = ({ column, from, width, bins }: Axis): string =>
    `${column} >= ${from} AND ${column} < ${from + width * bins}`;
  const paths = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
  return `SELECT ${axes.map(bin).join(', ')}, count(*), count(length_of_stay), avg(length_of_stay), var_samp(length_of_stay),
    corr(age, length_of_stay) FROM read_parquet([${paths}])
    WHERE admission_type <> 'transfer' AND ${axes.map(within).join(' AND ')} GROUP BY ${axes.map((_, i) => i + 1).join(', ')}`;
}
