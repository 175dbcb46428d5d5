import { ownGuard, scannedIndex } from './guards.ts';
import type { PlannedTable } from './layout.ts';
import type { Plan } from './plan.ts';

/**
 * Complementary withholding. The cells of a histogram or table, together with the rows that none of its buckets holds,
 * add up to the rows with all its columns. Whoever knows that total, from the answer itself, from another one, or from
 * elsewhere, finds the sum of the withheld cells by subtraction: so this *residual* must pass the release rule as a cell
 * would. Where it fails, one more cell of the table is withheld, the first with which the residual passes; where none
 * helps, all of them are, and the total with them.
 *
 * What opens is decided twice on shares: guards first (`releasedCells`), then the candidates that follow from the public
 * outcome (`residualCandidates`), and `withComplement` closes what they demand. All three are public functions of plan
 * and decisions: every hospital comes to the same cells.
 *
 * It covers the relations inside one answer: `requireSeparate` has refused queries with others. It does not cover what
 * two answers tell together. Under the insider rule a withheld cell may have any size, and who knows this procedure
 * finds none by it; under a smallest cell alone it is known to be below that, and an extreme residual can tell it.
 */
export interface ResidualCandidate {
  /** Indices of what was scanned, whose counts add up to the residual; one list for all candidates of a table. */
  readonly residual: readonly number[];
  /** A cell that opens so far, to be withheld beside it; undefined for the residual alone. */
  readonly part: number | undefined;
  /** The least that residual and part together must reach; in all else the release rule judges them as any count. */
  readonly minimum: number;
}

/** What must be asked, table by table: first the residual alone, then with each cell that opens, in order. */
export const residualCandidates = (plan: Plan, released: ArrayLike<number>): ResidualCandidate[] =>
  [...relationsOf(plan, released)].flatMap(({ residual, parts, minimum }) =>
    [undefined, ...parts].map((part) => ({ residual, part, minimum })),
  );

/** This hospital's own counts of the candidates, from what it scanned. */
export function candidateCounts(
  candidates: readonly ResidualCandidate[],
  scanned: (index: number) => bigint,
): BigUint64Array {
  const sums = new Map<readonly number[], bigint>();
  const sumOf = (residual: readonly number[]): bigint => {
    const sum = sums.get(residual) ?? residual.reduce((total, index) => total + scanned(index), 0n);
    sums.set(residual, sum);
    return sum;
  };
  return BigUint64Array.from(candidates, ({ residual, part }) => {
    return sumOf(residual) + (part === undefined ? 0n : scanned(part));
  });
}

/** The cells that open after all, given which candidates passed (in the order of `residualCandidates`). */
export function withComplement(
  plan: Plan,
  released: ArrayLike<number>,
  passed: ArrayLike<boolean | number>,
): Uint8Array {
  const opens = Uint8Array.from(released);
  let next = 0;
  for (const { parts, total } of relationsOf(plan, released)) {
    const [alone, first] = [next, next + 1];
    next = first + parts.length;
    if (passed[alone]) continue;
    const helping = parts.find((_, index) => passed[first + index]);
    for (const cell of helping === undefined ? [...parts, ...total] : [helping]) opens[cell] = 0;
  }
  return opens;
}

/** A table of one group of which something opens and something can be had by subtraction. */
interface Relation {
  readonly residual: readonly number[];
  /** The cells of the table that open so far. */
  readonly parts: readonly number[];
  /** The cell that holds the total, if there is one and it opens so far. */
  readonly total: readonly number[];
  readonly minimum: number;
}

function* relationsOf(plan: Plan, released: ArrayLike<number>): Generator<Relation> {
  if (plan.guards.length === 0) return;
  const opens = (index: number): boolean => released[index] === 1;
  for (let group = 0; group < plan.groups; group++)
    for (const [t, table] of plan.tables.entries()) {
      const start = scannedIndex(plan, group, table.offset);
      const cells = Array.from({ length: table.size }, (_, k) => start + k);
      const [parts, withheld] = [cells.filter(opens), cells.filter((index) => !opens(index))];
      const outside = outsideOf(plan, group, table);
      const total = [scannedIndex(plan, group, plan.guards[plan.tableGuards[t]!.at(-1)!]!.place)].filter(opens);
      // Without total and parts there is nothing to subtract; rows outside all buckets are found from a total alone.
      const isTold = withheld.length > 0 ? parts.length + total.length > 0 : outside.length * total.length > 0;
      if (!isTold) continue;
      const { minimum } = plan.guards[ownGuard(plan, table.offset)]!;
      yield {
        residual: [...withheld, ...outside],
        parts,
        total,
        // Where zeros open, a withheld cell holds a row at least: as many rows as cells would say that each holds one.
        minimum: plan.rule.zeroCells === 'open' ? Math.max(minimum, withheld.length + 1) : minimum,
      };
    }
}

/** Where the rows in no bucket of a table are counted. */
function outsideOf(plan: Plan, group: number, table: PlannedTable): number[] {
  const e = plan.elsewhere.findIndex((each) => each.table.offset === table.offset);
  return e < 0 ? [] : [scannedIndex(plan, group, plan.cellsPerGroup + plan.guardTerms.length + e)];
}
