import { needsDecision, type ReleaseRule } from '../protocol/release.ts';
import { powerOfTen, ratio } from './exact.ts';
import type { NumberField } from './fields.ts';
import { badQuery } from './mistake.ts';

/** Most points of a grid that is searched: 24 steps. */
const MAXIMUM_POINTS = 2n ** 24n;

/** Points from minimum to maximum of a column, a unit of its last decimal apart. */
export const gridSize = ({ minimum, maximum }: NumberField): number => Number(maximum - minimum + 1n);

/** The value at a point of the grid: the double nearest to the decimal number. */
export const gridValue = ({ minimum, decimals }: NumberField, index: number): number =>
  ratio(minimum + BigInt(index), powerOfTen(decimals));

/**
 * Errors: BAD_QUERY for a column with more points than can be searched; under a release rule also for one with codes or of two
 * values, where a few quantiles close to one another would tell the count of a code.
 */
export function requireGrid(field: NumberField, place: string, rule: ReleaseRule): void {
  const { name, minimum, maximum, codes } = field;
  const points = maximum - minimum + 1n;
  if (points > MAXIMUM_POINTS)
    throw badQuery(
      place,
      `"${name}" has ${points.toLocaleString('en-US')} possible values between its bounds; at most ${MAXIMUM_POINTS.toLocaleString('en-US')} can be searched`,
      { hint: 'Register a schema version with fewer decimals or narrower bounds for this column.' },
    );
  if (needsDecision(rule) && (codes !== undefined || points <= 2n))
    throw badQuery(
      place,
      `"${name}" has few values: its quantiles could tell a count that the release rule withholds`,
      {
        hint: 'Ask for a histogram of it, or group by it.',
      },
    );
}
