import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until, valuesOf } from '../end-to-end/world.ts';
import { Members, query, ROWS } from './members.ts';
import { Middle, PAYLOAD, type Attack, type Passing } from './middle.ts';

const hospitals = ['anna', 'bert', 'carl'] as const;
const [anna, bert, carl] = hospitals;
/** Relayed messages of one sender to one receiver, in order. */
const [HELLO, AGREE, CONFIRM] = [0, 1, 2];

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 1;
  return flipped;
}

/** Attacks one message that Bert (place 1 of the roster) sends to Anna. */
const on =
  (place: number, attack: (passing: Passing) => readonly Buffer[]): Attack =>
  (passing) =>
    passing.from === 1 && passing.place === place ? attack(passing) : [passing.bytes];

/** Holds one message back until the next has passed. */
function swap(place: number): Attack {
  let held: Buffer | undefined;
  return ({ from, place: at, bytes }) => {
    if (from !== 1) return [bytes];
    if (at === place) return ((held = bytes), []);
    return at === place + 1 && held !== undefined ? [bytes, held] : [bytes];
  };
}

describe('a coordinator that tampers with what it relays to Anna', () => {
  let members: Members;
  let middle: Middle;

  beforeAll(async () => {
    members = await Members.start(hospitals, { session: 4000, join: 500 });
    middle = await Middle.start(members.coordinator.url);
    members.closeAtEnd(middle);
    await Promise.all([
      members.node(anna, 0, { coordinatorUrl: middle.url }),
      members.node(bert, 1),
      members.node(carl, 2),
    ]);
  });
  afterAll(() => members.close());

  const outcome = async (attack: Attack): Promise<{ id: string; reason: string; blame: string | undefined }> => {
    middle.attack = attack;
    const id = await members.researcher.submit(query);
    const abort = await until('the abort', () => members.sessionsOf(id)[0]?.abort);
    middle.attack = undefined;
    return { id, reason: abort.reason, blame: abort.blame };
  };
  function expectNothingOpened(id: string, by: readonly string[] = hospitals): void {
    const [attacked] = members.sessionsOf(id);
    for (const each of by)
      expect(
        members.shares(each).filter((file) => file.startsWith(attacked!.id)),
        each,
      ).toEqual([]);
  }

  // What is noticed in the last round is noticed after others may have sent their shares; the attacked one never does.
  test.each<[string, Attack, string[], string[]?]>([
    ['flips a bit of a hello', on(HELLO, ({ bytes }) => [flip(bytes, bytes.length - 3)]), ['FORGED_HELLO']],
    ['flips a bit of a sealed message', on(AGREE, ({ bytes }) => [flip(bytes, PAYLOAD + 9)]), ['FORGED_FRAME']],
    ['sends a message twice', on(AGREE, ({ bytes }) => [bytes, bytes]), ['FORGED_FRAME'], [anna]],
    ['cuts a message short', on(AGREE, ({ bytes }) => [bytes.subarray(0, bytes.length - 5)]), ['FORGED_FRAME']],
    ['swaps two messages', swap(AGREE), ['FORGED_FRAME']],
    ['drops a message that another follows', on(AGREE, () => []), ['FORGED_FRAME', 'DEADLINE']],
    ['says that a message of Bert is of Carl', on(AGREE, ({ bytes }) => [asFrom(bytes, 2)]), ['FORGED_FRAME']],
  ])('%s: a named error, nothing opened, and no later attempt', async (_, attack, codes, unopened) => {
    const { id, reason, blame } = await outcome(attack);
    expect(codes).toContain(reason);
    // The relay did it: nobody is named on the ledger. The log of who noticed tells whose frame it was.
    expect(blame).toBeUndefined();
    expectNothingOpened(id, unopened);
    expect(members.ledger.query(id)?.status).toBe('failed');
    await expect(members.researcher.answer(id, { signal: AbortSignal.timeout(5000) })).rejects.toMatchObject({
      kind: 'Abort',
      code: reason,
      party: undefined,
    });
    expect(members.logs.get(anna)!.some((line) => line.includes(reason) && /bert|carl/.test(line))).toBe(true);
  });

  test('flips a bit of the last message before a share leaves: that hospital opens nothing, and nobody gets an answer', async () => {
    const { id, reason } = await outcome(on(CONFIRM, ({ bytes }) => [flip(bytes, bytes.length - 1)]));
    expect(reason).toBe('FORGED_FRAME');
    expectNothingOpened(id, [anna]);
    expect(members.ledger.query(id)?.status).toBe('failed');
    expect(members.sessionsOf(id)).toHaveLength(1);
  });

  test('drops a hello: DEADLINE for all, and a later attempt over an honest line answers', async () => {
    const { id, reason } = await outcome(on(HELLO, () => []));
    expect(reason).toBe('DEADLINE');
    expectNothingOpened(id);
    const answer = await members.researcher.answer(id, { signal: AbortSignal.timeout(20_000) });
    const last = members.sessionsOf(id).at(-1)!;
    expect(valuesOf(answer)['count']).toBe(ROWS * last.roster.length);
    for (const each of hospitals) expect(members.opened(each, id)).toBeLessThanOrEqual(1);
  });

  test('and then behaves gets an answer of all three', async () => {
    const id = await members.researcher.submit(query);
    const answer = await members.researcher.answer(id, { signal: AbortSignal.timeout(20_000) });
    expect(valuesOf(answer)['count']).toBe(3 * ROWS);
  });
});

function asFrom(bytes: Buffer, from: number): Buffer {
  const moved = Buffer.from(bytes);
  moved.writeUInt32BE(from, 33);
  return moved;
}
