import { describe, expect, test } from 'vitest';
import type { Channel } from '../../mpc/session/channel.ts';
import { World } from '../../mpc/testing/world.ts';
import { Abort } from '../../protocol/errors.ts';
import {
  AGREE,
  anna,
  bert,
  CONFIRM,
  expectError,
  expectNoShares,
  flipBit,
  HELLO,
  mallory,
  onFrame,
  runStep,
  threeHospitals,
} from './attack.ts';

/** A sealed message of anna on its way to bert: flag, ciphertext, tag. A refused frame leaves bert's channel as it was. */
async function onItsWay(
  message: Uint8Array,
): Promise<{ bert: Channel; frames: Uint8Array[]; deliver: (frame: Uint8Array) => void }> {
  const frames: Uint8Array[] = [];
  const world = new World({
    parties: 2,
    deadline: 'idle',
    hook: ({ from, place, frame }) => {
      if (from !== anna || place === HELLO) return [frame];
      frames.push(frame);
      return [];
    },
  });
  const channels = await Promise.all(world.roster.map((party) => world.channel(party)));
  await channels[0]!.send(bert, 'round', message);
  return { bert: channels[1]!, frames, deliver: (frame) => world.deliver(anna, bert, frame) };
}

async function expectForgedFrame(channel: Channel): Promise<void> {
  const error: unknown = await channel.receive(anna, 'round').then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Abort);
  expect(error).toMatchObject({ code: 'FORGED_FRAME', party: anna });
}

describe('a relay that alters a sealed frame', () => {
  test('by one bit, in flag, ciphertext or tag, is noticed for every bit', async () => {
    const { bert: receiver, frames, deliver } = await onItsWay(new Uint8Array(40).fill(3));
    const frame = frames[0]!;
    for (let bit = 0; bit < 8 * frame.length; bit++) {
      deliver(flipBit(frame, bit));
      await expectForgedFrame(receiver);
    }
    deliver(frame);
    expect(await receiver.receive(anna, 'round')).toEqual(Buffer.alloc(40, 3));
  });

  test('in the flag of a part that is not the last is noticed for every bit', async () => {
    const { bert: receiver, frames, deliver } = await onItsWay(new Uint8Array(256 * 1024 + 1));
    expect(frames).toHaveLength(2);
    for (let bit = 0; bit < 8; bit++) {
      deliver(flipBit(frames[0]!, bit));
      await expectForgedFrame(receiver);
    }
  });

  test('by cutting it anywhere is noticed', async () => {
    const { bert: receiver, frames, deliver } = await onItsWay(new Uint8Array(40));
    for (let length = 0; length < frames[0]!.length; length++) {
      deliver(frames[0]!.subarray(0, length));
      await expectForgedFrame(receiver);
    }
  });

  test('by adding bytes at either end is noticed', async () => {
    const { bert: receiver, frames, deliver } = await onItsWay(new Uint8Array(40));
    for (const frame of [Buffer.concat([frames[0]!, Buffer.alloc(1)]), Buffer.concat([Buffer.alloc(1), frames[0]!])]) {
      deliver(frame);
      await expectForgedFrame(receiver);
    }
  });

  test.each([
    ['transcript', AGREE],
    ['confirmation', CONFIRM],
  ])('ends the step without a share when it is a %s', async (_, place) => {
    for (const bit of [0, 7, 8, 200, -1]) {
      const outcomes = await runStep(
        threeHospitals(
          onFrame(anna, bert, place, ({ frame }) => [flipBit(frame, bit < 0 ? 8 * frame.length + bit : bit)]),
        ),
      );
      expectError(outcomes, bert, 'Abort', 'FORGED_FRAME', anna);
      expectNoShares(outcomes, bert);
    }
  });

  test('ends the session at once when it is a hello', async () => {
    for (const part of [0, 0.2, 0.5, 0.9, 0.999]) {
      const outcomes = await runStep(
        threeHospitals(
          onFrame(anna, bert, HELLO, ({ frame }) => [flipBit(frame, Math.floor(8 * frame.length * part))]),
        ),
      );
      expectError(outcomes, bert, 'Abort', 'FORGED_HELLO', anna);
      expectNoShares(outcomes, anna, bert, mallory);
    }
  });
});
