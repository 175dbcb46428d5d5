import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compute, evaluateInClear, sitDown } from '../testing/boolean.ts';
import { seededRandom, World } from '../testing/world.ts';
import type { AuthenticatedBits } from './bits.ts';
import { CircuitBuilder, type Signal } from './builder.ts';
import { PublicBits, type Circuit } from './circuit.ts';
import { checkCost, evaluationCost, firstFrameBytes, openingCost, totalCost } from './cost.ts';
import type { Stock } from './stock.ts';

const LANES = 256;

/** A circuit of random gates on one to three inputs of each party. */
function randomCircuit(parties: number, seed: string, gates: number): Circuit {
  const bytes = seededRandom(`${seed}/circuit`);
  const below = (n: number): number => Buffer.from(bytes(4)).readUInt32LE() % n;
  const builder = new CircuitBuilder();
  const signals: Signal[] = [];
  for (let party = 0; party < parties; party++) signals.push(...builder.inputs(party, LANES, 1 + below(3)));
  for (let i = 0; i < gates; i++) {
    const [a, b] = [signals[below(signals.length)]!, signals[below(signals.length)]!];
    const publicLanes = new PublicBits(bytes(LANES / 8));
    const made = [
      () => builder.xor(a, b),
      () => builder.and(a, b),
      () => builder.and(a, b),
      () => builder.or(a, b),
      () => builder.not(a),
      () => builder.xor(a, publicLanes),
      () => builder.and(a, publicLanes),
    ];
    signals.push(made[below(made.length)]!());
  }
  const wires = signals.filter((signal) => typeof signal === 'number');
  const outputs = [...wires.slice(-5), wires[0]!];
  return builder.build([...outputs, builder.slice(outputs[0]!, 128, 128)]);
}

const inputsFor = (circuit: Circuit, seed: string): Uint8Array[] => {
  const random = seededRandom(`${seed}/inputs`);
  return circuit.inputs.map(({ lanes }) => random(lanes / 8));
};

const ownOf = (circuit: Circuit, inputs: readonly Uint8Array[], place: number): Uint8Array[] =>
  inputs.filter((_, i) => circuit.inputs[i]!.owner === place);

