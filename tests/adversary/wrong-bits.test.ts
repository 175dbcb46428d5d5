import { describe, expect, test } from 'vitest';
import { AuthenticatedBits } from '../../mpc/boolean/bits.ts';
import type { BooleanSession } from '../../mpc/boolean/engine.ts';
import { commitTo } from '../../mpc/boolean/coin.ts';
import { concatBytes } from '../../protocol/bytes.ts';
import { anna, bert, expectError, flipBit, mallory, threeHospitals } from './attack.ts';
import {
  COIN,
  COMMIT,
  conjunction,
  ECHO,
  FIRST_LAYER,
  INPUT,
  OPEN,
  OUTPUT,
  runConjunction,
  SECOND_COIN,
  SECOND_LAYER,
  SECOND_OPEN,
  TwistedStock,
  type Cheat,
} from './boolean.ts';

type Outcomes = ReadonlyMap<string, PromiseSettledResult<unknown>>;

/** Both honest hospitals ended in this error, in a round that is at the latest `before`. */
function expectNobodyOpens(outcomes: Outcomes, code: string, names: string | undefined): void {
  for (const party of [anna, bert]) {
    const outcome = outcomes.get(party)!;
    expect(outcome.status).toBe('rejected');
    expect((outcome as PromiseRejectedResult).reason).toMatchObject({ kind: 'Abort', code, party: names });
  }
}

/** The same change to everybody. */
const lieIn = (at: string, change: (message: Uint8Array) => Uint8Array): Cheat => ({
  lie: (round, message) => (round === at ? change(message) : message),
});

const flip = (at: string, bit: number): Cheat => lieIn(at, (message) => flipBit(message, bit));

/** A change on the wire, in the whole frame. */
const twistIn = (at: string, change: (message: Uint8Array) => Uint8Array): Cheat => ({
  twist: (_, round, message) => (round === at ? change(message) : message),
});

test('three honest hospitals open the conjunction', async () => {
  const outcomes = await runConjunction(threeHospitals());
  const expected = [new Uint8Array(16).fill(0b01010111)];
  for (const outcome of outcomes.values()) expect(outcome).toEqual({ status: 'fulfilled', value: expected });
});

describe('a hospital whose share of an opened bit is wrong fails the MAC check before any output', () => {
  test.each([
    ['d in the first layer', FIRST_LAYER, 3],
    ['e in the first layer', FIRST_LAYER, 128 + 127],
    ['d in the second layer', SECOND_LAYER, 64],
    ['e in the second layer', SECOND_LAYER, 128],
  ])('%s', async (_, round, bit) => {
    const sent: string[] = [];
    const { lie } = flip(round, bit);
    const outcomes = await runConjunction(threeHospitals(), {
      lie: (at, message) => {
        sent.push(at);
        return lie!(at, message);
      },
    });
    expectNobodyOpens(outcomes, 'MAC_CHECK', undefined);
    expect(sent).not.toContain(OUTPUT);
  });

  test('of an output is noticed before the value is handed out', async () => {
    expectNobodyOpens(await runConjunction(threeHospitals(), flip(OUTPUT, 5)), 'MAC_CHECK', undefined);
  });

  test('through a triple that it stores wrongly: in its bits or in its tags', async () => {
    for (const part of ['a', 'b', 'c'] as const) {
      for (const where of ['bits', 'tags'] as const) {
        const outcomes = await runConjunction(threeHospitals(), {
          stock: (honest) =>
            new TwistedStock(honest, (triples) => {
              const { bits, tags } = triples[part];
              const changed = where === 'bits' ? [flipBit(bits, 7), tags] : [bits, flipBit(tags, 16 * 8 * 7 + 3)];
              return { ...triples, [part]: new AuthenticatedBits(changed[0]!, changed[1]!) };
            }),
        });
        expectNobodyOpens(outcomes, 'MAC_CHECK', undefined);
      }
    }
  });

  // 1 - 2^-128 for every set of flipped bits: no pattern cancels, whatever the coin.
  test('whatever it flips', async () => {
    for (let i = 1; i < 20; i++) {
      const cheat = lieIn(FIRST_LAYER, (message) => message.map((byte, at) => byte ^ ((i * (37 * at + 1)) & 255)));
      expectNobodyOpens(await runConjunction(threeHospitals(), cheat), 'MAC_CHECK', undefined);
    }
  });
});

describe('a hospital that lies in the check', () => {
  test('about its combination of tags is not believed', async () => {
    const world = threeHospitals();
    const [randomness, sigma] = [new Uint8Array(32).fill(4), new Uint8Array(16).fill(5)];
    const outcomes = await runConjunction(world, {
      lie: (round, message) => {
        if (round === COMMIT) return commitTo(world.session, 'boolean/tags/2', mallory, randomness, sigma);
        return round === OPEN ? concatBytes(randomness, sigma) : message;
      },
    });
    expectNobodyOpens(outcomes, 'MAC_CHECK', undefined);
  });

  test.each([
    ['the coin of the first check', COIN, 32],
    ['the coin of the second check', SECOND_COIN, 33],
    ['its combination of tags', OPEN, 32],
    ['its combination of tags of the outputs', SECOND_OPEN, 47],
    ['the randomness of its commitment', OPEN, 0],
  ])('and opens %s otherwise than it committed is named', async (_, round, byte) => {
    expectNobodyOpens(await runConjunction(threeHospitals(), flip(round, 8 * byte)), 'COMMITMENT', mallory);
  });

  test('and copies the commitment of another hospital cannot open it', async () => {
    const world = threeHospitals();
    const ofAnna = commitTo(world.session, 'boolean/tags/2', anna, new Uint8Array(32), new Uint8Array(16));
    const outcomes = await runConjunction(world, {
      lie: (round, message) => (round === COMMIT ? ofAnna : round === OPEN ? new Uint8Array(48) : message),
    });
    expectNobodyOpens(outcomes, 'COMMITMENT', mallory);
  });
});

