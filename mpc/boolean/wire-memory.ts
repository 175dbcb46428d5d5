import { AuthenticatedBits, TAG_BYTES } from './bits.ts';
import { inputsOf, type Circuit, type Wire } from './circuit.ts';

/** Wires that linear gates made and that no later layer or output reads, by the layer after which they are free. */
export function lastUses(circuit: Circuit): Wire[][] {
  const last = new Map<Wire, number>();
  const root = new Map<Wire, Wire>();
  const kept = new Set<Wire>();
  circuit.layers.forEach((layer, i) => {
    for (const gate of [...layer.linear, ...layer.ands]) {
      for (const wire of inputsOf(gate)) last.set(root.get(wire) ?? wire, i);
      if (gate.op === 'slice') root.set(gate.out, root.get(gate.input) ?? gate.input);
    }
  });
  for (const wire of circuit.outputs) kept.add(root.get(wire) ?? wire);
  const result: Wire[][] = circuit.layers.map(() => []);
  for (const { linear } of circuit.layers) {
    for (const gate of linear) {
      if (gate.op === 'slice' || kept.has(gate.out)) continue;
      const layer = last.get(gate.out);
      if (layer !== undefined) result[layer]!.push(gate.out);
    }
  }
  return result;
}

/** Memory of wires that are no longer read, for wires to come: the first touch of fresh memory costs more than the XOR. */
export class SharePool {
  readonly #free = new Map<number, AuthenticatedBits[]>();

  /** What is in it is not defined: whoever takes it writes all of it. */
  take(lanes: number): AuthenticatedBits {
    return this.#free.get(lanes)?.pop() ?? new AuthenticatedBits(fresh(lanes / 8), fresh(TAG_BYTES * lanes));
  }

  release(shares: AuthenticatedBits): void {
    const free = this.#free.get(shares.length);
    if (free === undefined) this.#free.set(shares.length, [shares]);
    else free.push(shares);
  }

  /** Gives back all of it. */
  discard(): void {
    for (const shares of [...this.#free.values()].flat()) shares.discard();
    this.#free.clear();
  }
}

const fresh = (length: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
