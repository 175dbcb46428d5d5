import { widthOf } from '../boolean/builder.ts';
import { lanesFor } from '../boolean/bits.ts';
import { signCircuit } from '../boolean/circuits/sign.ts';
import { computingCost, repeatedCost, type Cost } from '../boolean/cost.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import { bitAt, bitRows } from '../boolean/rows.ts';

/** A search for one grid point in each of some groups, all in step. */
export interface Search {
  readonly groups: number;
  /** Points of the grid; the answer is an index below it. */
  readonly gridSize: number;
  /** No hospital's number is of greater magnitude. */
  readonly greatest: bigint;
  /** `least`: the first index at which the sum of all numbers is not negative; `greatest`: the last. */
  readonly seek: 'least' | 'greatest';
}

/** This hospital's number at one grid index for each group; undefined for a group whose search is over. */
export type NumbersAt = (probes: readonly (number | undefined)[]) => Promise<readonly bigint[]> | readonly bigint[];

/**
 * Binary search on sums over hospitals: at index g of group j the hospitals' numbers add up to a function of g that changes
 * sign once, and only that sign is opened. The bits seen follow from the answer: each says on which side of a point it lies.
 * For `least` the last point is taken to hold, and for `greatest` the first, without a test.
 *
 * Every bit is MAC-checked before the next numbers are asked for, so that a wrong bit steers nothing.
 *
 * Cost: `searchCost`; rounds do not grow with groups.
 */
export async function searchGrid(session: Evaluator, search: Search, numbersAt: NumbersAt): Promise<number[]> {
  const { groups, gridSize, seek } = search;
  if (groups === 0) return [];
  const [width, lanes] = [widthFor(session.roster.length, search), lanesFor(groups)];
  const circuit = signCircuit(session.roster.length, width, lanes);
  const first = new Array<number>(groups).fill(0);
  const last = new Array<number>(groups).fill(gridSize - 1);
  for (let step = 0; step < stepsFor(gridSize); step++) {
    const probes = first.map((low, j) => {
      const high = last[j]!;
      if (low === high) return undefined;
      return seek === 'least' ? (low + high) >> 1 : (low + high + 1) >> 1;
    });
    const numbers = await numbersAt(probes);
    const own = bitRows(
      probes.map((probe, j) => (probe === undefined ? 0n : numbers[j]!)),
      width,
      lanes,
      true,
    );
    const [holds] = await session.compute(circuit, own);
    probes.forEach((probe, j) => {
      if (probe === undefined) return;
      const yes = bitAt(holds!, j);
      if (seek === 'least') {
        if (yes) last[j] = probe;
        else first[j] = probe + 1;
      } else {
        if (yes) first[j] = probe;
        else last[j] = probe - 1;
      }
    });
  }
  return first;
}

/** Steps of a search: as many as it takes to tell the grid points apart. */
const stepsFor = (gridSize: number): number => widthOf(BigInt(gridSize - 1));

/** Bits of a number and of the sum of all, in two's complement. */
const widthFor = (parties: number, { greatest }: Search): number => widthOf(BigInt(parties) * greatest) + 1;

/**
 * Cost of `searchGrid` at the hospital in place `self` of the roster:
 *
 *     rounds = ceil(log2 L) (depth + 8)
 */
export function searchCost(roster: readonly string[], search: Search, self = 0): Cost {
  const lanes = lanesFor(search.groups);
  const circuit = signCircuit(roster.length, widthFor(roster.length, search), lanes);
  return repeatedCost(computingCost(circuit, roster, self), stepsFor(search.gridSize));
}
