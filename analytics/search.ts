/** A number with a whole numerator and denominator. */
export interface Proportion {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** What is looked for among the values of a column, in each group. */
export type Target =
  /** The smallest point of the column's grid with at least this part of the values at or below it. */
  | { readonly kind: 'quantile'; readonly probability: Proportion }
  /** The value of this rank, counted from that end. */
  | { readonly kind: 'smallest' | 'largest'; readonly rank: number }
  /** How many different values there are, by a bitmap of so many bits. */
  | { readonly kind: 'distinct'; readonly bits: number };

/**
 * A number that the hospitals find on shares. The answer of a group is a whole number from 0 on: the index of a point of
 * the column's grid, or of `distinct` the number of set bits.
 */
export interface Search {
  readonly column: string;
  readonly target: Target;
  /** The least number of values that must stand behind the answer. */
  readonly minimum: number;
  readonly names: readonly string[];
  /** The values for an answer. */
  decode(answer: number): (number | null)[];
  /** The values where there is nothing to search among; no answer is looked at then. */
  readonly ofNothing: readonly (number | null)[];
}

/** A search of a plan. The same search asked for by two statistics is made once. */
export interface PlannedSearch {
  readonly column: string;
  readonly target: Target;
  /** Answers are below this. */
  readonly limit: number;
  /** Indices into the plan's guards of what must pass before a group is searched. */
  readonly guards: readonly number[];
  /** Place of the cell that counts the values searched among. */
  readonly counted: number;
}

/** Equal for searches that must have the same answers. */
export function searchKey({ column, target }: Pick<Search, 'column' | 'target'>): string {
  switch (target.kind) {
    case 'quantile':
      return JSON.stringify([column, 'quantile', `${target.probability.numerator}/${target.probability.denominator}`]);
    case 'distinct':
      return JSON.stringify([column, 'distinct', target.bits]);
    default:
      return JSON.stringify([column, target.kind, target.rank]);
  }
}
