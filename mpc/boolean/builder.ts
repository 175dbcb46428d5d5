import { Misuse } from '../../protocol/errors.ts';
import { BLOCK_BITS } from './bits.ts';
import {
  Circuit,
  holdersAfter,
  holdersOfInput,
  inputsOf,
  NOWHERE,
  PublicBits,
  type Gate,
  type InputWire,
  type Owner,
  type Wire,
} from './circuit.ts';
import type { Holders } from './holders.ts';

/** A bit while a circuit is being built: shared (a wire), public and the same in all lanes, or public lane by lane. */
export type Signal = Wire | boolean | PublicBits;

/** An unsigned integer, least significant bit first. */
export type Bits = readonly Signal[];

type Unnumbered = Gate extends infer G ? (G extends Gate ? Omit<G, 'out'> : never) : never;

/**
 * Builds a `Circuit`. Whatever is public is computed here: an AND with a constant or with public lanes costs nothing, and
 * neither does the same gate a second time or one that no output needs.
 */
export class CircuitBuilder {
  readonly #inputs: InputWire[] = [];
  readonly #gates: Gate[] = [];
  readonly #lanes: number[] = [];
  readonly #depths: number[] = [];
  readonly #holders: Holders[] = [];
  readonly #known = new Map<string, Wire>();
  readonly #negations = new Map<Wire, Wire>();

  /** A new input wire of the party at place `owner` of the roster, or of shares that the session holds. */
  input(owner: Owner, lanes: number): Wire {
    if (lanes % BLOCK_BITS !== 0 || lanes <= 0)
      throw new Misuse('OUT_OF_RANGE', `lanes come in blocks of ${BLOCK_BITS}`);
    const wire = this.#wire(lanes, 0, holdersOfInput(owner));
    this.#inputs.push({ wire, owner, lanes });
    return wire;
  }

  inputs(owner: Owner, lanes: number, count: number): Wire[] {
    return Array.from({ length: count }, () => this.input(owner, lanes));
  }

