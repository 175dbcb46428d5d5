import type { AuthenticatedBits } from './bits.ts';
import type { Factors, NarrowTriples } from './holders.ts';

/** Shared random bits a, b and c = a AND b, lane by lane. Each triple serves one AND, once. */
export interface Triples {
  readonly a: AuthenticatedBits;
  readonly b: AuthenticatedBits;
  readonly c: AuthenticatedBits;
}

/**
 * What the preprocessing made for one session: random authenticated material under one global key, each piece handed
 * out once. All parties take the same pieces in the same order. Counts are multiples of 128. Taking more than there is
 * is `Misuse OUT_OF_STOCK`, and takes nothing. What was taken is the taker's: it may be overwritten in place.
 */
export interface Stock {
  /** Delta_i, this party's share of the global key: 16 bytes. Who knows all shares can forge every tag. */
  readonly keyShare: Uint8Array;
  /** Only for products of such factors; by default of any. */
  triples(count: number, factors?: Factors): Triples;
  /** Random bits that `owner` knows: its bits are the value, those of all others are zero. */
  masks(owner: string, count: number): AuthenticatedBits;
  /** Random bits that nobody knows. */
  random(count: number): AuthenticatedBits;
  /** Gives back the memory of what was taken and of what is left: nothing of it is read any more, by anyone. */
  discard(): void;
}

/** Amounts to have in stock: triples, random bits, and masks for each owner (an owner not named needs none). */
export interface StockDemand {
  readonly triples: number;
  /** Those of the triples that may be made for products of such factors alone. */
  readonly narrow?: readonly NarrowTriples[];
  readonly random: number;
  readonly masks: ReadonlyMap<string, number>;
}
