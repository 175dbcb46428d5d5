import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ExchangeKey } from './envelope.ts';
import { Identity, keyFingerprint, verifySignature } from './identity.ts';
import { LABEL } from './labels.ts';

const identity = Identity.generate();
const message = Buffer.from('message');
const signature = identity.sign(LABEL.hello, message);

describe('a signature', () => {
  test('verifies for its key, label and message', () => {
    expect(signature).toHaveLength(64);
    expect(verifySignature(identity.publicKey, LABEL.hello, message, signature)).toBe(true);
  });
  test('does not verify for another message, label or key', () => {
    expect(verifySignature(identity.publicKey, LABEL.hello, Buffer.from('messagf'), signature)).toBe(false);
    expect(verifySignature(identity.publicKey, LABEL.request, message, signature)).toBe(false);
    expect(verifySignature(Identity.generate().publicKey, LABEL.hello, message, signature)).toBe(false);
  });
  test('with any bit changed does not verify', () => {
    for (let bit = 0; bit < 512; bit++) {
      const changed = signature.with(bit >> 3, signature[bit >> 3]! ^ (1 << (bit & 7)));
      expect(verifySignature(identity.publicKey, LABEL.hello, message, changed)).toBe(false);
    }
  });
  test('or a key that is malformed is false, not an error', () => {
    for (const key of ['', 'zz', 'f'.repeat(63), 'F'.repeat(64), 'f'.repeat(64)])
      expect(verifySignature(key, LABEL.hello, message, signature)).toBe(false);
    for (const length of [0, 63, 65])
      expect(verifySignature(identity.publicKey, LABEL.hello, message, new Uint8Array(length))).toBe(false);
  });
});

describe('an identity', () => {
  test('comes back from its PEM; other keys and texts are refused without quoting them', () => {
    expect(Identity.fromPem(identity.toPem()).publicKey).toBe(identity.publicKey);
    const bad = expect.objectContaining({ kind: 'Misuse', code: 'BAD_KEY' }) as Error;
    expect(() => Identity.fromPem('sentinel')).toThrow(bad);
    expect(() => Identity.fromPem('sentinel')).not.toThrow(/sentinel/);
    expect(() => Identity.fromPem(ExchangeKey.generate().toPem())).toThrow(bad);
  });
  test('prints its public half alone', () => {
    expect(inspect({ identity })).toContain(`Identity(${identity.publicKey})`);
    expect(JSON.stringify(identity)).toBe(JSON.stringify(`Identity(${identity.publicKey})`));
  });
  test('has a fingerprint of eight groups of four, another for another key', () => {
    expect(keyFingerprint(identity.publicKey)).toMatch(/^([0-9a-f]{4} ){7}[0-9a-f]{4}$/);
    expect(keyFingerprint(identity.publicKey)).not.toBe(keyFingerprint(Identity.generate().publicKey));
  });
});
