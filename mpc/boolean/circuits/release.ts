import { constantBits, CircuitBuilder, widthOf, type Bits, type Signal } from '../builder.ts';
import type { Circuit } from '../circuit.ts';
import { withoutGreatest } from '../gadgets/choose.ts';
import { allInTurn, allOf, atLeast } from '../gadgets/compare.ts';
import { countOnes, sum } from '../gadgets/sum.ts';
import { carryPlace, reaches, type Threshold } from '../gadgets/threshold.ts';

/** What a hospital enters about a count x under threshold k. Each hospital enters only what the circuit asks of it. */
export type Field =
  | 'value' // min(x, k)
  | 'raised' // 2^w - k + min(x, k), 2^w the least power of two from k on
  | 'deficit' // k - min(x, k)
  | 'small' // [0 < x < k]
  | 'present'; // [x > 0]

/** One own input wire: bit `bit` of a field. */
export interface FieldBit {
  readonly field: Field;
  readonly bit: number;
}

export interface ReleaseCircuit {
  readonly circuit: Circuit;
  /** For each hospital in roster order, what its input wires hold. */
  readonly fields: readonly (readonly FieldBit[])[];
}

export interface ReleaseParameters {
  readonly parties: number;
  /** k of the minimum cell rule. */
  readonly threshold: Threshold;
  /** t: the rest without any t hospitals must be zero or reach k too. */
  readonly coalition: number;
  readonly zeroCells: 'open' | 'withhold';
  /** h: at least so many hospitals have a count above zero. */
  readonly contributors: number;
  readonly lanes: number;
}

/**
 * The circuit of the release rule (docs/boolean.md §6): one output, 1 where the cell passes.
 *
 * Sets of exactly t hospitals are enough: a smaller set leaves a rest that contains such a rest, or, where all of those are
 * zero, is zero itself. For n <= t sets of n - 1 take their place.
 */
export function releaseCircuit(parameters: ReleaseParameters): ReleaseCircuit {
  const { parties, zeroCells, contributors } = parameters;
  const builder = new CircuitBuilder();
  const inputs = new ReleaseInputs(builder, parameters);
  const coalition = Math.min(parameters.coalition, parties - 1);
  const rest = parties - coalition;
  const present = inputs.of('present');
  const nobody = (): Signal => noneOf(builder, present(), inTurn);
  const zerosOpen = zeroCells === 'open';
  let passes: Signal;
  if (coalition === 0) {
    const reached = minimumCell(builder, inputs);
    passes = zerosOpen ? builder.xor(reached, nobody()) : reached;
  } else {
    // Every rest of nothing is zero, so these let a cell through in which nobody has anything.
    const rests =
      rest === 1
        ? everyOneAlone(builder, inputs, allOf)
        : rest === 2
          ? everyPair(builder, inputs)
          : everyRest(builder, inputs, parameters, coalition);
    passes = zerosOpen ? rests : builder.xor(rests, nobody());
  }
  const counted =
    contributors === 0
      ? passes
      : builder.and(passes, atLeast(builder, countOnes(builder, present()), constant(contributors)));
  return { circuit: builder.build([counted]), fields: inputs.fields };
}

const constant = (value: number): Bits => constantBits(BigInt(value), widthOf(BigInt(value)));

/** Input wires, made when they are first asked for. */
class ReleaseInputs {
  readonly fields: FieldBit[][];
  readonly parties: number;
  readonly carryPlace: number;
  readonly #builder: CircuitBuilder;
  readonly #lanes: number;
  /** Bits of a number that reaches no threshold. */
  readonly width: number;
  readonly #width: number;
  readonly #made = new Map<string, Bits>();

  constructor(builder: CircuitBuilder, { parties, threshold, lanes }: ReleaseParameters) {
    this.#builder = builder;
    this.#lanes = lanes;
    this.parties = parties;
    this.fields = Array.from({ length: parties }, () => []);
    const most = greatestOf(threshold);
    this.width = widthOf(most - 1n);
    this.#width = widthOf(most);
    this.carryPlace = carryPlace(BigInt(parties) * most, leastOf(threshold), most);
  }

