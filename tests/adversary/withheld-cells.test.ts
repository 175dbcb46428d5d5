import { beforeAll, describe, expect, test } from 'vitest';
import { CellSet } from '../../mpc/sum/cell-set.ts';
import { judge } from '../../mpc/sum/blame.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import { combineShares, Opening, verifyOpening } from '../../mpc/sum/opening.ts';
import type { ShareHeader } from '../../mpc/sum/share.ts';
import { CellVector } from '../../mpc/cells.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { ScalarVector } from '../../mpc/scalars.ts';
import { corrupt, seededRandom } from '../../mpc/testing/world.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { addOne, agreed, blameCase, openAll, receive, sealed, type Agreed } from './shares.ts';

const code = (expected: string): unknown => expect.objectContaining({ code: expected });
const values = [
  [1n, 20n, -3n, 7n],
  [2n, 30n, 5n, 0n],
  [3n, 40n, 1n, 2n],
];
/** Cells 0 and 3 stay closed. */
const opens = (cell: number): boolean => cell === 1 || cell === 2;
const other = 'hospital-001';

let step: Agreed;
beforeAll(async () => {
  step = await agreed(values, { released: opens });
});

function opened(lies: Parameters<typeof openAll>[1] = {}): Opening {
  const sum = new ShareSum(step.cells);
  const shares = step.inputs.map((_, place) => receive(step, place, sealed(step, place, lies[place]), sum));
  return combineShares(sum, shares);
}

describe('withheld cells', () => {
  test('stay closed while the others open and verify', () => {
    const cells = openAll(step);
    expect([cells.at(1), cells.at(2)]).toEqual([90n, 3n]);
    expect([0, 1, 2, 3].map((cell) => cells.has(cell))).toEqual([false, true, true, false]);
    expect(() => cells.at(0)).toThrow(code('OUT_OF_ORDER'));
  });

  test('may be all of them, or none', async () => {
    const none = openAll(await agreed(values, { released: () => false }));
    expect([0, 1, 2, 3].some((cell) => none.has(cell))).toBe(false);
    const all = await agreed(values, { released: () => true });
    expect(all.decided[0]!.outcome!.announcements).toEqual([]);
    expect(openAll(all).at(0)).toBe(6n);
  });

  test.each([0, 1, 2, 3])('a share changed at cell %i fails, and blame names its sender', (cell) => {
    const lie = { 1: { elements: (honest: Uint8Array) => addOne(honest, cell) } };
    expect(() => openAll(step, lie)).toThrow(code('VERIFICATION_FAILED'));
    expect(judge(blameCase(step, lie))).toEqual({ kind: 'cheat', party: other, check: 'SHARE_WRONG' });
  });

  test('a changed blinding fails, and blame names its sender', () => {
    const lie = { 1: { blinding: (honest: Uint8Array) => addOne(honest) } };
    expect(() => openAll(step, lie)).toThrow(code('VERIFICATION_FAILED'));
    expect(judge(blameCase(step, lie))).toEqual({ kind: 'cheat', party: other, check: 'SHARE_WRONG' });
  });

  test('nobody is blamed when all were honest', () => {
    expect(judge(blameCase(step))).toEqual({ kind: 'none' });
  });

  test('a share signed for another outcome does not combine', () => {
    const lie = { 1: { outcome: (honest: NonNullable<DecidedInput['outcome']>) => ({ ...honest, answers: [[1]] }) } };
    expect(() => openAll(step, lie)).toThrow(code('EQUIVOCATION'));
  });

  test('an outcome that is not the one signed is refused, though it is as long', () => {
    const chunks = sealed(step, 1);
    const [, other] = sealed(step, 1, {
      outcome: (honest) => ({ ...honest, released: CellSet.of(4, (cell) => cell !== 0).toBase64() }),
    });
    expect(other!.length).toBe(chunks[1]!.length);
    expect(() => receive(step, 1, chunks.with(1, other!))).toThrow(/another outcome than it signed/);
  });

  test('an outcome under the signature of another is refused', () => {
    const [honest, other] = [
      sealed(step, 1),
      sealed(step, 1, { outcome: (each) => ({ ...each, answers: [[1]] }) }),
    ] as const;
    const [signed, header] = [honest, other].map(
      ([first]) => JSON.parse(Buffer.from(first!).toString()) as ShareHeader,
    );
    const forged = canonicalBytes({ ...header!, signature: signed!.signature });
    expect(() => receive(step, 1, [forged, ...other.slice(1)])).toThrow(/wrong signature/);
  });

  test('an outcome of another form is refused, though it is the one signed', () => {
    const lie = { outcome: (honest: NonNullable<DecidedInput['outcome']>) => ({ ...honest, more: 1 }) };
    expect(() => receive(step, 1, sealed(step, 1, lie))).toThrow(/does not decode/);
  });

  test.each(['announcements', 'released', 'responses', 'blinding', 'cells', 'agreement'] as const)(
    'an opening with other %s does not verify',
    (part) => {
      const { cells, blinding, outcome, closed } = opened();
      const { announcements, responses, agreement } = closed!;
      const forged = {
        announcements: { announcements: [announcements[1]!, announcements[1]!, announcements[2]!] },
        released: { released: CellSet.of(4, (cell) => cell !== 0) },
        responses: { responses: ScalarVector.fromBytes(addOne(responses.bytes)) },
        agreement: { agreement: agreement.map((byte) => byte ^ 1) },
        blinding: {},
        cells: {},
      }[part];
      const opening = new Opening(
        part === 'cells' ? CellVector.fromBigInts([0n, 91n, 3n, 0n]) : cells,
        part === 'blinding' ? addOne(blinding) : blinding,
        outcome,
        { ...closed!, ...forged },
      );
      expect(() => verifyOpening(opening, step.commitments)).toThrow(code('VERIFICATION_FAILED'));
    },
  );

  test.each(['answers', 'responses', 'agreement'] as const)(
    'an opening with other %s has another digest on the ledger',
    (part) => {
      const { cells, blinding, outcome, closed } = opened();
      const other = {
        answers: { ...outcome!, answers: [[1]] },
        responses: ScalarVector.fromBytes(addOne(closed!.responses.bytes)),
        agreement: closed!.agreement.map((byte) => byte ^ 1),
      };
      const changed =
        part === 'answers'
          ? new Opening(cells, blinding, other.answers, closed)
          : new Opening(cells, blinding, outcome, { ...closed!, [part]: other[part] });
      const { session } = step.world;
      expect(changed.digest(session, 0)).not.toBe(new Opening(cells, blinding, outcome, closed).digest(session, 0));
    },
  );

  test.each([-1, 1])('a header that states an outcome longer by %i bytes is refused', (by) => {
    const [first, ...rest] = sealed(step, 1);
    const header = JSON.parse(Buffer.from(first!).toString()) as ShareHeader;
    const other = { ...header, outcome: { ...header.outcome!, bytes: header.outcome!.bytes + by } };
    expect(() => receive(step, 1, [canonicalBytes(other), ...rest])).toThrow(code('FORGED_SHARE'));
  });

  test('a difference that a hospital hides in a released cell is blown up by the challenge, out of the range of cells', async () => {
    const of = await agreed(values, { modulus: 'l' });
    const set = CellSet.of(4, opens);
    // The same set to everybody, but the cell that opens is concealed as well.
    const sly = Object.assign(CellSet.of(4, opens), { has: (cell: number) => opens(cell) && cell !== 1 });
    const decided = await Promise.all(
      of.inputs.map((input, i) =>
        DecidedInput.deciding(input, i === 1 ? sly : set, [], seededRandom(`${of.world.seed}/sly/${i}`)),
      ),
    );
    expect(() => openAll({ ...of, decided })).toThrow(code('VERIFICATION_FAILED'));
    const shown = await Promise.all(
      of.inputs.map((input, i) => DecidedInput.deciding(input, set, [], seededRandom(`${of.world.seed}/${i}`))),
    );
    expect(openAll({ ...of, decided: shown }).at(1)).toBe(90n);
  });

  test('open to numbers that say nothing: two runs over the same input differ, and lie out of the range of cells', async () => {
    const again = await agreed(values, { released: opens });
    const [first, second] = [step, again].map((of) => {
      const sum = new ShareSum(of.cells);
      const shares = of.inputs.map((_, place) => receive(of, place, sealed(of, place), sum));
      return combineShares(sum, shares).closed!.responses.bytes.slice(0, 32);
    });
    expect(Buffer.compare(first!, second!)).not.toBe(0);
    expect(() => ScalarVector.fromBytes(first!).toCells()).toThrow();
  });
});

