import { inspect } from 'node:util';
import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { toHex } from './bytes.ts';
import { ExchangeKey, Opener, Sealer } from './envelope.ts';
import { Identity } from './identity.ts';

const key = new Uint8Array(32).fill(7);
const place = Buffer.from('place');
const message = Buffer.from('message');
const forged = expect.objectContaining({ kind: 'Abort', code: 'FORGED_FRAME', party: 'anna' }) as Error;

describe('a sealed frame', () => {
  test('opens in its place, once, in order', () => {
    const [sealer, opener] = [new Sealer(key), new Opener(key, 'anna')];
    const frames = [0, 1, 2].map((i) => sealer.seal(Buffer.from([i]), place));
    expect(() => opener.open(frames[1]!, place)).toThrow(forged);
    expect([...frames].map((frame) => opener.open(frame, place)[0])).toEqual([0, 1, 2]);
    expect(() => opener.open(frames[2]!, place)).toThrow(forged);
  });
  test('has never the same bytes twice', () => {
    const sealer = new Sealer(key);
    expect(toHex(sealer.seal(message, place))).not.toBe(toHex(sealer.seal(message, place)));
  });
  test('does not open under other associated data, another key, cut or longer', () => {
    const frame = new Sealer(key).seal(message, place);
    expect(frame).toHaveLength(message.length + 16);
    expect(() => new Opener(key, 'anna').open(frame, Buffer.from('other'))).toThrow(forged);
    expect(() => new Opener(new Uint8Array(32), 'anna').open(frame, place)).toThrow(forged);
    for (let length = 0; length < frame.length; length++)
      expect(() => new Opener(key, 'anna').open(frame.subarray(0, length), place)).toThrow(forged);
    expect(() => new Opener(key, 'anna').open(Buffer.concat([frame, place]), place)).toThrow(forged);
  });
  test('that did not open leaves the opener where it was', () => {
    const opener = new Opener(key, 'anna');
    expect(() => opener.open(new Uint8Array(20), place)).toThrow(forged);
    expect(opener.open(new Sealer(key).seal(message, place), place)).toEqual(message);
  });
});

describe('an exchange key', () => {
  const [a, b] = [
    ExchangeKey.fromSecret(new Uint8Array(32).fill(1)),
    ExchangeKey.fromSecret(new Uint8Array(32).fill(2)),
  ];
  const derive = (own: ExchangeKey, theirs: ExchangeKey, salt = 'salt', info = 'info'): string =>
    toHex(own.derive(theirs.publicKey, Buffer.from(salt), Buffer.from(info), 32));

  test('has the public key that another implementation computes', () => {
    const secret = new Uint8Array(32).fill(1);
    expect(a.publicKey).toBe(toHex(x25519.getPublicKey(secret)));
  });
  test('derives the same at both ends, and other keys for other salts, infos and peers', () => {
    expect(derive(a, b)).toBe(derive(b, a));
    const all = [derive(a, b), derive(a, b, 'other'), derive(a, b, 'salt', 'other'), derive(a, a)];
    expect(new Set(all).size).toBe(4);
  });
  test('refuses a peer of small order, and names whose key it is', () => {
    const call = (): unknown => a.derive('00'.repeat(32), place, place, 32, 'anna');
    expect(call).toThrow(expect.objectContaining({ code: 'FORGED_HELLO', party: 'anna' }) as Error);
  });
  test('comes back from its PEM; other keys and texts are refused', () => {
    expect(ExchangeKey.fromPem(a.toPem()).publicKey).toBe(a.publicKey);
    const bad = expect.objectContaining({ kind: 'Misuse', code: 'BAD_KEY' }) as Error;
    expect(() => ExchangeKey.fromPem('no key')).toThrow(bad);
    expect(() => ExchangeKey.fromPem(Identity.generate().toPem())).toThrow(bad);
    expect(() => ExchangeKey.fromSecret(new Uint8Array(31))).toThrow(bad);
  });
  test('prints its public half alone', () => {
    expect(inspect(a)).toBe(`ExchangeKey(${a.publicKey})`);
    expect(JSON.stringify({ a })).toBe(JSON.stringify({ a: `ExchangeKey(${a.publicKey})` }));
  });
});
