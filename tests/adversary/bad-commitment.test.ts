import { describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { addCommitments, commitCells } from '../../mpc/pedersen.ts';
import { addScalars, randomScalar } from '../../mpc/scalars.ts';
import { Opening, verifyOpening } from '../../mpc/sum/opening.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { anna, bert, expectAbort, expectError, expectNoShares, mallory, runStep, threeHospitals } from './attack.ts';

/** Not encodings of an element (RFC 9496 §A.3): not below p; negative; not a square. */
const INVALID: readonly [string, string][] = [
  ['no field element', 'ff'.repeat(32)],
  ['negative', '01' + '00'.repeat(31)],
  ['on no element', '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371'],
];
const random = seededRandom('commitments');
const [r1, r2] = [randomScalar(random), randomScalar(random)];
const cells = (...values: bigint[]): CellVector => CellVector.fromBigInts(values);
const [c1, c2] = [commitCells(cells(3n, 4n), r1), commitCells(cells(5n, -6n), r2)];

describe('a commitment on the ledger', () => {
  test.each([...INVALID, ['the identity', '00'.repeat(32)] as const])(
    'that is %s stops the step before a share leaves',
    async (_, hex) => {
      const outcomes = await runStep(threeHospitals(), {
        commitments: (honest) => honest.with(2, Buffer.from(hex, 'hex')),
      });
      expectError(outcomes, anna, 'Abort', 'VERIFICATION_FAILED', mallory);
      expectError(outcomes, bert, 'Abort', 'VERIFICATION_FAILED', mallory);
      expectNoShares(outcomes, anna, bert);
    },
  );

  test.each([...INVALID, ['the identity', '00'.repeat(32)], ['cut', '00'.repeat(31)]])(
    'that is %s does not verify offline',
    (_, hex) => {
      const opening = new Opening(cells(8n, -2n), addScalars(r1, r2));
      expect(verifyOpening(opening, [c1, c2]).at(1)).toBe(-2n);
      expectAbort(() => verifyOpening(opening, [c1, Buffer.from(hex, 'hex')]), 'VERIFICATION_FAILED', undefined);
    },
  );

  test('of another hospital in its place does not change the sum: who is who is the ledger’s to say', () => {
    expect(addCommitments([c1, c2])).toEqual(addCommitments([c2, c1]));
    expect(verifyOpening(new Opening(cells(8n, -2n), addScalars(r1, r2)), [c2, c1]).at(0)).toBe(8n);
  });

  test.each([
    ['replaced', [c1, commitCells(cells(5n, -5n), r2)]],
    ['left out', [c1]],
    ['counted twice', [c1, c2, c2]],
    ['missing altogether', []],
  ])('that is %s does not verify', (_, commitments) => {
    const opening = new Opening(cells(8n, -2n), addScalars(r1, r2));
    expectAbort(() => verifyOpening(opening, commitments), 'VERIFICATION_FAILED', undefined);
  });
});
