import { beforeAll, describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { judge } from '../../mpc/sum/blame.ts';
import { CommittedInput } from '../../mpc/sum/party.ts';
import { elementBytes } from '../../mpc/masks.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { expectAbort } from './attack.ts';
import { addOne, agreed, blameCase, MODULI, openAll, sealed, type Agreed, type Lie } from './shares.ts';

describe.each(MODULI)('mod %s', (modulus) => {
  const width = elementBytes(modulus);
  let step: Agreed;
  beforeAll(async () => {
    step = await agreed(
      [
        [1n, 2n, 3n],
        [10n, 20n, 30n],
        [100n, 200n, 300n],
      ],
      { modulus },
    );
  });

  const large = modulus === 'l' ? (1n << 252n) - 1n : 1n << 127n;
  const asBytes = (value: bigint): Uint8Array =>
    Buffer.from(value.toString(16).padStart(2 * width, '0'), 'hex').reverse();

  const lies: readonly [string, Lie][] = [
    ['one cell', { elements: (honest) => addOne(honest, 1, width) }],
    ['its blinding', { blinding: (honest) => addOne(honest) }],
    ['a cell far out of range', { elements: (honest) => Buffer.concat([asBytes(large), honest.subarray(width)]) }],
    ['all of it, to zero', { elements: (honest) => honest.fill(0), blinding: (honest) => honest.fill(0) }],
    [
      'the order of its cells',
      { elements: (honest) => Buffer.concat([honest.subarray(width), honest.subarray(0, width)]) },
    ],
  ];

  describe('a hospital that sends another share than it committed to', () => {
    test('is what the tests below compare with: honest shares open', () => {
      expect([0, 1, 2].map((cell) => openAll(step).at(cell))).toEqual([111n, 222n, 333n]);
      expect(judge(blameCase(step))).toEqual({ kind: 'none' });
    });

    describe.each(lies)('by changing %s', (_, lie) => {
      test.each([0, 1, 2])('opens nothing, and the judge names exactly it (place %i)', (place) => {
        expectAbort(() => openAll(step, { [place]: lie }), 'VERIFICATION_FAILED', undefined);
        expect(judge(blameCase(step, { [place]: lie }))).toEqual({
          kind: 'cheat',
          party: step.world.roster[place],
          check: 'SHARE_WRONG',
        });
      });
    });

    test('of another input than it committed to is named', async () => {
      // Mallory agreed on one commitment but adds the masks to other cells.
      const other = await agreed(
        [
          [1n, 2n, 3n],
          [10n, 20n, 30n],
          [100n, 200n, 301n],
        ],
        { modulus },
      );
      const commitment = new CommittedInput(CellVector.fromBigInts([100n, 200n, 300n]), seededRandom('other'))
        .commitment;
      const swapped: Agreed = { ...other, commitments: other.commitments.with(2, commitment) };
      expectAbort(() => openAll(swapped), 'VERIFICATION_FAILED', undefined);
      expect(judge(blameCase(swapped))).toEqual({ kind: 'cheat', party: step.world.roster[2], check: 'SHARE_WRONG' });
    });

    test('and committed to bytes that are no element is named, not a crash of the judge', () => {
      const nonsense: Agreed = { ...step, commitments: step.commitments.with(1, new Uint8Array(32).fill(255)) };
      expect(judge(blameCase(nonsense))).toEqual({ kind: 'cheat', party: step.world.roster[1], check: 'SHARE_WRONG' });
    });

    test('together with another is named too, the first of the roster first', () => {
      const lie: Lie = { elements: (honest) => addOne(honest) };
      expect(judge(blameCase(step, { 1: lie, 2: lie }))).toMatchObject({ kind: 'cheat', party: step.world.roster[1] });
    });

    test('that cancels the lie of a colluder changes nothing that the commitments vouch for', () => {
      const up: Lie = { elements: (honest) => addOne(honest.fill(0)), blinding: (honest) => honest.fill(0) };
      expectAbort(() => openAll(step, { 1: up, 2: up }), 'VERIFICATION_FAILED', undefined);
      expect(sealed(step, 0)).toHaveLength(3);
    });
  });
});