describe('a circuit on shared bits', () => {
  test('computes what it computes in the clear', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.string(),
        fc.integer({ min: 1, max: 60 }),
        async (n, s, gates) => {
          const world = new World({ parties: n, seed: s, deadline: 'idle' });
          const circuit = randomCircuit(n, s, gates);
          const inputs = inputsFor(circuit, s);
          const cost = evaluationCost(circuit, world.roster, 0);
          const { sessions, stocks } = await sitDown(world, cost.stock);
          const results = await Promise.all(
            sessions.map((session, i) => compute(session, circuit, ownOf(circuit, inputs, i))),
          );
          const expected = evaluateInClear(circuit, inputs);
          for (const result of results) expect(result).toEqual(expected);
          expect(stocks.map((stock) => stock.left)).toEqual(stocks.map(() => 0));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('takes the rounds and bytes of the formula', async () => {
    const sent = new Map<string, number>();
    const world = new World({ parties: 3, seed: 'cost', deadline: 'idle' });
    const circuit = randomCircuit(3, 'cost', 40);
    const inputs = inputsFor(circuit, 'cost');
    const { sessions } = await sitDown(world, evaluationCost(circuit, world.roster, 0).stock, {
      channel: (channel) => {
        const send = channel.send.bind(channel);
        channel.send = (to, round, message) => {
          const pair = `${channel.self}>${to}`;
          sent.set(pair, (sent.get(pair) ?? 0) + message.length);
          return send(to, round, message);
        };
        return channel;
      },
    });
    await Promise.all(sessions.map((session, i) => compute(session, circuit, ownOf(circuit, inputs, i))));
    const outputLanes = circuit.outputs.reduce((sum, wire) => sum + circuit.lanes[wire]!, 0);
    world.roster.forEach((party, i) => {
      const cost = totalCost(evaluationCost(circuit, world.roster, i), checkCost, openingCost(outputLanes));
      expect(sessions[i]!.rounds).toBe(cost.rounds);
      expect(cost.rounds).toBe(1 + circuit.depth + 3 + 4);
      for (const peer of world.roster) {
        if (peer !== party) expect(sent.get(`${party}>${peer}`)).toBe(cost.bytes + firstFrameBytes(party < peer));
      }
    });
  });

  test('goes on from what another circuit left shared, and opens to one party', async () => {
    const first = new CircuitBuilder();
    const [a, b] = [first.input(0, LANES), first.input(1, LANES)];
    const product = first.build([first.and(a, b)]);
    const second = new CircuitBuilder();
    const [x, y] = [second.input('shared', LANES), second.input(2, LANES)];
    const sum = second.build([second.and(x, second.not(y))]);
    const world = new World({ parties: 3, seed: 'sequence', deadline: 'idle' });
    const random = seededRandom('sequence');
    const values = [0, 1, 2].map(() => random(LANES / 8));
    const stock = {
      triples: 2 * LANES,
      random: LANES,
      masks: new Map([
        [world.roster[0]!, LANES],
        [world.roster[1]!, 4 * LANES],
        [world.roster[2]!, LANES],
      ]),
    };
    const { sessions, stocks } = await sitDown(world, stock);
    const results = await Promise.all(
      sessions.map(async (session, i) => {
        const shared = await session.evaluate(product, i < 2 ? [values[i]!] : []);
        const then = await session.evaluate(sum, i === 2 ? [values[2]!] : [], shared);
        const checked = await session.check([...then, ...shared]);
        const toBert = await session.openTo(session.roster[1]!, checked);
        const toAll = await session.openToAll(checked);
        const coin = await session.openToAll(await session.check([session.random(LANES)]));
        const [entered] = await session.input([{ owner: 1, lanes: LANES }], i === 1 ? [values[0]!] : []);
        const again = await session.openToAll(await session.check([entered!]));
        return { toBert, toAll, coin, again };
      }),
    );
    const ab = values[0]!.map((byte, i) => byte & values[1]![i]!);
    const expected = [ab.map((byte, i) => byte & ~values[2]![i]!), ab];
    expect(results.map(({ toAll }) => toAll)).toEqual([expected, expected, expected]);
    expect(results.map(({ toBert }) => toBert)).toEqual([undefined, expected, undefined]);
    expect(results.map(({ again }) => again)).toEqual([[values[0]], [values[0]], [values[0]]]);
    expect(results[0]!.coin).toEqual(results[2]!.coin);
    expect(stocks.map((each) => each.left)).toEqual([0, 0, 0]);
  });

  test('ends when the stock runs out, and so does the session', async () => {
    const world = new World({ parties: 2, seed: 'stock', deadline: 'idle' });
    const builder = new CircuitBuilder();
    const circuit = builder.build([builder.and(builder.input(0, LANES), builder.input(1, LANES))]);
    const { stock } = evaluationCost(circuit, world.roster, 0);
    const { sessions } = await sitDown(world, { ...stock, triples: LANES - 128 });
    const outcomes = await Promise.allSettled(
      sessions.map((session) => compute(session, circuit, [new Uint8Array(LANES / 8)])),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { kind: 'Misuse', code: 'OUT_OF_STOCK' } });
    await expect(sessions[0]!.check([])).rejects.toMatchObject({ code: 'OUT_OF_ORDER' });
  });

  test('takes one step at a time, its own bits alone, and inputs that fit', async () => {
    const world = new World({ parties: 2, seed: 'order', deadline: 'idle' });
    const { sessions } = await sitDown(world, { triples: 0, random: 128, masks: new Map() });
    const wires = [{ owner: 0, lanes: 128 }];
    await expect(sessions[0]!.input(wires, [])).rejects.toMatchObject({ code: 'MALFORMED' });
    const builder = new CircuitBuilder();
    const circuit = builder.build([builder.input('shared', 256)]);
    const third = (await sitDown(world, { triples: 0, random: 128, masks: new Map() })).sessions[0]!;
    await expect(third.evaluate(circuit, [], [third.random(128)])).rejects.toMatchObject({ code: 'MALFORMED' });
    const bits = sessions[1]!.random(128);
    const [one, two] = [sessions[1]!.check([bits]), sessions[1]!.check([bits])];
    await expect(two).rejects.toMatchObject({ code: 'OUT_OF_ORDER' });
    await one;
    const other = await sitDown(world, { triples: 0, random: 128, masks: new Map() });
    await expect(other.sessions[0]!.check([bits])).rejects.toMatchObject({ code: 'OUT_OF_ORDER' });
  });

  test('gives back its memory when it is ended, and does nothing more; not in the middle of a step', async () => {
    const world = new World({ parties: 2, seed: 'end', deadline: 'idle' });
    const builder = new CircuitBuilder();
    const [x, y] = [builder.input(0, LANES), builder.input(1, LANES)];
    const circuit = builder.build([builder.xor(builder.and(builder.not(x), y), x)]);
    const taken: AuthenticatedBits[] = [];
    const watched = (stock: Stock): Stock => ({
      keyShare: stock.keyShare,
      triples: (count) => {
        const triples = stock.triples(count);
        taken.push(triples.a, triples.b, triples.c);
        return triples;
      },
      masks: (owner, count) => {
        taken.push(stock.masks(owner, count));
        return taken.at(-1)!;
      },
      random: (count) => stock.random(count),
      discard: () => stock.discard(),
    });
    const { sessions } = await sitDown(world, evaluationCost(circuit, world.roster, 0).stock, { stock: watched });
    const values = [0, 1].map((seed) => seededRandom(`end/${seed}`)(LANES / 8));
    const opened = await Promise.all(
      sessions.map(async (session, i) => {
        const computing = session.compute(circuit, [values[i]!]);
        expect(() => session.end()).toThrow(expect.objectContaining({ code: 'OUT_OF_ORDER' }));
        return computing;
      }),
    );
    for (const session of sessions) {
      session.end();
      session.end();
    }
    // The answer is a copy.
    for (const answer of opened) expect(answer).toEqual([values[0]!.map((byte, i) => (~byte & values[1]![i]!) ^ byte)]);
    expect(taken).toHaveLength(10);
    for (const { bits, tags } of taken) expect([bits.length, tags.length]).toEqual([0, 0]);
    await expect(sessions[0]!.check([])).rejects.toMatchObject({ kind: 'Misuse', code: 'OUT_OF_ORDER' });
  });

  test('shows nothing of its shares when printed', async () => {
    const world = new World({ parties: 2, seed: 'print', deadline: 'idle' });
    const { sessions } = await sitDown(world, { triples: 0, random: 128, masks: new Map() });
    const shared = sessions[0]!.random(128);
    expect(JSON.stringify({ shared, session: sessions[0] })).toMatch(/redacted.*BooleanSession\(hospital-000/);
  });
});
