import type { ReleaseRule } from '../../protocol/release.ts';
import type { Axis } from '../axis.ts';
import type { Scope } from '../fields.ts';
import type { Search } from '../search.ts';
import type { Term } from '../terms.ts';

/** A statistic of one query: which integers it needs of every group, and how they become its answer. */
export interface Statistic {
  /** Cells by formula. */
  readonly terms: readonly Term[];
  /**
   * Cells by counting the rows of every combination of these buckets; the last axis varies fastest. Then there are no
   * terms, and one value for each cell.
   */
  readonly table?: readonly Axis[];
  /** How many times the smallest cell of the release rule must stand behind the values; once if left out. */
  readonly timesMinimum?: number;
  /** What the hospitals find on shares, since no sum gives it. Then `terms` is the count of the values searched among. */
  readonly searches?: readonly Search[];
  /** Names of the values of `decode`, in order. Called only once the number of cells was found to be allowed. */
  names(): string[];
  /** The values, from the summed cells: those of `terms`, then those of `table`. Null where undefined. */
  decode(cells: readonly bigint[]): (number | null)[];
}

/**
 * Plans one kind of statistic. `place` is the path of the request, for errors.
 * Errors: BAD_QUERY for a column that is unknown or of the wrong type.
 */
export type Planner<Request> = (request: Request, scope: Scope, place: string, rule: ReleaseRule) => Statistic;

export interface OfColumn {
  readonly column: string;
}

export interface OfPair {
  readonly columns: readonly [string, string];
}
