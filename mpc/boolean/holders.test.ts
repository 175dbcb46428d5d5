import { describe, expect, test } from 'vitest';
import { CircuitBuilder } from './builder.ts';
import { majority } from './gadgets/carry.ts';
import { collectNarrow, EVERYBODY, factorsOf, holderAt, holderCount, holds, isWide, WIDE } from './holders.ts';

describe('whose bits a wire is a sum of', () => {
  test('are those of the inputs it adds up; of a product, everybody', () => {
    const builder = new CircuitBuilder();
    const [a, b, c] = [0, 1, 2].map((owner) => builder.input(owner, 128)) as [number, number, number];
    const sum = builder.xor(builder.not(a), b);
    const product = builder.and(sum, c);
    const last = builder.and(builder.xor(product, a), c);
    const circuit = builder.build([last]);
    const [first, second] = circuit.layers.flatMap(({ ands }) => ands);
    expect(circuit.factors(first!)).toEqual({ a: 0b100, b: 0b011 });
    expect(circuit.factors(second!)).toEqual({ a: 0b100, b: EVERYBODY });
    expect(circuit.narrow).toEqual([
      { factors: { a: 0b100, b: EVERYBODY }, count: 128 },
      { factors: { a: 0b100, b: 0b011 }, count: 128 },
    ]);
  });

  test('are everybody for shares that the session holds, and for places past the thirtieth', () => {
    const builder = new CircuitBuilder();
    const [shared, far, near] = [builder.input('shared', 128), builder.input(31, 128), builder.input(30, 128)];
    expect([shared, far, near].map((wire) => builder.holders(wire))).toEqual([EVERYBODY, EVERYBODY, 1 << 30]);
    expect(builder.holders(builder.xor(shared, near))).toBe(EVERYBODY);
    expect(builder.holders(true)).toBe(0);
    const circuit = builder.build([builder.and(shared, far)]);
    expect(circuit.narrow).toEqual([]);
    expect(isWide(circuit.factors(circuit.layers[0]!.ands[0]!))).toBe(true);
  });

  test('are counted and looked up', () => {
    expect([0, 0b1011, EVERYBODY].map(holderCount)).toEqual([0, 3, 32]);
    expect([0, 1, 2, 40].map((place) => holds(0b101, place))).toEqual([true, false, true, false]);
    expect(holds(EVERYBODY, 40)).toBe(true);
    expect(factorsOf(EVERYBODY, holderAt(3))).toEqual({ a: 0b1000, b: EVERYBODY });
    expect(factorsOf(0b110, 0b011)).toEqual(factorsOf(0b011, 0b110));
    expect(factorsOf(EVERYBODY, EVERYBODY)).toEqual(WIDE);
  });

  test('are added up in demands, one entry a kind', () => {
    const [one, other] = [
      { a: 1, b: 2 },
      { a: 1, b: EVERYBODY },
    ];
    expect(
      collectNarrow([
        { factors: one, count: 128 },
        { factors: other, count: 256 },
        { factors: one, count: 128 },
        { factors: WIDE, count: 0 },
      ]),
    ).toEqual([
      { factors: other, count: 256 },
      { factors: one, count: 256 },
    ]);
  });

  test('decide which bit a carry takes twice', () => {
    const builder = new CircuitBuilder();
    const [a, b, c, d] = [0, 1, 2, 3].map((owner) => builder.input(owner, 128)) as [number, number, number, number];
    // The sum of a and b, then c and d: the one of two holders is not taken twice.
    const circuit = builder.build([majority(builder, builder.xor(a, b), c, d)]);
    const [{ ands }] = circuit.layers as [(typeof circuit.layers)[number]];
    expect(holderCount(circuit.factors(ands[0]!).a) + holderCount(circuit.factors(ands[0]!).b)).toBe(5);
  });
});
