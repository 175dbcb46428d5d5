import { describe, expect, it } from 'vitest';
import { kernels, layout, memory } from './load.ts';

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const DELTA = L - 2n ** 252n;
const mod = (x: bigint): bigint => ((x % L) + L) % L;

function put(address: number, value: bigint, length: number): void {
  for (let i = 0; i < length; i++) memory()[address + i] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)));
}

const get = (address: number, length = 32): bigint =>
  memory()
    .subarray(address, address + length)
    .reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** Raw masks are 32 bytes, of which the top four bits do not count. */
const RAW = [
  0n,
  1n,
  2n ** 64n - 1n,
  2n ** 128n - 1n,
  2n ** 192n,
  DELTA - 1n,
  DELTA,
  DELTA + 1n,
  2n * DELTA,
  3n * DELTA,
];
const MASKS = [...RAW, ...RAW.map((x) => 2n ** 252n - 1n - x), 2n ** 256n - 1n, 2n ** 253n - 5n];
const CELLS = [0n, 1n, -1n, 2n ** 64n, -(2n ** 64n), 2n ** 119n - 1n, 1n - 2n ** 119n];
const SCALARS = [...RAW, L - 1n, L - 2n, 2n ** 252n - 1n, 2n ** 252n, 2n ** 252n + 1n];
const SIGNS = [1n, -1n];

/** All pairs of masks and signs, against whole numbers: carries, and borrows that chance shows once in 2^124 cases. */
function forAllMasks(expectSum: (b: bigint, c: bigint, negativeB: boolean, negativeC: boolean) => void): void {
  for (const b of MASKS)
    for (const c of MASKS) {
      put(layout.operand, b, 32);
      put(layout.scalars, c, 32);
      for (const s of SIGNS)
        for (const t of SIGNS) expectSum(s * (b % 2n ** 252n), t * (c % 2n ** 252n), s < 0n, t < 0n);
    }
}

describe('integers mod 2^128', () => {
  const INTEGERS = [0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 127n, 2n ** 128n - 2n ** 64n, 2n ** 128n - 1n];
  const PAIRS = INTEGERS.flatMap((a) => INTEGERS.map((b) => [a, b] as const));

  it.each(['addIntegers', 'subtractIntegers'] as const)('%s agrees with whole numbers, carries and all', (name) => {
    PAIRS.forEach(([a, b], i) => {
      put(layout.accumulator + 16 * i, a, 16);
      put(layout.operand + 16 * i, b, 16);
    });
    kernels[name](layout.accumulator, layout.operand, PAIRS.length - 1);
    PAIRS.forEach(([a, b], i) => {
      const expected = i === PAIRS.length - 1 ? a : BigInt.asUintN(128, name === 'addIntegers' ? a + b : a - b);
      if (get(layout.accumulator + 16 * i, 16) !== expected) expect.fail(`${a}, ${b}`);
    });
  });
});

describe('raw masks', () => {
  it('two at once are added to or taken from a cell mod l', () => {
    forAllMasks((b, c, negativeB, negativeC) => {
      for (const cell of CELLS) {
        put(layout.cells, cell, 16);
        kernels.maskCells(layout.accumulator, layout.cells, layout.operand, negativeB, layout.scalars, negativeC, 1);
        if (get(layout.accumulator) !== mod(cell + b + c)) expect.fail(`${cell} + ${b} + ${c}`);
      }
    });
  });

  it('two at once over a long row: each cell has its own', () => {
    const n = layout.block;
    const expected = Array.from({ length: n }, (_, i) => {
      const [cell, b, c] = [CELLS[i % CELLS.length]!, MASKS[i % MASKS.length]!, MASKS[(7 * i) % MASKS.length]!];
      put(layout.cells + 16 * i, cell, 16);
      put(layout.operand + 32 * i, b, 32);
      put(layout.scalars + 32 * i, c, 32);
      return mod(cell - (b % 2n ** 252n) + (c % 2n ** 252n));
    });
    kernels.maskCells(layout.accumulator, layout.cells, layout.operand, true, layout.scalars, false, n);
    expected.forEach((value, i) => {
      if (get(layout.accumulator + 32 * i) !== value) expect.fail(`cell ${i}`);
    });
  });

  it('one at a time are added to or taken from a scalar mod l', () => {
    forAllMasks((b, _, negative) => {
      for (const scalar of SCALARS) {
        put(layout.accumulator, scalar, 32);
        (negative ? kernels.subtractMasks : kernels.addMasks)(layout.accumulator, layout.operand, 1);
        if (get(layout.accumulator) !== mod(scalar + b)) expect.fail(`${scalar} + ${b}`);
      }
    });
  });
});
