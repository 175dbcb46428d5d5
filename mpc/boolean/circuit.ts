import { createHash } from 'node:crypto';
import { LABEL } from '../../protocol/labels.ts';
import {
  collectNarrow,
  EVERYBODY,
  factorsOf,
  holderAt,
  isWide,
  type Factors,
  type Holders,
  type NarrowTriples,
} from './holders.ts';

/** A wire carries one bit in each of its lanes; gates act on all lanes at once. Wires are numbered from 0. */
export type Wire = number;

/** Public bits, one for each lane, packed with the least significant bit first. */
export class PublicBits {
  readonly lanes: number;
  readonly bits: Uint8Array;

  constructor(bits: Uint8Array) {
    this.bits = bits;
    this.lanes = 8 * bits.length;
  }
}

/** Gates in topological order. Only `and` costs a triple for each lane, and a layer of them a round. */
export type Gate =
  | { readonly op: 'xor'; readonly left: Wire; readonly right: Wire; readonly out: Wire }
  | { readonly op: 'and'; readonly left: Wire; readonly right: Wire; readonly out: Wire }
  | { readonly op: 'not'; readonly input: Wire; readonly out: Wire }
  /** XOR with public bits. */
  | { readonly op: 'flip'; readonly input: Wire; readonly by: PublicBits; readonly out: Wire }
  /** AND with public bits. */
  | { readonly op: 'mask'; readonly input: Wire; readonly by: PublicBits; readonly out: Wire }
  /** The lanes from `first` on, as many as `out` has. */
  | { readonly op: 'slice'; readonly input: Wire; readonly first: number; readonly out: Wire }
  /** Lane j is lane `from[j]` of the input, or zero where that is NOWHERE. */
  | { readonly op: 'gather'; readonly input: Wire; readonly from: Uint32Array; readonly out: Wire };

/** In a `gather`: no lane, but zero. */
export const NOWHERE = 0xffffffff;

export type AndGate = Extract<Gate, { op: 'and' }>;
export type LinearGate = Exclude<Gate, AndGate>;

/** Where an input wire's bits come from: the party at this place of the roster, or shares that the session holds. */
export type Owner = number | 'shared';

export interface InputWire {
  readonly wire: Wire;
  readonly owner: Owner;
  readonly lanes: number;
}

/** What can be evaluated without another opening: the linear gates in order, then one layer of ANDs. */
export interface Layer {
  readonly linear: readonly LinearGate[];
  readonly ands: readonly AndGate[];
}

/** A Boolean circuit as plain data, with what its evaluation costs. Made by `CircuitBuilder`. */
export class Circuit {
  readonly inputs: readonly InputWire[];
  readonly gates: readonly Gate[];
  readonly outputs: readonly Wire[];
  /** Lanes of each wire. */
  readonly lanes: readonly number[];
  /** `depth` layers with ANDs, then one without. */
  readonly layers: readonly Layer[];
  /** Layers of ANDs: rounds. */
  readonly depth: number;
  /** AND gates, each over all its lanes. */
  readonly ands: number;
  /** Triples: AND gates times their lanes. */
  readonly triples: number;
  /** Those of them whose factors are sums of some parties' inputs. */
  readonly narrow: readonly NarrowTriples[];
  /** SHA-256 over everything above; parties that evaluate different circuits notice. */
  readonly digest: Uint8Array;
  readonly #holders: Int32Array;

  constructor(parts: {
    readonly inputs: readonly InputWire[];
    readonly gates: readonly Gate[];
    readonly outputs: readonly Wire[];
    readonly lanes: readonly number[];
  }) {
    this.inputs = parts.inputs;
    this.gates = parts.gates;
    this.outputs = parts.outputs;
    this.lanes = parts.lanes;
    this.layers = layersOf(parts.gates, parts.lanes.length);
    this.depth = this.layers.length - 1;
    const ands = this.layers.flatMap((layer) => layer.ands);
    this.ands = ands.length;
    this.triples = ands.reduce((sum, gate) => sum + parts.lanes[gate.out]!, 0);
    this.#holders = holdersOf(parts);
    this.narrow = collectNarrow(
      ands
        .map((gate) => ({ factors: this.factors(gate), count: parts.lanes[gate.out]! }))
        .filter(({ factors }) => !isWide(factors)),
    );
    this.digest = digestOf(parts);
  }

