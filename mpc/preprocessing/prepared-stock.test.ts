import fc from 'fast-check';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AuthenticatedBits } from '../boolean/bits.ts';
import { seededRandom } from '../testing/world.ts';
import { PreparedStock } from './prepared-stock.ts';

const random = seededRandom('stock');
const some = (count: number): AuthenticatedBits => new AuthenticatedBits(random(count / 8), random(16 * count));

const triples = { a: some(256), b: some(256), c: some(256) };
const [bits, masks] = [some(128), some(384)];
const stock = (): PreparedStock =>
  new PreparedStock(new Uint8Array(16).fill(9), triples, bits, new Map([['anna', masks]]));

describe('a prepared stock', () => {
  test('hands out every piece once', () => {
    const held = stock();
    expect(held.triples(128).c).toEqual(triples.c.slice(0, 128));
    expect(held.triples(128).a).toEqual(triples.a.slice(128, 128));
    expect(() => held.triples(128)).toThrow(expect.objectContaining({ code: 'OUT_OF_STOCK' }));
    expect(held.masks('anna', 384)).toEqual(masks);
    expect(() => held.masks('bert', 128)).toThrow(expect.objectContaining({ code: 'OUT_OF_STOCK' }));
    expect(held.left).toEqual({ triples: 0, random: 128, masks: new Map([['anna', 0]]) });
  });

  test('gives back its memory, and then has nothing', () => {
    const held = new PreparedStock(
      new Uint8Array(16),
      { a: some(256), b: some(256), c: some(256) },
      some(128),
      new Map([['anna', some(256)]]),
      new Map([['1/2', { a: some(128), b: some(128), c: some(128) }]]),
    );
    const taken = [
      ...Object.values(held.triples(128) as { a: AuthenticatedBits }),
      held.triples(128, { a: 1, b: 2 }).b,
      held.masks('anna', 128),
      held.random(128),
    ];
    held.discard();
    for (const { bits, tags } of taken) expect([bits.length, tags.length]).toEqual([0, 0]);
    expect(held.left).toEqual({ triples: 0, random: 0, masks: new Map([['anna', 0]]) });
    expect(() => held.triples(128)).toThrow(expect.objectContaining({ code: 'OUT_OF_STOCK' }));
    expect(held.keyShare).toHaveLength(16);
  });

  test('comes back from bytes with what was left', () => {
    const held = stock();
    held.triples(128);
    held.masks('anna', 128);
    const encoded = Buffer.from(held.encode());
    const back = PreparedStock.decode(encoded);
    encoded.fill(0);
    expect(back.keyShare).toEqual(held.keyShare);
    expect(back.left).toEqual(held.left);
    expect(back.triples(128).b).toEqual(triples.b.slice(128, 128));
    expect(back.masks('anna', 256)).toEqual(masks.slice(128, 256));
    expect(back.random(128)).toEqual(bits);
    expect(back.encode().length).toBe(1 + 16 + 5 * 4 + 4 + 8);
  });

  test('refuses bytes that are cut, longer or of another format', () => {
    const encoded = stock().encode();
    const malformed = expect.objectContaining({ code: 'MALFORMED' }) as Error;
    for (const end of [0, 1, 17, 20, 100, encoded.length - 1]) {
      expect(() => PreparedStock.decode(encoded.subarray(0, end))).toThrow(malformed);
    }
    expect(() => PreparedStock.decode(Buffer.concat([encoded, Buffer.alloc(1)]))).toThrow(malformed);
    expect(() => PreparedStock.decode(Uint8Array.from(encoded).fill(2, 0, 1))).toThrow(malformed);
    const key = new Uint8Array(16);
    const nothing = AuthenticatedBits.zeros(0);
    const many = new Map(Array.from({ length: 1001 }, (_, i) => [`hospital-${i}`, nothing]));
    const others = {
      'more a than b': new PreparedStock(key, { ...triples, b: bits }, bits, new Map()),
      'more a than c': new PreparedStock(key, { ...triples, c: bits }, bits, new Map()),
      'owners without end': new PreparedStock(key, triples, bits, many),
    };
    for (const [what, other] of Object.entries(others)) {
      expect(() => PreparedStock.decode(other.encode()), what).toThrow(malformed);
    }
    const two = new Map(['anna', 'anno'].map((owner) => [owner, bits]));
    const twice = Buffer.from(new PreparedStock(key, triples, bits, two).encode());
    twice.write('anna', twice.indexOf('anno'));
    expect(() => PreparedStock.decode(twice)).toThrow(malformed);
  });

  test('takes changed bytes for a stock or refuses them, and fails in no other way', () => {
    const encoded = stock().encode();
    const place = fc.integer({ min: 0, max: encoded.length - 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const changed = Uint8Array.from(encoded);
          for (const [at, byte] of changes) changed[at] = byte;
          try {
            PreparedStock.decode(changed);
          } catch (error) {
            expect(error).toMatchObject({ code: 'MALFORMED' });
          }
        },
      ),
    );
  });

  test('prints nothing secret', () => {
    for (const text of [inspect(stock()), JSON.stringify(stock())])
      expect(text).toMatch(/^"?PreparedStock\(256 triples/);
  });
});
