import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_LIMIT, CellVector } from './cells.ts';

const cell = fc.bigInt(1n - CELL_LIMIT, CELL_LIMIT - 1n);

describe('CellVector', () => {
  it('keeps what it is given', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 50 }), (values) => {
        const cells = CellVector.fromBigInts(values);
        expect(cells.toBigInts()).toEqual(values);
        expect(CellVector.fromBytes(cells.bytes).toBigInts()).toEqual(values);
        expect(cells.length).toBe(values.length);
      }),
    );
  });

  it('is little-endian two’s complement', () => {
    expect([...CellVector.fromBigInts([-2n]).bytes]).toEqual([0xfe, ...Array<number>(15).fill(0xff)]);
    expect([...CellVector.fromBigInts([0x0102n]).bytes.subarray(0, 3)]).toEqual([2, 1, 0]);
  });

  it('takes any iterable, and the edges of the range', () => {
    const edges = [0n, -1n, 1n, CELL_LIMIT - 1n, 1n - CELL_LIMIT, 2n ** 64n, -(2n ** 64n)];
    expect(CellVector.fromBigInts(new Set(edges)).toBigInts()).toEqual(edges);
    expect(CellVector.fromBigInts([]).toBigInts()).toEqual([]);
  });

  it('sets and reads single cells', () => {
    const cells = CellVector.zeros(3);
    cells.set(1, -7n);
    expect(cells.toBigInts()).toEqual([0n, -7n, 0n]);
    expect(cells.at(1)).toBe(-7n);
  });

  it('adds to single cells, within the range', () => {
    const cells = CellVector.fromBigInts([-5n, CELL_LIMIT - 2n]);
    cells.add(0, 2n ** 64n);
    cells.add(0, 0n);
    cells.add(1, 1n);
    expect(cells.toBigInts()).toEqual([2n ** 64n - 5n, CELL_LIMIT - 1n]);
    expect(() => cells.add(1, 1n)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
    expect(() => cells.add(2, 1n)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  it('sees its place in a larger buffer', () => {
    const whole = CellVector.fromBigInts([1n, -2n, 3n]);
    expect(CellVector.fromBytes(whole.bytes.subarray(16)).toBigInts()).toEqual([-2n, 3n]);
  });

  it.each([CELL_LIMIT, -CELL_LIMIT, 2n ** 127n, -(2n ** 200n)])('refuses a value outside the range', (value) => {
    expect(() => CellVector.fromBigInts([0n, value])).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
    expect(() => CellVector.zeros(1).set(0, value)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  it.each([CELL_LIMIT, -CELL_LIMIT, 2n ** 127n - 1n, -(2n ** 127n)])('refuses bytes outside the range', (value) => {
    const bytes = new Uint8Array(16 * 5000);
    new DataView(bytes.buffer).setBigInt64(16 * 4321 + 8, value >> 64n, true);
    expect(() => CellVector.fromBytes(bytes)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  it('refuses broken cells and absent indices', () => {
    expect(() => CellVector.fromBytes(new Uint8Array(17))).toThrow(expect.objectContaining({ code: 'BAD_LENGTH' }));
    for (const i of [-1, 2, 0.5, NaN]) {
      expect(() => CellVector.zeros(2).at(i)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
      expect(() => CellVector.zeros(2).set(i, 0n)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
    }
  });

  it('does not print its contents', () => {
    const cells = CellVector.fromBigInts([424242n]);
    for (const text of [inspect(cells), JSON.stringify({ cells }), cells.toString()]) {
      expect(text).toContain('CellVector(1, redacted)');
      expect(text).not.toContain('424242');
    }
  });
});
