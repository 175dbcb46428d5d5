import { afterEach, expect, test, vi } from 'vitest';
import { Broadcasts } from '../../mpc/boolean/broadcast.ts';
import { CircuitBuilder } from '../../mpc/boolean/builder.ts';
import { evaluationCost } from '../../mpc/boolean/cost.ts';
import { sitDown } from '../../mpc/testing/boolean.ts';
import { xorAll } from '../../mpc/testing/combine.ts';
import { anna, mallory, threeHospitals } from './attack.ts';

afterEach(() => vi.restoreAllMocks());

/** Everything that mallory hears in one round, its own message included. */
function overhear(at: number): Uint8Array[] {
  const heard: Uint8Array[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
  const honest = Broadcasts.prototype.round;
  vi.spyOn(Broadcasts.prototype, 'round').mockImplementation(async function (this: Broadcasts, ...message) {
    const listens = this.transport.self === mallory && this.rounds === at;
    const round = await honest.apply(this, message);
    if (listens) heard.push(...round.messages.map((each) => Uint8Array.from(each)));
    return round;
  });
  return heard;
}

test('a hospital that adds up the shares of what opens to another finds its mask, not the value', async () => {
  const builder = new CircuitBuilder();
  const circuit = builder.build([builder.xor(builder.input(0, 128), builder.input(1, 128))]);
  const [first, second] = [new Uint8Array(16).fill(0x5a), new Uint8Array(16).fill(0x33)];
  const value = xorAll([first, second]);
  const world = threeHospitals();
  const { stock } = evaluationCost(circuit, world.roster, 0);
  const masks = new Map([...stock.masks, [anna, 256]]);

  for (const toAll of [true, false]) {
    // Two inputs, no AND: the first frame, then the opening.
    const heard = overhear(1);
    const { sessions } = await sitDown(threeHospitals(), { ...stock, masks });
    const outcomes = await Promise.all(
      sessions.map(async (session, i) => {
        const checked = await session.check(await session.evaluate(circuit, [[first], [second], []][i]!));
        return toAll ? session.openToAll(checked) : session.openTo(anna, checked);
      }),
    );
    expect(outcomes[0]).toEqual([value]);
    if (toAll) {
      expect(xorAll(heard)).toEqual(value);
    } else {
      expect(outcomes.slice(1)).toEqual([undefined, undefined]);
      expect(xorAll(heard)).not.toEqual(value);
    }
    vi.restoreAllMocks();
  }
});
