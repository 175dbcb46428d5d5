import { describe, test } from 'vitest';
import {
  AGREE,
  anna,
  bert,
  CONFIRM,
  expectError,
  expectNoShares,
  HELLO,
  mallory,
  onFrame,
  runStep,
  threeHospitals,
} from './attack.ts';
import type { RelayHook } from '../../mpc/testing/world.ts';

/** Holds back the frame at one place from anna to bert until the next has gone by. */
function swapped(place: number): RelayHook {
  let held: Uint8Array | undefined;
  return ({ from, to, place: at, frame }) => {
    if (from !== anna || to !== bert) return [frame];
    if (at === place) {
      held = frame;
      return [];
    }
    return at === place + 1 ? [frame, held!] : [frame];
  };
}

describe('a relay that changes the order of frames', () => {
  test('a message of a later round that comes early does not open', async () => {
    const outcomes = await runStep(threeHospitals(swapped(AGREE)));
    expectError(outcomes, bert, 'Abort', 'FORGED_FRAME', anna);
    expectNoShares(outcomes, bert);
  });

  test('a sealed frame before the hello is a forged hello', async () => {
    const hook = onFrame(anna, bert, HELLO, ({ frame }) => [new Uint8Array(200).fill(7), frame]);
    const outcomes = await runStep(threeHospitals(hook));
    expectError(outcomes, bert, 'Abort', 'FORGED_HELLO', anna);
    expectNoShares(outcomes, anna, bert, mallory);
  });

  test.each([
    ['hello', HELLO, [anna, bert, mallory]],
    ['transcript', AGREE, [bert]],
  ])('a %s delivered twice is refused in the place of the next message', async (_, place, withoutShare) => {
    const outcomes = await runStep(threeHospitals(onFrame(anna, bert, place, ({ frame }) => [frame, frame])));
    expectError(outcomes, bert, 'Abort', 'FORGED_FRAME', anna);
    expectNoShares(outcomes, ...withoutShare);
  });

  test('an old frame replayed in the place of a later one does not open', async () => {
    let old: Uint8Array | undefined;
    const outcomes = await runStep(
      threeHospitals(({ from, to, place, frame }) => {
        if (from !== anna || to !== bert) return [frame];
        if (place === AGREE) old = frame;
        return [place === CONFIRM ? old! : frame];
      }),
    );
    expectError(outcomes, bert, 'Abort', 'FORGED_FRAME', anna);
    expectNoShares(outcomes, bert);
  });
});
