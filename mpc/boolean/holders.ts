/**
 * Places of a roster as a set: those whose bits a wire is a sum of. Nobody else's share of it is anything but zero, or known
 * anyway. `EVERYBODY` where all may have a share, as in what was multiplied.
 */
export type Holders = number;

export const EVERYBODY: Holders = -1;
/** Places that a set can name; wires of parties beyond are counted as everybody's. */
const PLACES = 31;

/** The set of one place. */
export const holderAt = (place: number): Holders => (place < PLACES ? 1 << place : EVERYBODY);

/** True if the party at this place is in the set. */
export const holds = (holders: Holders, place: number): boolean =>
  holders === EVERYBODY || (place < PLACES && ((holders >> place) & 1) === 1);

/** How many places the set has; `EVERYBODY` counts more than any other. */
export function holderCount(holders: Holders): number {
  let count = 0;
  for (let rest = holders; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Who has bits in the two factors of a product. `a` has no more holders than `b`. */
export interface Factors {
  readonly a: Holders;
  readonly b: Holders;
}

/** The factors of every product that nothing is known of. */
export const WIDE: Factors = { a: EVERYBODY, b: EVERYBODY };

/** The sets of two factors, in order: fewest first, and equal sizes in one order. */
export function factorsOf(left: Holders, right: Holders): Factors {
  const [l, r] = [holderCount(left), holderCount(right)];
  return l < r || (l === r && left <= right) ? { a: left, b: right } : { a: right, b: left };
}

export const isWide = ({ a }: Factors): boolean => a === EVERYBODY;
export const sameFactors = (left: Factors, right: Factors): boolean => left.a === right.a && left.b === right.b;

/** What a product costs to prepare, against others: bits of `a` are transferred and multiplied, those of `b` only transferred. */
export const weightOf = ({ a, b }: Factors): number => 3 * holderCount(a) + holderCount(b);

/** Some of the triples of a demand: those whose factors have bits of some parties only. */
export interface NarrowTriples {
  readonly factors: Factors;
  readonly count: number;
}

/** One entry for each pair of sets, in one order. */
export function collectNarrow(parts: readonly NarrowTriples[]): NarrowTriples[] {
  const counts = new Map<string, NarrowTriples>();
  for (const { factors, count } of parts) {
    const key = keyOf(factors);
    counts.set(key, { factors, count: count + (counts.get(key)?.count ?? 0) });
  }
  return [...counts.values()]
    .filter(({ count }) => count > 0)
    .sort((p, q) => p.factors.a - q.factors.a || p.factors.b - q.factors.b);
}

/** Names a pair of sets. */
export const keyOf = ({ a, b }: Factors): string => `${a}/${b}`;
