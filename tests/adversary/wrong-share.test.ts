import { beforeAll, describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { judge } from '../../mpc/sum/blame.ts';
import { SCALAR_ORDER } from '../../mpc/scalars.ts';
import { CommittedInput } from '../../mpc/sum/party.ts';
import { elementBytes } from '../../mpc/masks.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { expectAbort } from './attack.ts';
import {
  addOne,
  agreed,
  blameCase,
  blameCaseOfLiar,
  MODULI,
  openAll,
  restate,
  type Agreed,
  type Lie,
} from './shares.ts';

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
      const q = modulus === 'l' ? SCALAR_ORDER : 1n << 128n;
      const by =
        (change: bigint): NonNullable<Lie['elements']> =>
        (honest) => {
          const first = Buffer.from(honest.subarray(0, width)).reverse().toString('hex');
          const moved = (BigInt(`0x${first}`) + change + q) % q;
          return Buffer.concat([asBytes(moved), honest.subarray(width)]);
        };
      expectAbort(() => openAll(step, { 1: { elements: by(5n) } }), 'VERIFICATION_FAILED', undefined);
      expect(openAll(step, { 1: { elements: by(5n) }, 2: { elements: by(-5n) } }).at(0)).toBe(111n);
    });

    test('and agrees with a colluder on a mask that makes up for it leaves the colluder with a share that does not fit', () => {
      const of = blameCaseOfLiar(step, 1, 2);
      const [bert, mallory] = [step.world.roster[1]!, step.world.roster[2]!];
      const stated = of.statements.get(bert)!.statement.masks[1]!;
      restate(step, of, 2, ({ masks }) => ({ masks: masks.with(1, stated) }));
      expect(judge(of)).toEqual({ kind: 'cheat', party: mallory, check: 'SHARE_WRONG' });
    });
  });
});
