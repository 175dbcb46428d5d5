import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import type { Thrift } from './carry.ts';
import { sum } from './sum.ts';

/** A number in two's complement, brought to `width` bits. */
export const extendSign = (number: Bits, width: number): Bits => [
  ...number,
  ...Array.from({ length: width - number.length }, () => number.at(-1) ?? false),
];

/** The sum of numbers in two's complement, modulo 2^width. `width` must hold the greatest and the least sum. */
export const sumSigned = (circuit: CircuitBuilder, summands: readonly Bits[], width: number, thrift: Thrift): Bits =>
  sum(
    circuit,
    summands.map((number) => extendSign(number, width)),
    width,
    thrift,
  );

/** The sign of a number in two's complement: 1 if it is below zero. */
export const isNegative = (number: Bits): Signal => number.at(-1)!;