describe('a hospital that tells two hospitals two things', () => {
  test.each([
    ['its masked inputs', INPUT, 32],
    ['the commitment to its coin', INPUT, 0],
    ['its shares of a layer', FIRST_LAYER, 0],
    ['its shares of the last layer', SECOND_LAYER, 31],
    ['the commitment to its next coin', COIN, 64],
    ['the commitment to its tags', COMMIT, 0],
    ['its shares of the output', OUTPUT, 0],
  ])('in %s is noticed one round later', async (_, round, byte) => {
    const outcomes = await runConjunction(threeHospitals(), {
      twist: (to, at, message) => (to === bert && at === round ? flipBit(message, 8 * (ECHO + byte)) : message),
    });
    // Each sees that its peer's course differs; who told them differently is seen only by putting the frames side by side.
    expectError(outcomes as never, anna, 'Abort', 'EQUIVOCATION', bert);
    expectError(outcomes as never, bert, 'Abort', 'EQUIVOCATION', anna);
  });

  test('and in the echo itself is named', async () => {
    const outcomes = await runConjunction(
      threeHospitals(),
      twistIn(SECOND_LAYER, (message) => flipBit(message, 0)),
    );
    expectNobodyOpens(outcomes, 'EQUIVOCATION', mallory);
  });

  test('or evaluates another circuit is named before anything depends on it', async () => {
    const outcomes = await runConjunction(threeHospitals(), {
      play: async (session) => {
        const circuit = conjunction();
        const other = Object.assign(Object.create(circuit) as typeof circuit, { digest: new Uint8Array(32) });
        await session.evaluate(other, [new Uint8Array(16)]);
      },
    });
    expectNobodyOpens(outcomes, 'EQUIVOCATION', mallory);
  });
});

describe('a hospital whose message has the wrong length', () => {
  test.each([
    ['empty', INPUT, 0],
    ['too short', FIRST_LAYER, 63],
    ['too long', FIRST_LAYER, 65],
    ['without its message', COIN, 32],
    ['too long', OPEN, 81],
    ['too short', OUTPUT, 47],
  ])('%s, in round %s, is named', async (_, round, length) => {
    const outcomes = await runConjunction(
      threeHospitals(),
      twistIn(round, (message) => Buffer.concat([message, Buffer.alloc(100)]).subarray(0, length)),
    );
    expectNobodyOpens(outcomes, 'FORGED_FRAME', mallory);
  });
});

describe('opening before the check', () => {
  test('is no call that exists', async () => {
    const outcomes = await runConjunction(threeHospitals(), {
      play: async (session) => {
        const shared = await session.evaluate(conjunction(), [new Uint8Array(16)]);
        // @ts-expect-error shared bits are not checked bits
        // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- that is the point
        await session.openToAll(shared);
      },
    });
    expect(outcomes.get(mallory)!.status).toBe('rejected');
    for (const party of [anna, bert]) expect(outcomes.get(party)!.status).toBe('rejected');
  });

  test('by a hospital that sends its output shares early makes the others end, not open', async () => {
    // In place of the coin it sends what would be its output frame.
    const outcomes = await runConjunction(
      threeHospitals(),
      lieIn(COIN, () => new Uint8Array(16).fill(1)),
    );
    expectNobodyOpens(outcomes, 'FORGED_FRAME', mallory);
  });

  test('of another session’s bits is refused', async () => {
    const sessions: BooleanSession[] = [];
    for (let i = 0; i < 2; i++) {
      await runConjunction(threeHospitals(), {
        play: (session) => {
          sessions.push(session);
          return Promise.reject(new Error('leaves'));
        },
      });
    }
    const foreign = await sessions[1]!.check([]);
    await expect(sessions[0]!.openToAll(foreign)).rejects.toMatchObject({ kind: 'Misuse', code: 'OUT_OF_ORDER' });
  });

  test('after an abort nothing more is computed', async () => {
    const outcomes = await runConjunction(threeHospitals(), {
      ...flip(FIRST_LAYER, 0),
      play: async (session) => {
        const shared = await session.evaluate(conjunction(), [new Uint8Array(16)]);
        await expect(session.check(shared)).rejects.toMatchObject({ code: 'MAC_CHECK' });
        await expect(session.check(shared)).rejects.toMatchObject({ kind: 'Misuse', code: 'OUT_OF_ORDER' });
      },
    });
    expect(outcomes.get(mallory)!.status).toBe('fulfilled');
    expectNobodyOpens(outcomes, 'MAC_CHECK', undefined);
  });
});
