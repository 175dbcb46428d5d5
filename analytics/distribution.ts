import { Fault } from '../protocol/errors.ts';
import { groupReader, integer, type ResultColumns } from './cells.ts';
import type { Plan } from './plan.ts';

/**
 * This hospital's values of one column, group by group: each different value as the index of its grid point, and how many
 * values lie at or below it. Its size is that of the different values. For this hospital alone.
 */
export class Distribution {
  /** Of each group: grid indices, increasing, and counts up to and with each. */
  readonly #groups: readonly { readonly indices: Uint32Array; readonly upTo: Float64Array }[];

  /** `counts[group]`: in how many rows each grid index is. */
  constructor(counts: readonly ReadonlyMap<number, number>[]) {
    this.#groups = counts.map((of) => {
      const indices = Uint32Array.from(of.keys()).sort();
      let total = 0;
      return { indices, upTo: Float64Array.from(indices, (index) => (total += of.get(index)!)) };
    });
  }

  /** All values of a group. */
  total(group: number): bigint {
    return BigInt(this.#groups[group]!.upTo.at(-1) ?? 0);
  }

  /** Values of a group at or below a grid point. */
  countAtMost(group: number, index: number): bigint {
    const { indices, upTo } = this.#groups[group]!;
    let [low, high] = [0, indices.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (indices[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return BigInt(low === 0 ? 0 : upTo[low - 1]!);
  }

  /** Values of a group at or above a grid point. */
  countAtLeast(group: number, index: number): bigint {
    return this.total(group) - (index === 0 ? 0n : this.countAtMost(group, index - 1));
  }
}

/**
 * Takes the rows of `compileDistribution`, some at a time; `finish` gives the distribution.
 * Errors, when rows are taken: Fault DATA for a code that the schema does not list, or a value beyond its bounds.
 */
export function readDistribution(
  plan: Plan,
  column: string,
): { take: (rows: ResultColumns) => void; finish: () => Distribution } {
  const groupOf = groupReader(plan);
  const field = plan.scope.number(column, '');
  const counts = Array.from({ length: plan.groups }, () => new Map<number, number>());
  const at = plan.groupBy.length;
  return {
    take({ rowCount, columns }) {
      for (let row = 0; row < rowCount; row++) {
        const group = groupOf(columns, row);
        if (group === undefined) continue;
        const value = integer(columns[at]![row]);
        if (value < field.minimum || value > field.maximum)
          throw new Fault('DATA', `column "${column}" holds a value outside the bounds of ${plan.scope.reference}`);
        const index = Number(value - field.minimum);
        const of = counts[group]!;
        of.set(index, (of.get(index) ?? 0) + Number(integer(columns[at + 1]![row])));
      }
    },
    finish: () => new Distribution(counts),
  };
}
