import { Misuse } from '../../protocol/errors.ts';
import { PAD_LANES } from '../boolean/fingerprint.ts';
import { Circuit, type Gate, type InputWire, type Wire } from '../boolean/circuit.ts';
import type { Cost } from '../boolean/cost.ts';
import type { StockDemand } from '../boolean/stock.ts';
import type { Committee } from './committee.ts';

/** A circuit of all hospitals as its committee evaluates it. */
export interface SeatedCircuit {
  /** Its outputs, then for each client the share that each member entered for it. */
  readonly circuit: Circuit;
  readonly outputs: number;
  /** For each client, lanes of what it enters, without the pad. */
  readonly clientLanes: readonly number[];
}

/**
 * The same function with members for owners. A member's own wires stay its own; the wires of a client are cut from the XOR of
 * long wires, one of each member, each with the client's share of all its wires and a pad behind them.
 */
export function seatCircuit(circuit: Circuit, { hospitals, members, clients }: Committee): SeatedCircuit {
  if (circuit.inputs.some(({ owner }) => owner === 'shared')) {
    throw new Misuse('MALFORMED', 'a committee computes on what hospitals enter alone');
  }
  const lanes = [...circuit.lanes];
  const gates: Gate[] = [];
  const placeOf = (owner: InputWire['owner']): number => members.indexOf(hospitals[owner as number]!);
  const inputs = circuit.inputs
    .map(({ wire, owner, lanes }) => ({ wire, owner: placeOf(owner), lanes }))
    .filter(({ owner }) => owner >= 0);
  const add = (length: number): Wire => lanes.push(length) - 1;

  const entered: Wire[] = [];
  const clientLanes = clients.map((client) => {
    const own = circuit.inputs.filter(({ owner }) => hospitals[owner as number] === client);
    const length = own.reduce((sum, wire) => sum + wire.lanes, 0);
    const shares = members.map((_, owner) => {
      const wire = add(length + PAD_LANES);
      inputs.push({ wire, owner, lanes: length + PAD_LANES });
      return wire;
    });
    entered.push(...shares);
    const whole = shares.reduce((left, right) => {
      const out = add(length + PAD_LANES);
      gates.push({ op: 'xor', left, right, out });
      return out;
    });
    let first = 0;
    for (const { wire, lanes } of own) {
      gates.push({ op: 'slice', input: whole, first, out: wire });
      first += lanes;
    }
    return length;
  });
  gates.push(...circuit.gates);
  const seated = new Circuit({ inputs, gates, outputs: [...circuit.outputs, ...entered], lanes });
  return { circuit: seated, outputs: circuit.outputs.length, clientLanes };
}

/**
 * What the members of a committee need in stock for what would cost so much among all hospitals: the same triples, and each
 * member masks for its own inputs and for a share of all that clients enter, with a pad each time.
 */
export function membersDemand({ stock, entries }: Cost, { members, clients }: Committee): StockDemand {
  const masksOf = (party: string): number => stock.masks.get(party) ?? 0;
  const ofClients = clients.reduce((sum, client) => sum + masksOf(client) + entries * PAD_LANES, 0);
  const masks = new Map(members.map((member) => [member, masksOf(member) + ofClients]));
  // What clients enter is shared among all members: no product has factors of some members alone.
  return { triples: stock.triples, random: stock.random, masks };
}
