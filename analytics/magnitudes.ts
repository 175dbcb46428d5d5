import { groupReader, integer, type ResultColumns } from './cells.ts';
import { magnitude } from './fields.ts';
import type { Plan } from './plan.ts';

/** Of the values v that one sum adds up at one hospital: the sum of |v|, and the two largest |v|; 0 where there is none. */
export interface Magnitude {
  readonly total: bigint;
  readonly largest: bigint;
  readonly second: bigint;
}

/**
 * Places in a group of the sums that the dominance rule judges: all of them, under such a rule. What is judged of a sum
 * of products are the products. A count has no magnitudes: everybody adds one.
 */
export const judgedSums = ({ rule, terms }: Pick<Plan, 'rule' | 'terms'>): number[] =>
  rule.dominance === undefined ? [] : terms.flatMap((term, place) => (term.kind === 'sum' ? [place] : []));

/** The greatest |v| that the schema allows in any of these sums; at least 1. */
export function greatestMagnitude({ terms, scope }: Plan, places: readonly number[]): bigint {
  const sizes = places.map((place) => {
    const term = terms[place]!;
    const factors = term.kind === 'sum' ? term.factors : [];
    return factors.reduce((product, name) => product * magnitude(scope.number(name, '')), 1n);
  });
  return sizes.reduce((a, b) => (a > b ? a : b), 1n);
}

/** Takes the rows of `compileMagnitudes`, some at a time; `finish` gives for each group those of `judgedSums`, in order. */
export function readMagnitudes(plan: Plan): { take: (rows: ResultColumns) => void; finish: () => Magnitude[][] } {
  const groupOf = groupReader(plan);
  const judged = judgedSums(plan);
  const magnitudes = Array.from({ length: plan.groups }, () =>
    judged.map((): Magnitude => ({ total: 0n, largest: 0n, second: 0n })),
  );
  return {
    take({ rowCount, columns }) {
      for (let row = 0; row < rowCount; row++) {
        const group = groupOf(columns, row);
        if (group === undefined) continue;
        judged.forEach((_, k) => {
          const at = plan.groupBy.length + 3 * k;
          const [total, largest, second] = [at, at + 1, at + 2].map((column) => integer(columns[column]![row]));
          magnitudes[group]![k] = { total: total!, largest: largest!, second: second! };
        });
      }
    },
    finish: () => magnitudes,
  };
}
