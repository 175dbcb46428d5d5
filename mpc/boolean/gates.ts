import { concatBytes } from '../../protocol/bytes.ts';
import { Misuse } from '../../protocol/errors.ts';
import type { AuthenticatedBits } from './bits.ts';
import { inputsOf, type AndGate, type Circuit, type InputWire, type LinearGate, type Wire } from './circuit.ts';
import type { MacCheck } from './mac-check.ts';
import type { Stock } from './stock.ts';
import {
  addToTags,
  complement,
  eraseScratch,
  gatherShares,
  maskShares,
  multiply,
  xorAll,
  xorBytes,
  xorShares,
} from './tags.ts';
import { SharePool } from './wire-memory.ts';

type Wires = readonly (AuthenticatedBits | undefined)[];

/** What gates are evaluated with: one party's place in a session. */
export interface Place {
  readonly roster: readonly string[];
  readonly self: string;
  readonly stock: Stock;
  /** This party's share of the global key. */
  readonly key: Uint8Array;
  readonly check: MacCheck;
  /** One broadcast of the session; `lengthFrom` gives the length of what the party at a place sends. */
  readonly broadcast: (message: Uint8Array, lengthFrom?: (place: number) => number) => Promise<readonly Uint8Array[]>;
}

/** Inputs and gates on one party's shares (docs/boolean.md §2). Opens nothing but bits masked by the stock. */
export class Gates {
  readonly #at: Place;
  readonly #pool = new SharePool();

  constructor(at: Place) {
    this.#at = at;
  }

  /** x is entered as a mask r that its owner knows, and v = x + r in public. */
  async input(
    wires: readonly Pick<InputWire, 'owner' | 'lanes'>[],
    own: readonly Uint8Array[],
  ): Promise<AuthenticatedBits[]> {
    const { roster, self, stock, broadcast } = this.#at;
    const mine = roster.indexOf(self);
    const ours = wires.filter(({ owner }) => owner === mine);
    if (ours.length !== own.length || ours.some(({ lanes }, i) => lanes !== 8 * own[i]!.length)) {
      throw new Misuse('MALFORMED', 'own inputs do not fit the circuit');
    }
    const masks = wires.map(({ owner, lanes }) => stock.masks(roster[owner as number]!, lanes));
    const message = concatBytes(...own);
    for (let wire = 0, at = 0; wire < wires.length; wire++) {
      if (wires[wire]!.owner !== mine) continue;
      const part = message.subarray(at, (at += wires[wire]!.lanes / 8));
      xorBytes(part, part, masks[wire]!.bits);
    }
    const bytesOf = (place: number): number =>
      wires.reduce((sum, { owner, lanes }) => sum + (owner === place ? lanes / 8 : 0), 0);
    const messages = await broadcast(message, bytesOf);
    const read = messages.map(() => 0);
    return masks.map((mask, wire) => {
      const owner = wires[wire]!.owner as number;
      const masked = messages[owner]!.subarray(read[owner], (read[owner]! += mask.bits.length));
      this.#addPublic(mask, masked);
      return mask;
    });
  }

  linear(gate: LinearGate, wires: Wires, lanes: number): AuthenticatedBits {
    const [left, right] = inputsOf(gate).map((wire) => wires[wire]!);
    if (gate.op === 'slice') return left!.slice(gate.first, lanes);
    const out = this.#pool.take(lanes);
    switch (gate.op) {
      case 'xor':
        xorShares(out, left!, right!);
        break;
      case 'not':
        complement(out, left!, this.#at.key, this.#first);
        break;
      case 'flip':
        out.bits.set(left!.bits);
        out.tags.set(left!.tags);
        this.#addPublic(out, gate.by.bits);
        break;
      case 'mask':
        maskShares(out, left!, gate.by.bits);
        break;
      case 'gather':
        gatherShares(out, left!, gate.from);
    }
    return out;
  }

  /** All ANDs of a layer: d = x + a and e = y + b are opened for each, in one round. */
  async multiply(circuit: Circuit, gates: readonly AndGate[], wires: (AuthenticatedBits | undefined)[]): Promise<void> {
    const { stock, check, broadcast, key } = this.#at;
    const products = gates.map((gate) => {
      const [x, y] = operandsOf(circuit, gate).map((wire) => wires[wire]!) as [AuthenticatedBits, AuthenticatedBits];
      return { out: gate.out, x, y, triple: stock.triples(x.length, circuit.factors(gate)) };
    });
    const message = concatBytes(
      ...products.map(({ triple }) => triple.a.bits),
      ...products.map(({ triple }) => triple.b.bits),
    );
    const bytes = message.length / 2;
    for (let i = 0, at = 0; i < products.length; i++) {
      const { x, y } = products[i]!;
      const end = at + x.bits.length;
      const [d, e] = [message.subarray(at, end), message.subarray(bytes + at, bytes + end)];
      xorBytes(d, d, x.bits);
      xorBytes(e, e, y.bits);
      at = end;
    }
    const opened = xorAll(await broadcast(message));
    let at = 0;
    for (const { out, x, y, triple } of products) {
      const end = at + x.bits.length;
      multiply(triple, x, y, opened.subarray(at, end), opened.subarray(bytes + at, bytes + end), key, this.#first);
      wires[out] = triple.c;
      at = end;
      check.add(triple.a.tags);
      check.add(triple.b.tags);
    }
  }

  /** Memory of a wire that a linear gate made and nobody reads any more. */
  release(wire: AuthenticatedBits): void {
    this.#pool.release(wire);
  }

  /** No gate is evaluated any more. */
  end(): void {
    this.#pool.discard();
    eraseScratch();
  }

  get #first(): boolean {
    return this.#at.self === this.#at.roster[0];
  }

  /** shares += public bits: the first party flips its bits, everybody adjusts its tags. */
  #addPublic(shares: AuthenticatedBits, bits: Uint8Array): void {
    if (this.#first) xorBytes(shares.bits, shares.bits, bits);
    addToTags(shares.tags, bits, this.#at.key);
  }
}

/** The operand with the fewer holders meets the factor with the fewer. */
function operandsOf(circuit: Circuit, gate: AndGate): [Wire, Wire] {
  const { left, right } = gate;
  return circuit.holders(left) === circuit.factors(gate).a ? [left, right] : [right, left];
}
