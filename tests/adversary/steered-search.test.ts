import { afterEach, describe, expect, test, vi } from 'vitest';
import { Broadcasts } from '../../mpc/boolean/broadcast.ts';
import { CircuitBuilder } from '../../mpc/boolean/builder.ts';
import { evaluationCost } from '../../mpc/boolean/cost.ts';
import { signCircuit } from '../../mpc/boolean/circuits/sign.ts';
import { findQuantiles, quantileCost, type QuantileSearch } from '../../mpc/order/quantile.ts';
import { sitDown } from '../../mpc/testing/boolean.ts';
import { flipBit, mallory, threeHospitals } from './attack.ts';

afterEach(() => vi.restoreAllMocks());

/** Mallory flips a bit of its message in one round, towards everybody and in its own view. */
function flipIn(at: number, bit: number): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
  const honest = Broadcasts.prototype.round;
  vi.spyOn(Broadcasts.prototype, 'round').mockImplementation(function (this: Broadcasts, message, ...rest) {
    const lies = this.transport.self === mallory && this.rounds === at;
    return honest.call(this, lies ? flipBit(message, bit) : message, ...rest);
  });
}

describe('a hospital that wants another branch of the search', () => {
  const search: QuantileSearch = {
    probabilities: [{ numerator: 1n, denominator: 2n }],
    gridSize: 16,
    greatestCount: 20n,
  };
  const { depth } = signCircuit(3, 8, 128);
  // Rounds of the first step: input, layers, three of the check, the output.
  test.each([
    ['in a layer of the comparison', 1 + (depth >> 1)],
    ['in the opened bit', 1 + depth + 3],
  ])('and flips a share %s sees no further step', async (_, round) => {
    flipIn(round, 0);
    const world = threeHospitals();
    const { sessions } = await sitDown(world, quantileCost(world.roster, search).stock);
    const asked = sessions.map(() => 0);
    const outcomes = await Promise.allSettled(
      sessions.map((session, i) =>
        findQuantiles(session, search, [9n], (probes) => {
          asked[i]!++;
          return probes.map((probe) => BigInt(Math.min(9, probe ?? 0)));
        }),
      ),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { kind: 'Abort', code: 'MAC_CHECK' } });
    expect(asked).toEqual([1, 1, 1]);
  });
});

describe('a value for one hospital alone', () => {
  test('cannot be changed on its way by another', async () => {
    // Two inputs, no AND: the first frame, then the opening and its check.
    flipIn(1, 3);
    const world = threeHospitals();
    const builder = new CircuitBuilder();
    const circuit = builder.build([builder.xor(builder.input(0, 128), builder.input(1, 128))]);
    const { stock } = evaluationCost(circuit, world.roster, 0);
    const masks = new Map([...stock.masks, [world.roster[0]!, 256]]);
    const { sessions } = await sitDown(world, { ...stock, masks });
    const outcomes = await Promise.allSettled(
      sessions.map(async (session, i) => {
        const shared = await session.evaluate(circuit, i < 2 ? [new Uint8Array(16)] : []);
        return session.openTo(world.roster[0]!, await session.check(shared));
      }),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { kind: 'Abort', code: 'MAC_CHECK' } });
  });
});
