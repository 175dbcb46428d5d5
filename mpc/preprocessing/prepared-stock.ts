import { inspect } from 'node:util';
import { ByteReader, ByteWriter, concatBytes } from '../../protocol/bytes.ts';
import { Misuse } from '../../protocol/errors.ts';
import { AuthenticatedBits, BLOCK_BITS, TAG_BYTES } from '../boolean/bits.ts';
import { keyOf, type Factors } from '../boolean/holders.ts';
import type { Stock, StockDemand, Triples } from '../boolean/stock.ts';

const FORMAT = 1;
const NAME_LIMIT = 256;
const OWNER_LIMIT = 1000;

/** One kind of bits and how many of them are taken. */
class Shelf {
  #bits: AuthenticatedBits;
  #taken = 0;

  constructor(bits: AuthenticatedBits) {
    this.#bits = bits;
  }

  get left(): AuthenticatedBits {
    return this.#bits.slice(this.#taken, this.#bits.length - this.#taken);
  }

  take(what: string, count: number): AuthenticatedBits {
    const left = this.#bits.length - this.#taken;
    if (count > left) throw new Misuse('OUT_OF_STOCK', `${count} more of ${what}, but ${left} are left`);
    const taken = this.#bits.slice(this.#taken, count);
    this.#taken += count;
    return taken;
  }

  discard(): void {
    this.#bits.discard();
    this.#bits = AuthenticatedBits.zeros(0);
    this.#taken = 0;
  }
}

/** Triples of one kind. */
class TripleShelf {
  readonly a: Shelf;
  readonly b: Shelf;
  readonly c: Shelf;

  constructor({ a, b, c }: Triples) {
    [this.a, this.b, this.c] = [new Shelf(a), new Shelf(b), new Shelf(c)];
  }

  take(count: number): Triples {
    return { a: this.a.take('triples', count), b: this.b.take('triples', count), c: this.c.take('triples', count) };
  }

  get shelves(): readonly Shelf[] {
    return [this.a, this.b, this.c];
  }
}

/**
 * Random authenticated material that the parties made themselves (docs/preprocessing.md). Serves whole lanes of 128; at least
 * what was needed is there.
 */
export class PreparedStock implements Stock {
  readonly keyShare: Uint8Array;
  readonly #triples: TripleShelf;
  readonly #narrow: ReadonlyMap<string, TripleShelf>;
  readonly #random: Shelf;
  readonly #masks: ReadonlyMap<string, Shelf>;

  constructor(
    keyShare: Uint8Array,
    triples: Triples,
    random: AuthenticatedBits,
    masks: ReadonlyMap<string, AuthenticatedBits>,
    narrow: ReadonlyMap<string, Triples> = new Map(),
  ) {
    this.keyShare = keyShare;
    this.#triples = new TripleShelf(triples);
    this.#narrow = new Map([...narrow].map(([key, kept]) => [key, new TripleShelf(kept)]));
    this.#random = new Shelf(random);
    this.#masks = new Map([...masks].map(([owner, bits]) => [owner, new Shelf(bits)]));
  }

  /** What has not been taken yet, narrow triples aside. */
  get left(): StockDemand {
    return {
      triples: this.#triples.a.left.length,
      random: this.#random.left.length,
      masks: new Map([...this.#masks].map(([owner, shelf]) => [owner, shelf.left.length])),
    };
  }

  /** Where none were made for products of such factors, others take their place. */
  triples(count: number, factors?: Factors): Triples {
    const narrow = factors === undefined ? undefined : this.#narrow.get(keyOf(factors));
    return (narrow ?? this.#triples).take(count);
  }

  masks(owner: string, count: number): AuthenticatedBits {
    const shelf = this.#masks.get(owner) ?? new Shelf(AuthenticatedBits.zeros(0));
    return shelf.take(`masks of ${owner}`, count);
  }

  random(count: number): AuthenticatedBits {
    return this.#random.take('random bits', count);
  }

  discard(): void {
    const triples = [this.#triples, ...this.#narrow.values()].flatMap(({ shelves }) => shelves);
    for (const shelf of [...triples, this.#random, ...this.#masks.values()]) shelf.discard();
  }

  /**
   * What is left, narrow triples aside, for a sealed place: 16 1/8 bytes a bit. Secret. Note it as taken there before using any of it: nothing may be
   * taken twice.
   */
  encode(): Uint8Array {
    const writer = new ByteWriter().uint8(FORMAT).fixed(this.keyShare);
    const write = ({ left: { bits, tags } }: Shelf): void => {
      writer
        .uint32(bits.length / (BLOCK_BITS / 8))
        .fixed(bits)
        .fixed(tags);
    };
    for (const shelf of [this.#triples.a, this.#triples.b, this.#triples.c, this.#random]) write(shelf);
    writer.uint32(this.#masks.size);
    for (const [owner, shelf] of this.#masks) {
      writer.text(owner);
      write(shelf);
    }
    return writer.finish();
  }

  /** Errors: `Misuse MALFORMED`. Nothing of the bytes is kept. */
  static decode(bytes: Uint8Array): PreparedStock {
    const reader = new ByteReader(bytes);
    if (reader.uint8() !== FORMAT) throw new Misuse('MALFORMED', 'a stock of another format');
    const keyShare = Uint8Array.from(reader.fixed(TAG_BYTES));
    const read = (): AuthenticatedBits => {
      const blocks = reader.uint32();
      // Copied, because tags begin at a whole word of their memory.
      const bits = concatBytes(reader.fixed((blocks * BLOCK_BITS) / 8));
      return new AuthenticatedBits(bits, concatBytes(reader.fixed(blocks * BLOCK_BITS * TAG_BYTES)));
    };
    const [a, b, c, random] = [read(), read(), read(), read()];
    if (a.length !== b.length || a.length !== c.length) throw new Misuse('MALFORMED', 'a stock of unequal triples');
    const owners = reader.uint32();
    if (owners > OWNER_LIMIT) throw new Misuse('MALFORMED', 'a stock of too many owners');
    const masks = new Map<string, AuthenticatedBits>();
    for (let i = 0; i < owners; i++) masks.set(reader.text(NAME_LIMIT), read());
    if (masks.size !== owners) throw new Misuse('MALFORMED', 'a stock that names an owner twice');
    reader.end();
    return new PreparedStock(keyShare, { a, b, c }, random, masks);
  }

  toJSON(): string {
    return `PreparedStock(${this.left.triples} triples, redacted)`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}
