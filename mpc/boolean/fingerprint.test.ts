import { expect, test } from 'vitest';
import { Dealer } from '../testing/dealer.ts';
import { xorAll } from '../testing/combine.ts';
import { seededRandom } from '../testing/world.ts';
import { fingerprint, shareOfFingerprint } from './fingerprint.ts';
import { multiply } from './universal-hash.ts';

const random = seededRandom('fingerprint');

test('the shares of a fingerprint add up to it, and those of its tag to the fingerprint times the global key', () => {
  for (const blocks of [1, 2, 7, 64]) {
    const dealer = new Dealer(['anna', 'bert', 'cleo'], `fingerprint/${blocks}`);
    const padded = random(16 * blocks);
    const key = random(16);
    const shares = dealer.share(padded).map((bits) => shareOfFingerprint(key, bits));
    const value = xorAll(shares.map(({ value }) => value));
    expect(value).toEqual(fingerprint(key, padded));
    expect(xorAll(shares.map(({ tag }) => tag))).toEqual(multiply(value, xorAll(dealer.keyShares)));
  }
});

test('a fingerprint changes with every bit and is the pad where there is nothing else', () => {
  const [key, padded] = [random(16), random(64)];
  const whole = fingerprint(key, padded);
  for (let bit = 0; bit < 512; bit++) {
    const flipped = Uint8Array.from(padded);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(fingerprint(key, flipped)).not.toEqual(whole);
  }
  expect(fingerprint(key, padded.subarray(0, 16))).toEqual(padded.slice(0, 16));
});

// For every fingerprint there is exactly one pad that gives it, whatever the bits.
test('with a uniform pad, a fingerprint fits all bits equally', () => {
  const key = random(16);
  const seen = random(16);
  for (let i = 0; i < 20; i++) {
    const bits = random(32);
    const unpadded = fingerprint(key, Buffer.concat([bits, Buffer.alloc(16)]));
    const pad = seen.map((byte, at) => byte ^ unpadded[at]!);
    expect(fingerprint(key, Buffer.concat([bits, pad]))).toEqual(seen);
  }
});
