import { describe, expect, test } from 'vitest';
import { EVERYBODY, WIDE } from '../boolean/holders.ts';
import { cutBlocks, Layout } from './layout.ts';
import { planTriples } from './plan.ts';

const none = { random: 0, masks: new Map<string, number>() };
const own = { a: 0b001, b: EVERYBODY };
const pair = { a: 0b001, b: 0b010 };

describe('what is made for a demand', () => {
  test('of wide triples alone is one part a batch', () => {
    expect(planTriples({ ...none, triples: 0 }, 3)).toEqual([]);
    expect(planTriples({ ...none, triples: 5000 }, 3)).toEqual([[{ factors: WIDE, count: 5120, size: 4 }]]);
    expect(planTriples({ ...none, triples: 800_000 }, 3)).toHaveLength(2);
  });

  test('has a part for each kind of factors, in one order', () => {
    const narrow = [
      { factors: pair, count: 128 },
      { factors: own, count: 5120 },
      { factors: pair, count: 128 },
    ];
    const [batch, ...more] = planTriples({ ...none, triples: 5504, narrow }, 3);
    expect(more).toEqual([]);
    expect(batch).toEqual([
      { factors: WIDE, count: 128, size: 6 },
      { factors: own, count: 5120, size: 4 },
      { factors: pair, count: 256, size: 6 },
    ]);
    expect(planTriples({ ...none, triples: 5504, narrow: narrow.toReversed() }, 3)).toEqual([batch]);
  });

  test('makes narrow triples only beside wide ones, and none for sets of all', () => {
    const narrow = [{ factors: pair, count: 256 }];
    expect(planTriples({ ...none, triples: 256, narrow }, 3)).toEqual([[{ factors: WIDE, count: 256, size: 6 }]]);
    const both = [{ factors: { a: 0b11, b: 0b11 }, count: 128 }];
    expect(planTriples({ ...none, triples: 256, narrow: both }, 2)).toEqual([[{ factors: WIDE, count: 256, size: 6 }]]);
  });

  test('fits memory', () => {
    const narrow = [
      { factors: own, count: 400_000 },
      { factors: pair, count: 100_096 },
    ];
    const batches = planTriples({ ...none, triples: 900_096, narrow }, 3);
    expect(batches.flat().reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(900_096);
    for (const parts of batches) {
      expect(parts.length === 1 || parts.reduce((sum, { count, size }) => sum + count * size, 0) <= 1_200_000).toBe(
        true,
      );
    }
  });
});

describe('the layout of a block', () => {
  const segments = [
    { factors: WIDE, count: 128 },
    { factors: pair, count: 256 },
    { factors: own, count: 384 },
  ];
  const layout = new Layout(['a', 'b', 'c'], segments);

  test('gives each party its own bits, one after the other', () => {
    expect([0, 1, 2].map((s) => [layout.x('a', s), layout.y('a', s)])).toEqual([
      [0, 128],
      [256, undefined],
      [512, 896],
    ]);
    expect([0, 1, 2].map((s) => [layout.x('b', s), layout.y('b', s)])).toEqual([
      [0, 128],
      [undefined, 256],
      [undefined, 512],
    ]);
    expect(['a', 'b', 'c'].map((party) => layout.hiding(party))).toEqual([1280, 896, 640]);
    expect(['a', 'b', 'c'].map((party) => layout.bitsOf(party))).toEqual([1536, 1152, 896]);
    expect(['a', 'b', 'c'].map((party) => layout.productsOf(party))).toEqual([768, 128, 128]);
    expect(layout.segments.map(({ first }) => first)).toEqual([0, 128, 384]);
  });

  test('follows from cutting segments into blocks', () => {
    const blocks = cutBlocks(segments, 512);
    expect(blocks.map((block) => block.map(({ count }) => count))).toEqual([[128, 256, 128], [256]]);
    expect(blocks.flat().map(({ factors }) => factors)).toEqual([WIDE, pair, own, own]);
  });
});
