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

/** Errors: BAD_QUERY for a column with more points than can be searched. */
export function requireGrid({ name, minimum, maximum }: NumberField, place: string): void {
  const points = maximum - minimum + 1n;
  if (points <= MAXIMUM_POINTS) return;
  throw badQuery(
    place,
    `"${name}" has ${points.toLocaleString('en-US')} possible values between its bounds; at most ${MAXIMUM_POINTS.toLocaleString('en-US')} can be searched`,
    { hint: 'Register a schema version with fewer decimals or narrower bounds for this column.' },
  );
}
