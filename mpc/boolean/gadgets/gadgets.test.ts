import { describe, expect, test } from 'vitest';
import { arithmetic } from '../../testing/boolean.ts';
import { constantBits, publicBits, type Bits, type CircuitBuilder } from '../builder.ts';
import { choose, ordered, withoutGreatest } from './choose.ts';
import { allOf, anyOf, atLeast, equals } from './compare.ts';
import { countColumns } from './fold.ts';
import { isSumNegative } from './signed.ts';
import { countOnes, sum } from './sum.ts';
import { reaches } from './threshold.ts';
import { lanesFor } from '../bits.ts';
import type { Thrift } from './carry.ts';

type Build = (circuit: CircuitBuilder, numbers: readonly Bits[]) => Bits;

/** Every combination of numbers of these widths, one a lane. */
function everything(widths: readonly number[]): bigint[][] {
  const total = widths.reduce((bits, width) => bits + width, 0);
  const columns: bigint[][] = widths.map(() => []);
  for (let row = 0n; row < 1n << BigInt(total); row++) {
    let rest = row;
    widths.forEach((width, i) => {
      columns[i]!.push(rest & ((1n << BigInt(width)) - 1n));
      rest >>= BigInt(width);
    });
  }
  return columns;
}

/** The circuit agrees with `plain` on every input. */
function expectExhaustively(widths: readonly number[], build: Build, plain: (...numbers: bigint[]) => bigint): void {
  const columns = everything(widths);
  const lanes = Math.max(128, columns[0]!.length);
  const { inClear } = arithmetic(widths, lanes, build);
  const expected = columns[0]!.map((_, row) => plain(...columns.map((column) => column[row]!)));
  expect(inClear(columns)).toEqual(expected);
}

const thrifts: readonly Thrift[] = ['triples', 'rounds'];
const each = thrifts.flatMap((thrift) => [1, 2, 3, 5].map((width) => [thrift, width] as const));

describe('a sum', () => {
  test.each(each)('of two numbers, thrifty of %s, %i bits', (thrift, w) => {
    expectExhaustively(
      [w, w],
      (c, [a, b]) => sum(c, [a!, b!], w + 1, thrift),
      (a, b) => a + b,
    );
    expectExhaustively(
      [w, w],
      (c, [a, b]) => sum(c, [a!, b!], w, thrift),
      (a, b) => (a + b) & ((1n << BigInt(w)) - 1n),
    );
  });
  test.each(thrifts)('of several numbers of several widths, thrifty of %s', (thrift) => {
    expectExhaustively(
      [3, 2, 4, 1, 2],
      (c, all) => sum(c, all, 6, thrift),
      (...all) => all.reduce((a, b) => a + b),
    );
    expectExhaustively(
      [3, 3, 3],
      (c, all) => sum(c, [...all, constantBits(5n, 3), constantBits(9n, 4)], 6, thrift),
      (...all) => all.reduce((a, b) => a + b) + 14n,
    );
  });
  test.each(thrifts)('of bits counts them, thrifty of %s', (thrift) => {
    const ones = Array.from({ length: 9 }, () => 1);
    expectExhaustively(
      ones,
      (c, all) => countOnes(c, all.flat(), thrift),
      (...all) => all.reduce((a, b) => a + b),
    );
  });
  test.each(thrifts)('of signed numbers has their sign, thrifty of %s', (thrift) => {
    const signed = (x: bigint, w: number): bigint => BigInt.asIntN(w, x);
    expectExhaustively(
      [3, 3, 4],
      (c, all) => [isSumNegative(c, all, 6, thrift)],
      (a, b, d) => (signed(a, 3) + signed(b, 3) + signed(d, 4) < 0n ? 1n : 0n),
    );
  });
  test('of n bits takes n less the ones of n in binary ANDs', () => {
    for (const n of [3, 7, 8, 31, 64]) {
      const widths = Array.from({ length: n }, () => 1);
      const { circuit } = arithmetic(widths, 128, (c, all) => countOnes(c, all.flat()));
      expect(circuit.ands).toBe(n - n.toString(2).replaceAll('0', '').length);
    }
  });
});

