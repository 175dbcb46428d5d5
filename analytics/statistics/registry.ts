import type { StatisticRequest } from '../../protocol/query.ts';
import type { ReleaseRule } from '../../protocol/release.ts';
import type { Scope } from '../fields.ts';
import { ci } from './ci.ts';
import { correlation } from './correlation.ts';
import { count } from './count.ts';
import { covariance } from './covariance.ts';
import { distinct } from './distinct.ts';
import { extremes } from './extremes.ts';
import { histogram } from './histogram.ts';
import { mean } from './mean.ts';
import { median } from './median.ts';
import { n } from './n.ts';
import { quantile } from './quantile.ts';
import { sd } from './sd.ts';
import { se } from './se.ts';
import type { Planner, Statistic } from './statistic.ts';
import { sum } from './sum.ts';
import { table } from './table.ts';
import { variance } from './variance.ts';

/** The name of a statistic in a query: "mean". */
export type StatisticKind = StatisticRequest extends infer Request
  ? Request extends object
    ? keyof Request
    : never
  : never;
type RequestOf<Kind extends StatisticKind> = Extract<StatisticRequest, Record<Kind, unknown>>[Kind];

/** Every statistic there is; the compiler holds this list and the query language together. */
const PLANNERS: { readonly [Kind in StatisticKind]: Planner<RequestOf<Kind>> } = {
  count,
  n,
  sum,
  mean,
  variance,
  sd,
  se,
  ci,
  histogram,
  covariance,
  correlation,
  table,
  quantile,
  median,
  extremes,
  distinct,
};

export const STATISTIC_KINDS = Object.keys(PLANNERS) as StatisticKind[];

/** Errors: BAD_QUERY at the column that does not fit. */
export function planStatistic(
  request: StatisticRequest,
  { scope, rule }: { readonly scope: Scope; readonly rule: ReleaseRule },
  place: string,
): Statistic {
  const [kind, argument] = Object.entries(request)[0] as [StatisticKind, never];
  return PLANNERS[kind](argument, scope, `${place}.${kind}`, rule);
}
