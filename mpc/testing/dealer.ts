import { Misuse } from '../../protocol/errors.ts';
import { AuthenticatedBits, TAG_BYTES } from '../boolean/bits.ts';
import type { Stock, StockDemand, Triples } from '../boolean/stock.ts';
import type { RandomSource } from '../transport.ts';
import { seededRandom } from './world.ts';

/**
 * A dealer that everybody would have to trust, for tests and benches only: it knows every key and every bit. Production
 * code cannot import it.
 */
export class Dealer {
  readonly roster: readonly string[];
  readonly keyShares: readonly Uint8Array[];
  readonly #random: RandomSource;

  constructor(roster: readonly string[], seed: string) {
    this.roster = roster;
    this.#random = seededRandom(`${seed}/dealer`);
    this.keyShares = roster.map(() => this.#random(TAG_BYTES));
  }

  /** The stock of each party, in roster order, with what is demanded and no more. */
  deal(demand: StockDemand): DealtStock[] {
    const bytes = demand.triples / 8;
    const [a, b] = [this.#random(bytes), this.#random(bytes)];
    const c = a.map((byte, i) => byte & b[i]!);
    const triples = [a, b, c].map((values) => this.share(values));
    const random = this.share(this.#random(demand.random / 8));
    const masks = new Map(
      [...demand.masks].map(([owner, count]) => [owner, this.share(this.#random(count / 8), owner)]),
    );
    return this.roster.map(
      (_, i) =>
        new DealtStock(this.keyShares[i]!, {
          triples: { a: triples[0]![i]!, b: triples[1]![i]!, c: triples[2]![i]! },
          random: random[i]!,
          masks: new Map([...masks].map(([owner, shares]) => [owner, shares[i]!])),
        }),
    );
  }

  /** Authenticated shares of these bits at each party; all of the value at `owner`, if there is one. */
  share(values: Uint8Array, owner?: string): AuthenticatedBits[] {
    const holder = owner === undefined ? this.roster.length - 1 : this.roster.indexOf(owner);
    const shares = this.roster.map((_, i) => {
      if (i === holder) return Uint8Array.from(values);
      return owner === undefined ? this.#random(values.length) : new Uint8Array(values.length);
    });
    shares.forEach((bits, i) => {
      if (i !== holder) for (let j = 0; j < bits.length; j++) shares[holder]![j]! ^= bits[j]!;
    });
    const lanes = 8 * values.length;
    const key = new Uint8Array(TAG_BYTES);
    for (const share of this.keyShares) for (let i = 0; i < TAG_BYTES; i++) key[i]! ^= share[i]!;
    const tags = this.roster.map((_, i) =>
      i === 0 ? new Uint8Array(TAG_BYTES * lanes) : this.#random(TAG_BYTES * lanes),
    );
    for (let lane = 0; lane < lanes; lane++) {
      const value = -((values[lane >> 3]! >> (lane & 7)) & 1);
      for (let i = 0; i < TAG_BYTES; i++) tags[0]![TAG_BYTES * lane + i] = key[i]! & value;
    }
    const words = tags.map((bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
    for (const other of words.slice(1)) for (let i = 0; i < other.length; i++) words[0]![i]! ^= other[i]!;
    return this.roster.map((_, i) => new AuthenticatedBits(shares[i]!, tags[i]!));
  }
}

interface Material {
  readonly triples: Triples;
  readonly random: AuthenticatedBits;
  readonly masks: ReadonlyMap<string, AuthenticatedBits>;
}

/** A stock in memory. */
export class DealtStock implements Stock {
  readonly keyShare: Uint8Array;
  readonly #material: Material;
  readonly #taken = new Map<string, number>();

  constructor(keyShare: Uint8Array, material: Material) {
    this.keyShare = keyShare;
    this.#material = material;
  }

  triples(count: number): Triples {
    const { a, b, c } = this.#material.triples;
    const first = this.#take('triples', count, a.length);
    return { a: a.slice(first, count), b: b.slice(first, count), c: c.slice(first, count) };
  }

  masks(owner: string, count: number): AuthenticatedBits {
    const masks = this.#material.masks.get(owner) ?? AuthenticatedBits.zeros(0);
    return masks.slice(this.#take(`masks/${owner}`, count, masks.length), count);
  }

  random(count: number): AuthenticatedBits {
    const { random } = this.#material;
    return random.slice(this.#take('random', count, random.length), count);
  }

  discard(): void {
    const { triples, random, masks } = this.#material;
    for (const bits of [triples.a, triples.b, triples.c, random, ...masks.values()]) bits.discard();
  }

  /** What is left of everything: zero if exactly what was demanded was used. */
  get left(): number {
    const { triples, random, masks } = this.#material;
    const made = triples.a.length + random.length + [...masks.values()].reduce((sum, { length }) => sum + length, 0);
    return made - [...this.#taken.values()].reduce((sum, count) => sum + count, 0);
  }

  #take(what: string, count: number, made: number): number {
    const first = this.#taken.get(what) ?? 0;
    if (first + count > made)
      throw new Misuse('OUT_OF_STOCK', `${count} more of ${what}, but ${made - first} are left`);
    this.#taken.set(what, first + count);
    return first;
  }
}