describe('a comparison', () => {
  test.each(each)('of shared numbers, thrifty of %s, %i bits', (thrift, w) => {
    expectExhaustively(
      [w, w],
      (c, [a, b]) => [atLeast(c, a!, b!, thrift)],
      (a, b) => (a >= b ? 1n : 0n),
    );
    expectExhaustively(
      [w, 2],
      (c, [a, b]) => [atLeast(c, a!, b!, thrift)],
      (a, b) => (a >= b ? 1n : 0n),
    );
  });
  test.each(each)('with every constant, thrifty of %s, %i bits', (thrift, w) => {
    for (let k = 0n; k <= 1n << BigInt(w); k++) {
      const constant = constantBits(k, w + 1);
      const { circuit, inClear } = arithmetic([w], 128, (c, [a]) => [atLeast(c, a!, constant, thrift), ...a!]);
      const all = everything([w]);
      expect(inClear(all).map((x) => x & 1n)).toEqual(all[0]!.map((a) => (a >= k ? 1n : 0n)));
      if (thrift === 'triples') expect(circuit.ands).toBeLessThanOrEqual(Math.max(0, w - 1));
    }
  });
  test.each(thrifts)('with a public number in each lane, thrifty of %s', (thrift) => {
    const thresholds = Array.from({ length: 128 }, (_, lane) => BigInt((lane * 5) % 17));
    const { inClear } = arithmetic([4], 128, (c, [a]) => [atLeast(c, a!, publicBits(thresholds, 5, 128), thrift)]);
    const values = thresholds.map((_, lane) => BigInt((lane * 3) % 16));
    expect(inClear([values])).toEqual(values.map((x, lane) => (x >= thresholds[lane]! ? 1n : 0n)));
  });
  test('for equality', () => {
    expectExhaustively(
      [3, 3],
      (c, [a, b]) => [equals(c, a!, b!)],
      (a, b) => (a === b ? 1n : 0n),
    );
    expectExhaustively(
      [3],
      (c, [a]) => [equals(c, a!, constantBits(5n, 3))],
      (a) => (a === 5n ? 1n : 0n),
    );
  });
});

test('all and any of some bits', () => {
  for (const n of [1, 2, 3, 6]) {
    const widths = Array.from({ length: n }, () => 1);
    expectExhaustively(
      widths,
      (c, all) => [allOf(c, all.flat())],
      (...all) => (all.includes(0n) ? 0n : 1n),
    );
    expectExhaustively(
      widths,
      (c, all) => [anyOf(c, all.flat())],
      (...all) => (all.includes(1n) ? 1n : 0n),
    );
  }
});

test('a choice, and two numbers in order', () => {
  expectExhaustively(
    [1, 3, 2],
    (c, [s, a, b]) => choose(c, s![0]!, a!, b!),
    (s, a, b) => (s === 1n ? a : b),
  );
  expectExhaustively(
    [3, 3],
    (c, [a, b]) => {
      const { greater, lesser } = ordered(c, a!, b!);
      return [...greater, ...lesser];
    },
    (a, b) => (a > b ? a | (b << 3n) : b | (a << 3n)),
  );
});

test.each([2, 3, 4, 5])('all of %i numbers but the greatest', (n) => {
  const widths = Array.from({ length: n }, () => 2);
  expectExhaustively(
    widths,
    (c, all) => sum(c, withoutGreatest(c, all), 5, 'triples'),
    (...all) => all.reduce((a, b) => a + b) - all.reduce((a, b) => (a > b ? a : b)),
  );
});

test.each(thrifts)('a sum that reaches a threshold, thrifty of %s', (thrift) => {
  const total = (...all: bigint[]): bigint => all.reduce((a, b) => a + b);
  for (const k of [1n, 2n, 4n, 5n, 7n, 8n, 11n, 13n, 14n, 20n]) {
    expectExhaustively(
      [3, 2, 2],
      (c, all) => [reaches(c, all, 13n, k, 128, thrift), all[0]![0]!],
      (...all) => (total(...all) >= k ? 1n : 0n) | ((all[0]! & 1n) << 1n),
    );
  }
  const columns = everything([3, 2, 2]);
  const thresholds = columns[0]!.map((_, lane) => BigInt(1 + ((lane * 7) % 15)));
  const { inClear } = arithmetic([3, 2, 2], 128, (c, all) => [reaches(c, all, 13n, thresholds, 128, thrift)]);
  const expected = columns[0]!.map((_, lane) =>
    total(...columns.map((c) => c[lane]!)) >= thresholds[lane]! ? 1n : 0n,
  );
  expect(inClear(columns)).toEqual(expected);
});

test.each([
  [128, 1],
  [128, 2],
  [1, 4096],
  [3, 100],
  [7, 512],
  [128, 96],
  [256, 64],
  [130, 31],
])('ones counted in %i columns of %i rows', (columns, rows) => {
  const lanes = lanesFor(columns * rows);
  const { circuit, inClear } = arithmetic([1], lanes, (c, [a]) => countColumns(c, a![0]!, rows, columns));
  const bits = Array.from({ length: columns * rows }, (_, i) => BigInt((i * i * 7 + (i >> 3)) % 3 === 0));
  const counts = Array.from({ length: columns }, (_, column) =>
    Array.from({ length: rows }, (__, row) => bits[row * columns + column]!).reduce((a, b) => a + b, 0n),
  );
  expect(inClear([bits]).slice(0, columns)).toEqual(counts);
  if (lanes >= 8192) expect(circuit.triples).toBeLessThan(1.2 * lanes);
});
