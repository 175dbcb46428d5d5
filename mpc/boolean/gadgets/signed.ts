import type { Bits, CircuitBuilder, Signal } from '../builder.ts';
import type { Thrift } from './carry.ts';
import { topBit } from './sum.ts';

/** A number in two's complement, brought to `width` bits. */
export const extendSign = (number: Bits, width: number): Bits => [
  ...number,
  ...Array.from({ length: width - number.length }, () => number.at(-1) ?? false),
];

/** [sum < 0] for numbers in two's complement. `width` must hold the greatest and the least sum. */
export const isSumNegative = (
  circuit: CircuitBuilder,
  summands: readonly Bits[],
  width: number,
  thrift: Thrift,
): Signal =>
  topBit(
    circuit,
    summands.map((number) => extendSign(number, width)),
    width,
    thrift,
  );