  number(party: number, field: Field): Bits {
    const key = `${party}/${field}`;
    let bits = this.#made.get(key);
    if (bits === undefined) {
      const width = this.#widthOf(field);
      bits = this.#builder.inputs(party, this.#lanes, width);
      for (let bit = 0; bit < width; bit++) this.fields[party]!.push({ field, bit });
      this.#made.set(key, bits);
    }
    return bits;
  }

  #widthOf(field: Field): number {
    switch (field) {
      case 'raised':
        return this.width + 1;
      case 'small':
      case 'present':
        return 1;
      case 'value':
      case 'deficit':
        return this.#width;
    }
  }

  /** The field's only bit at every hospital. */
  of(field: 'small' | 'present'): () => Signal[] {
    return () => this.fields.map((_, party) => this.number(party, field)[0]!);
  }
}

export const greatestOf = (threshold: Threshold): bigint =>
  typeof threshold === 'bigint' ? threshold : threshold.reduce((a, b) => (a > b ? a : b), 1n);

const leastOf = (threshold: Threshold): bigint =>
  typeof threshold === 'bigint' ? threshold : threshold.reduce((a, b) => (a < b ? a : b), greatestOf(threshold));

/**
 * t = 0: the total reaches k. The first hospital adds 2^m - k to its own number, so that bit m of the sum is the answer. It enters 2^w - k more
 * instead, w + 1 bits of which the highest is 1 only where its number is k itself: bits w to m - 1 of the other are the contrary.
 */
function minimumCell(builder: CircuitBuilder, inputs: ReleaseInputs): Signal {
  const { width, carryPlace: m } = inputs;
  const raised = inputs.number(0, 'raised');
  const reached = raised[width]!;
  const above = Array.from({ length: m - width }, () => builder.not(reached));
  const others = inputs.fields.slice(1).map((_, i) => inputs.number(i + 1, 'value'));
  return sum(builder, [[...raised.slice(0, width), ...above, reached], ...others], m + 1, 'triples')[m]!;
}

/** n - t = 1: each hospital's count on its own is zero or reaches k, which it knows itself. */
const everyOneAlone = (builder: CircuitBuilder, inputs: ReleaseInputs, join: typeof allOf): Signal =>
  noneOf(builder, inputs.of('small')(), join);

/** Hospitals in turn, as long as that is no deeper than what it is joined with; more of them compute in a committee. */
const IN_TURN = 8;

const inTurn: typeof allOf = (builder, bits) => (bits.length <= IN_TURN ? allInTurn : allOf)(builder, bits);

const noneOf = (builder: CircuitBuilder, flags: readonly Signal[], join: typeof allOf): Signal =>
  join(
    builder,
    flags.map((bit) => builder.not(bit)),
  );

/** n - t = 2: x_i + x_j reaches k where min(x_i, k) >= k - min(x_j, k); it is zero where both are. */
function everyPair(builder: CircuitBuilder, inputs: ReleaseInputs): Signal {
  const absent = inputs
    .of('present')()
    .map((bit) => builder.not(bit));
  const tests: Signal[] = [];
  for (let i = 0; i < inputs.parties; i++) {
    for (let j = i + 1; j < inputs.parties; j++) {
      const reached = atLeast(builder, inputs.number(i, 'value'), inputs.number(j, 'deficit'));
      tests.push(builder.xor(reached, builder.and(absent[i]!, absent[j]!)));
    }
  }
  return allOf(builder, tests);
}

/**
 * The smallest rest is the one without the t greatest counts. If more than t hospitals have patients, it must reach k. If at
 * most t have, some rest is zero, and the others are sums that include every single count: each must be zero or reach k.
 */
function everyRest(
  builder: CircuitBuilder,
  inputs: ReleaseInputs,
  { threshold, lanes }: ReleaseParameters,
  coalition: number,
): Signal {
  let values: Bits[] = inputs.fields.map((_, party) => inputs.number(party, 'value'));
  for (let i = 0; i < coalition; i++) values = withoutGreatest(builder, values);
  const greatest = BigInt(values.length) * greatestOf(threshold);
  const smallestRest = reaches(builder, values, greatest, threshold, lanes);
  const few = builder.not(atLeast(builder, countOnes(builder, inputs.of('present')()), constant(coalition + 1)));
  return builder.xor(smallestRest, builder.and(few, everyOneAlone(builder, inputs, inTurn)));
}
