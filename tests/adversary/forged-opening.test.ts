import { describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { commitCells } from '../../mpc/pedersen.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { addScalars, randomScalar } from '../../mpc/scalars.ts';
import { combineShares, Opening, verifyOpening } from '../../mpc/sum/opening.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { expectAbort, flipBit, refusedBy } from './attack.ts';

const random = seededRandom('opening');
const inputs = [1n, 2n, 3n].map((k) => ({ cells: [k, -k, 1000n * k, 0n], blinding: randomScalar(random) }));
const commitments = inputs.map(({ cells, blinding }) => commitCells(CellVector.fromBigInts(cells), blinding));
const sum = [6n, -6n, 6000n, 0n];
const blinding = inputs.map((input) => input.blinding).reduce(addScalars);
const verify = (cells: readonly bigint[], r = blinding) =>
  verifyOpening(new Opening(CellVector.fromBigInts(cells), r), commitments);

describe('an opening that a coordinator or a researcher changed', () => {
  test('in nothing verifies', () => expect(verify(sum).at(2)).toBe(6000n));

  test.each([0, 1, 2, 3])('in cell %i by one does not verify', (cell) => {
    for (const by of [1n, -1n, 1n << 100n])
      expectAbort(() => verify(sum.with(cell, sum[cell]! + by)), 'VERIFICATION_FAILED', undefined);
  });
  test('in any bit of the blinding does not verify', () => {
    // The highest bits make it no scalar at all, which is the same answer.
    for (let bit = 0; bit < 256; bit++)
      expectAbort(() => verify(sum, flipBit(blinding, bit)), 'VERIFICATION_FAILED', undefined);
  });
  test('in the length of the blinding does not verify', () =>
    expectAbort(() => verify(sum, blinding.subarray(1)), 'VERIFICATION_FAILED', undefined));
  test('by exchanging two cells does not verify', () =>
    expectAbort(() => verify([sum[1]!, sum[0]!, sum[2]!, sum[3]!]), 'VERIFICATION_FAILED', undefined));
  test('by moving one from a cell to another does not verify', () =>
    expectAbort(() => verify([7n, -7n, 6000n, 0n]), 'VERIFICATION_FAILED', undefined));
  test('by leaving out a cell that is not zero does not verify', () =>
    expectAbort(() => verify(sum.slice(0, 2)), 'VERIFICATION_FAILED', undefined));
  test('by zero cells at the end verifies: the length is the plan’s, and in the transcript', () =>
    expect(verify([...sum, 0n]).length).toBe(5));
  test('has another digest on the ledger', () => {
    const session = 'a'.repeat(64);
    const digest = (cells: readonly bigint[], r = blinding, step = 0): string =>
      new Opening(CellVector.fromBigInts(cells), r).digest(session, step);
    const digests = [digest(sum), digest(sum.with(0, 7n)), digest(sum, flipBit(blinding, 0)), digest(sum, blinding, 1)];
    expect(new Set(digests).size).toBe(4);
  });
  test('of no shares at all is the caller’s mistake', () =>
    expect(refusedBy(() => combineShares(new ShareSum(1), []))).toMatchObject({
      kind: 'Misuse',
      code: 'OUT_OF_ORDER',
    }));
});
