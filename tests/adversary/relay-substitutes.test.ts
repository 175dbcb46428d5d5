import { describe, test } from 'vitest';
import { World, type RelayHook } from '../../mpc/testing/world.ts';
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

/** What anna sent bert at a place of an honest session of the same hospitals. */
async function recorded(place: number): Promise<{ world: World; frame: Uint8Array }> {
  let kept: Uint8Array | undefined;
  const hook: RelayHook = onFrame(anna, bert, place, ({ frame }) => {
    kept = frame;
    return [frame];
  });
  const world = new World({ parties: 3, deadline: 'idle', hook });
  await runStep(world);
  return { world, frame: kept! };
}

describe('a relay that puts a frame in the place of another', () => {
  test.each([
    ['transcript', AGREE],
    ['confirmation', CONFIRM],
  ])('a %s of another sender does not open', async (_, place) => {
    let annas: Uint8Array | undefined;
    const outcomes = await runStep(
      threeHospitals(({ from, to, place: at, frame }) => {
        if (to !== bert || at !== place) return [frame];
        if (from === anna) annas = frame;
        return from === mallory ? [annas!] : [frame];
      }),
    );
    expectError(outcomes, bert, 'Abort', 'FORGED_FRAME', mallory);
    expectNoShares(outcomes, bert);
  });

  test('a hello of another sender is not its', async () => {
    let annas: Uint8Array | undefined;
    const outcomes = await runStep(
      threeHospitals(({ from, to, place, frame }) => {
        if (to !== bert || place !== HELLO) return [frame];
        if (from === anna) annas = frame;
        return from === mallory ? [annas!] : [frame];
      }),
    );
    expectError(outcomes, bert, 'Abort', 'FORGED_HELLO', mallory);
    expectNoShares(outcomes, anna, bert, mallory);
  });

  test.each([
    ['transcript', AGREE],
    ['confirmation', CONFIRM],
  ])('a frame sent back to its sender in the place of a %s does not open', async (_, place) => {
    let own: Uint8Array | undefined;
    const outcomes = await runStep(
      threeHospitals(({ from, to, place: at, frame }) => {
        if (at !== place) return [frame];
        if (from === anna && to === bert) own = frame;
        return from === bert && to === anna ? [own!] : [frame];
      }),
    );
    expectError(outcomes, anna, 'Abort', 'FORGED_FRAME', bert);
    expectNoShares(outcomes, anna);
  });

  test('a hello of another session does not count, though the same hospital signed it', async () => {
    const { world, frame } = await recorded(HELLO);
    const later = new World({
      parties: 3,
      deadline: 'idle',
      sameMembers: world,
      hook: onFrame(anna, bert, HELLO, () => [frame]),
    });
    const outcomes = await runStep(later);
    expectError(outcomes, bert, 'Abort', 'FORGED_HELLO', anna);
    expectNoShares(outcomes, anna, bert, mallory);
  });

  test.each([
    ['transcript', AGREE],
    ['confirmation', CONFIRM],
  ])('a %s of another session does not open', async (_, place) => {
    const { world, frame } = await recorded(place);
    const later = new World({
      parties: 3,
      deadline: 'idle',
      sameMembers: world,
      hook: onFrame(anna, bert, place, () => [frame]),
    });
    const outcomes = await runStep(later);
    expectError(outcomes, bert, 'Abort', 'FORGED_FRAME', anna);
    expectNoShares(outcomes, bert);
  });
});
