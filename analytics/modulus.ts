import type { Modulus } from '../protocol/session.ts';
import { greatestMagnitude } from './magnitudes.ts';
import { MAXIMUM_ROWS } from './limits.ts';
import { computesOnShares, type Plan } from './plan.ts';

/** What all cells of one hospital add up to at most, in absolute value, where its shares are integers mod 2^128 (docs/protocol.md §4). */
const SMALL_CELLS = 2n ** 88n;

/**
 * What the shares of these cells are added in (docs/protocol.md §3). Integers mod 2^128 are half the bytes; cells that may stay
 * closed, or large ones, need scalars mod l.
 */
export function shareModulus(plan: Plan): Modulus {
  if (computesOnShares(plan)) return 'l';
  // A row adds to one group, there to each term at most its greatest value, and 1 to each table.
  const ofTables = BigInt(plan.tables.length);
  const ofRow = plan.terms.reduce((total, _, place) => total + greatestMagnitude(plan, [place]), ofTables);
  return ofRow * MAXIMUM_ROWS <= SMALL_CELLS ? '2^128' : 'l';
}
