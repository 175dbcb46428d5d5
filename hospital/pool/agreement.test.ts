import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agree, decodeOffer, encodeOffer, type Holding, type Offer } from './agreement.ts';
import { NOTHING, sliceDemand } from './shape.ts';

const roster = ['anna', 'bert', 'carl'];
const setup = 'a'.repeat(64);
const id = (n: number): string => String(n).repeat(64);
const batch = (n: number, next: number, slices = 10) => ({ id: id(n), slices, triples: 4096, masks: 1920, next });
const holding = (...batches: ReturnType<typeof batch>[]): Holding => ({ setup, batches });
const demand = (slices: number) => sliceDemand({ triples: 4096, masks: 128 }, roster, slices);

describe('what follows from the offers of all', () => {
  it('is the greatest position that anyone names', () => {
    const offers = [holding(batch(1, 3)), holding(batch(1, 0)), holding(batch(1, 7))];
    expect(agree(offers, roster, demand(2))).toMatchObject({
      kind: 'together',
      claims: [{ id: id(1), from: 7, to: 9 }],
    });
  });

  it('never lies before the position of any, whatever the others say', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 3, maxLength: 3 }), fc.nat(12), (positions, wanted) => {
        const agreement = agree(
          positions.map((next) => holding(batch(1, next))),
          roster,
          demand(wanted),
        );
        if (agreement.kind !== 'together') throw new Error(agreement.kind);
        for (const { from, to } of agreement.claims) {
          expect(from).toBe(Math.max(...positions));
          expect(to - from).toBe(Math.min(wanted, 10 - from));
        }
        const claimed = agreement.claims.reduce((sum, { from, to }) => sum + to - from, 0);
        expect(agreement.missing.triples).toBe(4096 * (wanted - claimed));
      }),
    );
  });

  it('is that a batch which one does not hold, or not alike, is dropped by all', () => {
    const offers = [
      holding(batch(1, 0), batch(2, 0), batch(3, 1)),
      holding(batch(2, 0), batch(3, 0)),
      holding(batch(1, 0), batch(2, 0, 11), batch(3, 0)),
    ];
    expect(agree(offers, roster, NOTHING)).toMatchObject({
      dropped: [id(1), id(2)],
      claims: [],
      missing: { triples: 0 },
    });
  });

  it('is a new setup where anyone has none or another, and none of it while anyone is busy', () => {
    const none: Offer = { setup: null, batches: [] };
    const other: Offer = { setup: 'b'.repeat(64), batches: [] };
    expect(agree([holding(), holding(), none], roster, demand(1))).toEqual({ kind: 'anew' });
    expect(agree([holding(), other, holding()], roster, demand(1))).toEqual({ kind: 'anew' });
    expect(agree([none, 'busy', other], roster, demand(1))).toEqual({ kind: 'apart' });
  });

  it('uses up what is nearest to its end, takes enough masks, and says what is missing', () => {
    const same = (): Holding => holding(batch(1, 0), batch(2, 8));
    const agreement = agree([same(), same(), same()], roster, {
      triples: 128,
      random: 256,
      masks: new Map([['bert', 3 * 1920]]),
    });
    expect(agreement).toMatchObject({
      claims: [
        { id: id(2), from: 8, to: 10 },
        { id: id(1), from: 0, to: 1 },
      ],
      missing: { triples: 0, random: 256 },
    });
  });
});

describe('an offer', () => {
  it('comes back from its encoding as it was', () => {
    for (const offer of ['busy', { setup: null, batches: [] }, holding(), holding(batch(1, 9), batch(2, 0))] as const) {
      expect(decodeOffer(encodeOffer(offer))).toEqual(offer);
    }
  });

  const bytes = encodeOffer(holding(batch(1, 1), batch(2, 0)));
  it.each([
    ['cut off', bytes.subarray(0, -1)],
    ['with a byte too many', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['of another kind', Buffer.from([3])],
    ['busy and more', Buffer.from([0, 0])],
    ['of a batch used up', encodeOffer(holding(batch(1, 10)))],
    ['of a batch twice', encodeOffer(holding(batch(1, 0), batch(1, 0)))],
    ['empty', new Uint8Array()],
  ])('%s is refused', (_, broken) => {
    expect(() => decodeOffer(broken)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
