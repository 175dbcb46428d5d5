import { describe, expect, test } from 'vitest';
import { World } from '../../mpc/testing/world.ts';
import {
  AGREE,
  anna,
  bert,
  CONFIRM,
  errorOf,
  expectError,
  expectNoShares,
  HELLO,
  mallory,
  onFrame,
  runStep,
  threeHospitals,
} from './attack.ts';

describe('a relay that drops frames', () => {
  test.each([
    ['hello', HELLO, [anna, bert, mallory]],
    ['transcript', AGREE, [bert]],
  ])('and all that follow from a %s on makes the receiver miss the sender', async (_, first, withoutShare) => {
    const outcomes = await runStep(
      threeHospitals(({ from, to, place, frame }) => (from === anna && to === bert && place >= first ? [] : [frame])),
    );
    expectError(outcomes, bert, 'Fault', 'DEADLINE', anna);
    expectNoShares(outcomes, ...withoutShare);
  });

  test.each([
    ['hello', HELLO, 'FORGED_HELLO', [anna, bert, mallory]],
    ['transcript', AGREE, 'FORGED_FRAME', [bert]],
  ])('after one lost %s takes the next frame for it, which does not open', async (_, place, code, withoutShare) => {
    const outcomes = await runStep(threeHospitals(onFrame(anna, bert, place, () => [])));
    expectError(outcomes, bert, 'Abort', code, anna);
    expectNoShares(outcomes, ...withoutShare);
  });

  test('cannot open anything by losing a confirmation: whoever misses it makes no share', async () => {
    const outcomes = await runStep(threeHospitals(onFrame(anna, bert, CONFIRM, () => [])));
    expectError(outcomes, bert, 'Fault', 'DEADLINE', anna);
    // The others had all confirmations: two shares of three are noise without the third.
    expect(outcomes.get(anna)?.status).toBe('fulfilled');
    expectNoShares(outcomes, bert);
  });

  test('withholding everything of one hospital names it at every other', async () => {
    const outcomes = await runStep(threeHospitals(({ from, frame }) => (from === mallory ? [] : [frame])));
    expectError(outcomes, anna, 'Fault', 'DEADLINE', mallory);
    expectError(outcomes, bert, 'Fault', 'DEADLINE', mallory);
    expectNoShares(outcomes, anna, bert);
  });

  test('withholding everything ends in a deadline everywhere, not in a wait', async () => {
    const outcomes = await runStep(threeHospitals(() => []));
    for (const party of [anna, bert, mallory]) expect(errorOf(outcomes, party).code).toBe('DEADLINE');
  });

  test('a deadline in milliseconds works as the idle one does', async () => {
    const world = new World({ parties: 2, deadline: 30, hook: () => [] });
    const outcomes = await runStep(world);
    expectError(outcomes, anna, 'Fault', 'DEADLINE', bert);
  });
});