  xor(a: Signal, b: Signal): Signal {
    if (typeof a !== 'number') [a, b] = [b, a];
    if (typeof a !== 'number') return combine(a, b as boolean | PublicBits, (x, y) => x ^ y);
    if (b === false) return a;
    if (b === true) return this.not(a);
    if (b instanceof PublicBits) return this.#gate({ op: 'flip', input: a, by: b });
    if (a === b) return false;
    if (this.#negations.get(a) === b) return true;
    return this.#gate({ op: 'xor', left: Math.min(a, b), right: Math.max(a, b) });
  }

  and(a: Signal, b: Signal): Signal {
    if (typeof a !== 'number') [a, b] = [b, a];
    if (typeof a !== 'number') return combine(a, b as boolean | PublicBits, (x, y) => x & y);
    if (typeof b === 'boolean') return b ? a : false;
    if (b instanceof PublicBits) return this.#gate({ op: 'mask', input: a, by: b });
    if (a === b) return a;
    if (this.#negations.get(a) === b) return false;
    return this.#gate({ op: 'and', left: Math.min(a, b), right: Math.max(a, b) });
  }

  not(a: Signal): Signal {
    if (typeof a === 'boolean') return !a;
    if (a instanceof PublicBits) return new PublicBits(a.bits.map((byte) => ~byte));
    const known = this.#negations.get(a);
    if (known !== undefined) return known;
    const negation = this.#gate({ op: 'not', input: a });
    this.#negations.set(a, negation).set(negation, a);
    return negation;
  }

  or(a: Signal, b: Signal): Signal {
    return this.not(this.and(this.not(a), this.not(b)));
  }

  /** Lanes `first` to `first + lanes - 1`, multiples of 128. */
  slice(a: Signal, first: number, lanes: number): Signal {
    if (typeof a === 'boolean') return a;
    if (a instanceof PublicBits) return new PublicBits(a.bits.slice(first / 8, (first + lanes) / 8));
    if (first === 0 && lanes === this.#lanes[a]) return a;
    return this.#gate({ op: 'slice', input: a, first }, lanes);
  }

  /** Lane j of the result is lane `from[j]` of a wire, or zero where that is NOWHERE. */
  gather(a: Wire, from: Uint32Array): Wire {
    if (from.length % BLOCK_BITS !== 0 || from.some((lane) => lane !== NOWHERE && lane >= this.#lanes[a]!)) {
      throw new Misuse('OUT_OF_RANGE', 'lanes are gathered from a wire into whole blocks');
    }
    return this.#gate({ op: 'gather', input: a, from }, from.length);
  }

  /** AND depth of a signal so far: the round in which it is known. */
  depth(a: Signal): number {
    return typeof a === 'number' ? this.#depths[a]! : 0;
  }

  /** Whose inputs a signal is a sum of so far; a public one is nobody's. */
  holders(a: Signal): Holders {
    return typeof a === 'number' ? this.#holders[a]! : 0;
  }

  lanes(wire: Wire): number {
    return this.#lanes[wire]!;
  }

  /** The circuit with these outputs; gates that none of them needs are left out. Outputs that are public are refused. */
  build(outputs: Bits): Circuit {
    const wires = outputs.map((signal) => {
      if (typeof signal !== 'number')
        throw new Misuse('MALFORMED', 'an output of a circuit that does not depend on inputs');
      return signal;
    });
    const needed = new Uint8Array(this.#lanes.length);
    for (const wire of wires) needed[wire] = 1;
    for (const gate of this.#gates.toReversed()) {
      if (needed[gate.out] === 1) for (const wire of inputsOf(gate)) needed[wire] = 1;
    }
    for (const { wire } of this.#inputs) needed[wire] = 1;
    return new Circuit({
      inputs: this.#inputs,
      gates: this.#gates.filter((gate) => needed[gate.out] === 1),
      outputs: wires,
      lanes: this.#lanes,
    });
  }

  #gate(gate: Unnumbered, lanes = this.#lanes['input' in gate ? gate.input : gate.left]!): Wire {
    const [left, right] = 'input' in gate ? [gate.input, gate.input] : [gate.left, gate.right];
    if (left !== right && this.#lanes[left] !== this.#lanes[right]) {
      throw new Misuse('MALFORMED', 'a gate joins wires of the same number of lanes');
    }
    if ('by' in gate && gate.by.lanes !== lanes) {
      throw new Misuse('MALFORMED', 'public bits have as many lanes as the wire they meet');
    }
    const key =
      'by' in gate || 'from' in gate
        ? undefined
        : `${gate.op}/${left}/${right}/${lanes}/${'first' in gate ? gate.first : 0}`;
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const depth = Math.max(this.#depths[left]!, this.#depths[right]!) + (gate.op === 'and' ? 1 : 0);
    const out = this.#wire(lanes, depth, holdersAfter(gate.op, this.#holders[left]!, this.#holders[right]!));
    this.#gates.push({ ...gate, out });
    if (key !== undefined) this.#known.set(key, out);
    return out;
  }

  #wire(lanes: number, depth: number, holders: Holders): Wire {
    this.#depths.push(depth);
    this.#holders.push(holders);
    return this.#lanes.push(lanes) - 1;
  }
}

/** The operation on public signals, 0 and 1 or bytes of eight lanes alike. */
function combine(
  a: boolean | PublicBits,
  b: boolean | PublicBits,
  operation: (x: number, y: number) => number,
): boolean | PublicBits {
  if (typeof a === 'boolean' && typeof b === 'boolean') return operation(Number(a), Number(b)) === 1;
  const lanes = a instanceof PublicBits ? a : (b as PublicBits);
  const at = (signal: boolean | PublicBits, i: number): number =>
    signal instanceof PublicBits ? signal.bits[i]! : signal ? 0xff : 0;
  return new PublicBits(lanes.bits.map((_, i) => operation(at(a, i), at(b, i))));
}

/** A public number of `width` bits as signals. */
export const constantBits = (value: bigint, width: number): boolean[] =>
  Array.from({ length: width }, (_, i) => ((value >> BigInt(i)) & 1n) === 1n);

/** Public numbers, one for each lane, as signals; lanes past the last are zero. */
export function publicBits(values: readonly bigint[], width: number, lanes: number): PublicBits[] {
  return Array.from({ length: width }, (_, bit) => {
    const packed = new Uint8Array(lanes / 8);
    values.forEach((value, lane) => {
      if ((value >> BigInt(bit)) & 1n) packed[lane >> 3]! |= 1 << (lane & 7);
    });
    return new PublicBits(packed);
  });
}

/** Bits needed to write every integer from 0 to `greatest`. */
export const widthOf = (greatest: bigint): number => (greatest === 0n ? 0 : greatest.toString(2).length);
