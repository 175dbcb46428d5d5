import { needsDecision, type ReleaseRule } from '../protocol/release.ts';
import type { Axis } from './axis.ts';
import { columnsOf, type Condition } from './condition.ts';
import type { Scope } from './fields.ts';
import { badQuery } from './mistake.ts';
import type { Statistic } from './statistics/statistic.ts';

interface Given {
  readonly statistics: readonly Statistic[];
  readonly scope: Scope;
  readonly derived: ReadonlyMap<string, Condition>;
}

const HINT = 'Keep one of the two, or group by the column.';

/**
 * Refuses a query one part of which would tell what the release rule withholds in another: two countings of one
 * column (a histogram beside a table, two histograms with other bins), or a counting by codes beside a sum of the same
 * column, which weighs the counts and gives the last one back. A derived column counts as the columns it is made of.
 * Errors: BAD_QUERY at the later of the two.
 */
export function requireSeparate(rule: ReleaseRule, { statistics, scope, derived }: Given): void {
  if (!needsDecision(rule)) return;
  const origins = (column: string): ReadonlySet<string> => {
    const condition = derived.get(column);
    return condition === undefined ? new Set([column]) : columnsOf(condition);
  };
  statistics.forEach((statistic, later) => {
    statistics.slice(0, later).forEach((other, earlier) => {
      const place = `statistics.${later}`;
      const twice = sharedOrigin(tabulated(statistic), tabulated(other), origins);
      if (twice !== undefined)
        throw badQuery(
          place,
          `counts by "${twice}" again, as statistics.${earlier} does: together they could tell a withheld count`,
          { hint: HINT },
        );
      for (const [summing, counting] of [
        [statistic, other],
        [other, statistic],
      ] as const) {
        const weighed = [...summed(summing)].find(
          (column) =>
            sharedOrigin([column], tabulated(counting), origins) !== undefined &&
            (hasCodes(column, scope) || (counting.table ?? []).some((axis) => tellsValue(axis, column))),
        );
        if (weighed !== undefined)
          throw badQuery(
            place,
            `sums and counts by "${weighed}" in one query, with statistics.${earlier}: together they could tell a withheld count`,
            { hint: HINT },
          );
      }
    });
  });
}

const tabulated = ({ table = [] }: Statistic): string[] => table.map((axis) => axis.column);

const summed = ({ terms }: Statistic): ReadonlySet<string> =>
  new Set(terms.flatMap((term) => (term.kind === 'sum' ? term.factors : [])));

function sharedOrigin(
  columns: readonly string[],
  others: readonly string[],
  origins: (column: string) => ReadonlySet<string>,
): string | undefined {
  const theirs = new Set(others.flatMap((column) => [...origins(column)]));
  return columns.find((column) => [...origins(column)].some((origin) => theirs.has(origin)));
}

const hasCodes = (column: string, scope: Scope): boolean => {
  const field = scope.known(column);
  return field.codes !== undefined || (field.kind === 'number' && field.maximum - field.minimum <= 1n);
};

/** Whether some bucket of the axis holds a single value of the column. */
const tellsValue = (axis: Axis, column: string): boolean =>
  axis.column === column &&
  (axis.edges === undefined || axis.edges.some((edge, k) => k > 0 && edge - axis.edges![k - 1]! === 1n));