  /** Whose bits the operands of a gate are sums of. */
  factors({ left, right }: AndGate): Factors {
    return factorsOf(this.#holders[left]!, this.#holders[right]!);
  }

  /** Whose bits a wire is a sum of. */
  holders(wire: Wire): Holders {
    return this.#holders[wire]!;
  }

  /** Lanes of all input wires of one owner: masks taken from the stock. */
  inputLanes(owner: Owner): number {
    return this.inputs.reduce((sum, input) => sum + (input.owner === owner ? input.lanes : 0), 0);
  }
}

export const inputsOf = (gate: Gate): readonly Wire[] =>
  gate.op === 'xor' || gate.op === 'and' ? [gate.left, gate.right] : [gate.input];

/** Whose bits the result of a gate is a sum of, given those of what it reads: products are everybody's. */
export const holdersAfter = (op: Gate['op'], left: Holders, right: Holders): Holders =>
  op === 'and' ? EVERYBODY : left | right;

export const holdersOfInput = (owner: Owner): Holders => (owner === 'shared' ? EVERYBODY : holderAt(owner));

function holdersOf({ inputs, gates, lanes }: Pick<Circuit, 'inputs' | 'gates' | 'lanes'>): Int32Array {
  const holders = new Int32Array(lanes.length);
  for (const { wire, owner } of inputs) holders[wire] = holdersOfInput(owner);
  for (const gate of gates) {
    const [left, right = left] = inputsOf(gate).map((wire) => holders[wire]!);
    holders[gate.out] = holdersAfter(gate.op, left!, right!);
  }
  return holders;
}

function layersOf(gates: readonly Gate[], wires: number): Layer[] {
  const depths = new Uint32Array(wires);
  const layers: { linear: LinearGate[]; ands: AndGate[] }[] = [{ linear: [], ands: [] }];
  for (const gate of gates) {
    const depth = Math.max(...inputsOf(gate).map((wire) => depths[wire]!));
    if (gate.op === 'and') {
      depths[gate.out] = depth + 1;
      layers[depth]!.ands.push(gate);
      if (layers.length === depth + 1) layers.push({ linear: [], ands: [] });
    } else {
      depths[gate.out] = depth;
      layers[depth]!.linear.push(gate);
    }
  }
  return layers;
}

const OPCODES: Record<Gate['op'], number> = { xor: 0, and: 1, not: 2, flip: 3, mask: 4, slice: 5, gather: 6 };

function digestOf(parts: Pick<Circuit, 'inputs' | 'gates' | 'outputs' | 'lanes'>): Uint8Array {
  const words: number[] = [parts.lanes.length, ...parts.lanes, parts.inputs.length];
  const hash = createHash('sha256').update(LABEL.circuit);
  for (const { wire, owner } of parts.inputs) words.push(wire, owner === 'shared' ? 0xffffffff : owner);
  words.push(parts.outputs.length, ...parts.outputs, parts.gates.length);
  for (const gate of parts.gates) {
    words.push(OPCODES[gate.op], gate.out, ...inputsOf(gate));
    if (gate.op === 'slice') words.push(gate.first);
  }
  hash.update(Uint32Array.from(words));
  for (const gate of parts.gates) {
    if (gate.op === 'flip' || gate.op === 'mask') hash.update(gate.by.bits);
    if (gate.op === 'gather') hash.update(gate.from);
  }
  return new Uint8Array(hash.digest());
}
