import { describe, expect, test } from 'vitest';
import { seededRandom } from '../testing/world.ts';
import { OtReceiver, OtSender } from './base-ot.ts';

const context = new Uint8Array(32).fill(1);
const choices = [0, 1, 1, 0];

describe('a base transfer', () => {
  const receiver = new OtReceiver(context, choices, seededRandom('receiver'));
  const sender = new OtSender(context, seededRandom('sender'));
  const offers = (): Uint8Array => Uint8Array.from(receiver.message);

  test('gives the receiver the key of its choice, and no two keys alike', () => {
    const pairs = sender.finish(receiver.message, 4, 'anna');
    const chosen = receiver.finish(sender.message, 'bert');
    choices.forEach((choice, t) => expect(chosen[t]).toEqual(pairs[t]![choice]));
    expect(new Set(pairs.flat().map((key) => Buffer.from(key).toString('hex'))).size).toBe(8);
  });

  test('gives other keys in another context', () => {
    const elsewhere = new OtReceiver(new Uint8Array(32), choices, seededRandom('receiver'));
    const chosen = elsewhere.finish(sender.message, 'bert');
    const pairs = sender.finish(elsewhere.message, 4, 'anna');
    choices.forEach((choice, t) => expect(chosen[t]).not.toEqual(pairs[t]![choice]));
  });

  test.each([
    ['no element', (bytes: Uint8Array) => bytes.fill(255, 0, 32)],
    ['the identity', (bytes: Uint8Array) => bytes.fill(0, 0, 32)],
    ['too short', (bytes: Uint8Array) => bytes.subarray(1)],
    ['one too many', (bytes: Uint8Array) => Buffer.concat([bytes, bytes.subarray(0, 64)])],
  ])('refuses an offer that is %s', (_, spoil) => {
    expect(() => sender.finish(spoil(offers()), 4, 'anna')).toThrow(
      expect.objectContaining({ code: 'BAD_BASE_OT', party: 'anna' }),
    );
  });

  test('refuses an offer whose element and hash add up to the identity, so that its key is known to all', () => {
    const others = seededRandom('others');
    // Exponents, 32 bytes each, are zero; what the other elements are derived from is not.
    const zeros = new OtReceiver(context, [0], (bytes) => (bytes === 32 ? new Uint8Array(32) : others(bytes)));
    expect(() => sender.finish(zeros.message, 1, 'anna')).toThrow(
      expect.objectContaining({ code: 'BAD_BASE_OT', party: 'anna' }),
    );
  });

  test.each([
    ['no element', new Uint8Array(32).fill(255)],
    ['the identity', new Uint8Array(32)],
  ])('refuses an answer that is %s', (_, answer) => {
    expect(() => receiver.finish(answer, 'bert')).toThrow(
      expect.objectContaining({ code: 'BAD_BASE_OT', party: 'bert' }),
    );
  });
});
