import { BLOCK_BITS } from '../boolean/bits.ts';
import { CircuitBuilder, type Bits, type Signal } from '../boolean/builder.ts';
import { NOWHERE, PublicBits, type Circuit, type Wire } from '../boolean/circuit.ts';
import { BooleanSession } from '../boolean/engine.ts';
import type { Stock, StockDemand } from '../boolean/stock.ts';
import type { Channel } from '../session/channel.ts';
import { Dealer, type DealtStock } from './dealer.ts';
import type { World } from './world.ts';

/** One session per party of a world, with stocks from a dealer. */
export interface Table {
  readonly sessions: readonly BooleanSession[];
  readonly stocks: readonly DealtStock[];
  readonly channels: readonly Channel[];
}

/** `prepare` may replace a party's channel or stock, to make it cheat. */
export async function sitDown(
  world: World,
  demand: StockDemand,
  prepare: { channel?: (channel: Channel) => Channel; stock?: (stock: Stock, party: string) => Stock } = {},
): Promise<Table> {
  const channels = await Promise.all(world.roster.map((party) => world.channel(party)));
  const stocks = new Dealer(world.roster, world.seed).deal(demand);
  const sessions = channels.map((channel, i) => {
    const stock = prepare.stock?.(stocks[i]!, channel.self) ?? stocks[i]!;
    return new BooleanSession(prepare.channel?.(channel) ?? channel, stock, world.random(`${channel.self}/boolean`));
  });
  return { sessions, stocks, channels };
}

/** Evaluates, checks and opens a circuit to all. */
export async function compute(
  session: BooleanSession,
  circuit: Circuit,
  own: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  return session.openToAll(await session.check(await session.evaluate(circuit, own)));
}

/** What a circuit computes, in the clear: `inputs` in the order of its input wires. */
export function evaluateInClear(circuit: Circuit, inputs: readonly Uint8Array[]): Uint8Array[] {
  const wires: Uint8Array[] = [];
  circuit.inputs.forEach(({ wire }, i) => (wires[wire] = inputs[i]!));
  const at = (wire: Wire): Uint8Array => wires[wire]!;
  for (const gate of circuit.gates) {
    switch (gate.op) {
      case 'xor':
        wires[gate.out] = at(gate.left).map((byte, i) => byte ^ at(gate.right)[i]!);
        break;
      case 'and':
        wires[gate.out] = at(gate.left).map((byte, i) => byte & at(gate.right)[i]!);
        break;
      case 'not':
        wires[gate.out] = at(gate.input).map((byte) => ~byte);
        break;
      case 'flip':
        wires[gate.out] = at(gate.input).map((byte, i) => byte ^ gate.by.bits[i]!);
        break;
      case 'mask':
        wires[gate.out] = at(gate.input).map((byte, i) => byte & gate.by.bits[i]!);
        break;
      case 'slice':
        wires[gate.out] = at(gate.input).slice(gate.first / 8, (gate.first + circuit.lanes[gate.out]!) / 8);
        break;
      case 'gather': {
        const input = at(gate.input);
        const bit = (lane: number): bigint => (lane === NOWHERE ? 0n : BigInt((input[lane >> 3]! >> (lane & 7)) & 1));
        wires[gate.out] = pack(Array.from(gate.from, bit), 1, gate.from.length)[0]!;
      }
    }
  }
  return circuit.outputs.map(at);
}

/** A circuit on numbers of these widths, one party's each, and the function it computes on one number of each a lane. */
export function arithmetic(
  widths: readonly number[],
  lanes: number,
  build: (circuit: CircuitBuilder, numbers: readonly Bits[]) => Bits,
): { circuit: Circuit; inClear: (numbers: readonly (readonly bigint[])[]) => bigint[] } {
  const builder = new CircuitBuilder();
  const outputs = build(
    builder,
    widths.map((width, owner) => builder.inputs(owner, lanes, width)),
  );
  // What folded away to a public bit is no output of the circuit, but part of the number.
  const circuit = builder.build(outputs.filter((signal) => typeof signal === 'number'));
  const inClear = (values: readonly (readonly bigint[])[]): bigint[] => {
    const rows = evaluateInClear(
      circuit,
      values.flatMap((column, i) => pack(column, widths[i]!, lanes)),
    );
    const bitRow = (signal: Signal): Uint8Array => {
      if (typeof signal === 'number') return rows.shift()!;
      return signal instanceof PublicBits ? signal.bits : new Uint8Array(lanes / 8).fill(signal ? 0xff : 0);
    };
    return unpack(outputs.map(bitRow), values[0]!.length);
  };
  return { circuit, inClear };
}

/** Bit i of value j goes to lane j of row i. */
export function pack(values: readonly bigint[], width: number, lanes = lanesOf(values.length)): Uint8Array[] {
  return Array.from({ length: width }, (_, bit) => {
    const row = new Uint8Array(lanes / 8);
    values.forEach((value, lane) => {
      row[lane >> 3]! |= Number((value >> BigInt(bit)) & 1n) << (lane & 7);
    });
    return row;
  });
}

/** The first `count` numbers of bit rows. */
export const unpack = (rows: readonly Uint8Array[], count: number): bigint[] =>
  Array.from({ length: count }, (_, lane) =>
    rows.reduce((value, row, bit) => value | (BigInt((row[lane >> 3]! >> (lane & 7)) & 1) << BigInt(bit)), 0n),
  );

const lanesOf = (count: number): number => Math.ceil(count / BLOCK_BITS) * BLOCK_BITS;
