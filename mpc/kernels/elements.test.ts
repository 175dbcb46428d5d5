import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../testing/world.ts';
import { BASE, Elements } from './elements.ts';

const { Point } = ristretto255;
type Point = InstanceType<typeof Point>;

const COUNT = 300;
const random = seededRandom('elements');
const uniform = random(64 * COUNT);
const part = (bytes: Uint8Array, each: number, i: number): Uint8Array => bytes.subarray(each * i, each * (i + 1));
const derived = Array.from({ length: COUNT }, (_, i) => ristretto255_hasher.deriveToCurve!(part(uniform, 64, i)));
const encoded = (points: readonly Point[]): string =>
  Buffer.concat(points.map((point) => point.toBytes())).toString('hex');
const hex = (elements: Elements): string => Buffer.from(elements.encode()).toString('hex');

const l = Point.Fn.ORDER;
/** Where digits carry, where they are extreme, and random ones. */
const numbers = [
  ...[0n, 1n, 2n, 7n, 8n, 9n, 15n, 16n, l - 1n, l, l + 1n, 2n ** 252n - 1n, 2n ** 253n - 1n],
  BigInt(`0x${'8'.repeat(63)}`) >> 3n,
  BigInt(`0x0${'7'.repeat(62)}`),
  ...Array.from({ length: 20 }, () => BigInt(`0x${Buffer.from(random(32)).toString('hex')}`) >> 3n),
];
const bytesOf = (number: bigint): Uint8Array => {
  const bytes = Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();
  return new Uint8Array(bytes);
};
const scalars = new Uint8Array(Buffer.concat(numbers.map(bytesOf)));
const times = (point: Point, number: bigint): Point => (number % l === 0n ? Point.ZERO : point.multiply(number % l));

describe('vectors of elements, against @noble/curves', () => {
  test('are derived from uniform bytes, more than a batch of them', () => {
    expect(hex(Elements.derive(uniform))).toBe(encoded(derived));
  });

  test('are decoded, the identity too, and nothing else is', () => {
    const bytes = Uint8Array.from(Buffer.concat([new Uint8Array(32), ...derived.map((point) => point.toBytes())]));
    expect(Elements.decode(bytes).encode()).toEqual(bytes);
    const negative = Uint8Array.from(bytes);
    negative[32 * 280]! ^= 1;
    for (const bad of [negative, new Uint8Array(32).fill(255)]) {
      expect(() => Elements.decode(bad)).toThrow(expect.objectContaining({ code: 'BAD_POINT' }));
    }
    expect(() => Elements.decode(bytes.subarray(1))).toThrow(expect.objectContaining({ code: 'BAD_LENGTH' }));
  });

  test('are added and subtracted, also to themselves and to the identity', () => {
    const [a, b] = [Elements.derive(uniform), Elements.derive(uniform.subarray(64)).plus(zeros(COUNT - 1))];
    const rest = Elements.derive(uniform.subarray(0, -64));
    expect(hex(rest.plus(b))).toBe(encoded(derived.slice(1).map((point, i) => point.add(derived[i]!))));
    expect(hex(rest.minus(b))).toBe(encoded(derived.slice(1).map((point, i) => derived[i]!.subtract(point))));
    expect(hex(a.plus(a))).toBe(encoded(derived.map((point) => point.double())));
    expect(hex(a.minus(a))).toBe('00'.repeat(32 * COUNT));
    expect(() => a.plus(b)).toThrow(expect.objectContaining({ code: 'BAD_LENGTH' }));
  });

  test('are multiples of one element by many scalars', () => {
    expect(hex(Elements.multiplesOf(BASE, scalars))).toBe(encoded(numbers.map((number) => times(Point.BASE, number))));
    const element = Elements.derive(uniform.subarray(0, 64));
    expect(hex(Elements.multiplesOf(element, scalars))).toBe(
      encoded(numbers.map((number) => times(derived[0]!, number))),
    );
  });

  test.each(numbers.slice(0, 18).map((number) => [number]))('are each multiplied by %d', (number) => {
    const first = Elements.derive(uniform.subarray(0, 64 * 40));
    expect(hex(first.times(bytesOf(number)))).toBe(encoded(derived.slice(0, 40).map((point) => times(point, number))));
  });

  test('may be none', () => {
    expect(Elements.derive(new Uint8Array(0)).times(bytesOf(5n)).encode()).toEqual(new Uint8Array(0));
  });
});

const zeros = (count: number): Elements => Elements.decode(new Uint8Array(32 * count));
