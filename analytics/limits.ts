import type { ReleaseRule } from '../protocol/release.ts';
import { axisKey, type Axis } from './axis.ts';
import { magnitude, type Scope } from './fields.ts';
import { judgedSums } from './magnitudes.ts';
import { badQuery } from './mistake.ts';
import type { Search } from './search.ts';
import type { Statistic } from './statistics/statistic.ts';
import type { Term } from './terms.ts';

/** How much one query may ask for. Each check throws `Misuse BAD_QUERY`. */

export const MAXIMUM_CELLS = 1_000_000;

/** Rows of all hospitals together that every sum must have room for: 17 billion. */
export const MAXIMUM_ROWS = 2n ** 34n;
/** Cells are signed integers below this in size (docs/protocol.md, sums). */
const CELL_LIMIT = 2n ** 119n;
/** Groups times searches for one point of a grid: some thousand products on shares each. */
const MAXIMUM_SEARCHED = 10_000;
/** Groups times sums that the dominance rule judges. */
const MAXIMUM_JUDGED = 10_000;
/** Bits of all bitmaps together. */
const MAXIMUM_SKETCHED = 2 ** 22;
/** Buckets of different columns or bins that one SQL statement can tell apart in its GROUPING() mask. */
const MAXIMUM_AXES = 60;

/** No sum may leave the range of a cell, whatever the data: the bounds of the schema decide. */
export function requireRoom(statistic: Statistic, scope: Scope, place: string): void {
  for (const term of statistic.terms) {
    if (term.kind === 'count') continue;
    const fields = term.factors.map((name) => scope.number(name, place));
    const product = fields.reduce((total, field) => total * magnitude(field), 1n);
    if (product * MAXIMUM_ROWS >= CELL_LIMIT)
      throw badQuery(place, `products of ${term.factors.join(' and ')} are too large to be summed exactly`, {
        hint: 'Register a schema version with fewer decimals, narrower bounds or a larger unit for these columns; "rounded": true takes values with more decimals, "multiply" in a mapping changes the unit.',
      });
  }
}

export function requireFewCells(groups: number, cellsPerGroup: number): void {
  if (groups * cellsPerGroup > MAXIMUM_CELLS)
    throw badQuery(
      '',
      `the query asks for ${inWords(groups * cellsPerGroup)} numbers (${inWords(groups)} groups of ${inWords(cellsPerGroup)}); at most ${inWords(MAXIMUM_CELLS)} are allowed`,
    );
}

export function requireFewAxes(axes: readonly Axis[]): void {
  if (new Set(axes.map(axisKey)).size > MAXIMUM_AXES)
    throw badQuery('statistics', `more than ${MAXIMUM_AXES} different columns or bins to count by`);
}

/** Searches cost thousands of times what a sum does. */
export function requireFewSearches(searches: readonly Search[], groups: number): void {
  const sketched = searches.reduce((bits, { target }) => bits + (target.kind === 'distinct' ? target.bits : 0), 0);
  const points = groups * searches.filter(({ target }) => target.kind !== 'distinct').length;
  if (points > MAXIMUM_SEARCHED)
    throw badQuery(
      '',
      `the query asks for ${inWords(points)} quantiles and extremes over its ${inWords(groups)} groups; at most ${inWords(MAXIMUM_SEARCHED)} are allowed`,
    );
  if (groups * sketched > MAXIMUM_SKETCHED)
    throw badQuery(
      '',
      `the query asks for ${inWords(groups * sketched)} bits of distinct counts over its ${inWords(groups)} groups; at most ${inWords(MAXIMUM_SKETCHED)} are allowed`,
      { hint: 'Ask for fewer "bits", or for fewer groups.' },
    );
}

export function requireFewSums(
  rule: ReleaseRule,
  { terms, groups }: { readonly terms: readonly Term[]; readonly groups: number },
): void {
  const judged = groups * judgedSums({ rule, terms }).length;
  if (judged > MAXIMUM_JUDGED)
    throw badQuery(
      '',
      `the dominance rule would judge ${inWords(judged)} sums over ${inWords(groups)} groups; at most ${inWords(MAXIMUM_JUDGED)} are allowed`,
    );
}

const inWords = (count: number): string => count.toLocaleString('en-US');