describe('deciding which cells open', () => {
  const decide = async (
    released: (place: number) => CellSet,
    twist?: (round: string, message: Uint8Array, to: string) => Uint8Array,
  ): Promise<unknown[]> => {
    const of = await agreed(values, { modulus: 'l' });
    if (twist !== undefined) corrupt(of.inputs[1]!.channel, (to, round, message) => twist(round, message, to));
    const all = of.inputs.map((input, i) => DecidedInput.deciding(input, released(i), [], seededRandom(`${i}`)));
    return (await Promise.allSettled(all)).map((each) =>
      each.status === 'rejected' ? (each.reason as unknown) : 'ok',
    );
  };
  const set = CellSet.of(4, opens);

  test('a hospital that would open more than the others ends the session before anything opens', async () => {
    const ends = await decide((place) => (place === 1 ? CellSet.of(4, (cell) => cell !== 0) : set));
    expect(ends).toEqual([code('EQUIVOCATION'), code('EQUIVOCATION'), code('EQUIVOCATION')]);
  });

  test('a decision over other cells than were agreed on is taken for none', async () => {
    const ends = await decide((place) => (place === 0 ? CellSet.of(5, opens) : set));
    expect(ends[0]).toEqual(code('OUT_OF_ORDER'));
    expect(ends.slice(1)).not.toContain('ok');
  });

  test('a hospital that announces two things to two peers is noticed', async () => {
    const base = Uint8Array.from(
      Buffer.from('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76', 'hex'),
    );
    const ends = await decide(
      () => set,
      (round, message, to) => (round === 'announce/0' && to.endsWith('2') ? base : message),
    );
    expect(ends[0]).toEqual(code('EQUIVOCATION'));
    expect(ends[2]).toEqual(code('EQUIVOCATION'));
  });

  test.each([
    ['no element', () => new Uint8Array(32).fill(255)],
    ['cut short', (honest: Uint8Array) => honest.subarray(1)],
    ['two elements', (honest: Uint8Array) => Buffer.concat([honest, honest])],
  ])('an announcement that is %s is refused by name', async (_, change) => {
    const ends = await decide(
      () => set,
      (round, message) => (round === 'announce/0' ? change(message) : message),
    );
    expect(ends[0]).toEqual(expect.objectContaining({ code: 'VERIFICATION_FAILED', party: other }));
  });
});
