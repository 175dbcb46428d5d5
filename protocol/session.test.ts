import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from './bytes.ts';
import { canonicalText, decodeCanonical, hashDocument } from './canonical.ts';
import { LABEL } from './labels.ts';
import { helloDigest, readHello, signedHello, type SignedHello } from './session.ts';

const digits = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => toHex(each));
const anyHello: fc.Arbitrary<SignedHello> = fc.record({
  hello: fc.record({
    session: digits(32),
    party: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/),
    exchangeKey: digits(32),
    ledger: fc.record({ size: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), root: digits(32) }),
  }),
  publicKey: digits(32),
  signature: digits(64),
});

function asDocument(bytes: Uint8Array): SignedHello | undefined {
  try {
    return decodeCanonical(signedHello, bytes, { what: 'hello' });
  } catch {
    return undefined;
  }
}

describe('the encoding of a signed hello', () => {
  test('is the canonical form of the document', () =>
    fc.assert(
      fc.property(anyHello, (hello) => {
        const read = readHello(Buffer.from(canonicalText(hello)))!;
        expect(read.signed).toEqual(hello);
        expect(toHex(read.digest)).toBe(toHex(hashDocument(LABEL.hello, hello.hello)));
        expect(toHex(helloDigest(read.signed))).toBe(toHex(hashDocument(LABEL.hello, hello)));
      }),
    ));

  test('is no other than that', () =>
    fc.assert(
      fc.property(
        anyHello,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('', '0', 'a', 'F', '"', ',', '}', ' ', '-', 'é', '\n', '\\u0061', '9007199254740992', '"x":1,'),
        fc.nat(3),
        (hello, where, put, cut) => {
          const text = canonicalText(hello);
          const at = Math.round(where * text.length);
          const changed = Buffer.from(text.slice(0, at) + put + text.slice(at + cut));
          expect(readHello(changed)?.signed).toEqual(asDocument(changed));
        },
      ),
      { numRuns: 2000 },
    ));

  test('has no size that is not exact, and no end but its own', () => {
    const [hello] = fc.sample(anyHello, 1);
    const text = canonicalText({ ...hello!, hello: { ...hello!.hello, ledger: { ...hello!.hello.ledger, size: 7 } } });
    for (const bad of [text.replace('"size":7', '"size":9007199254740993'), `${text}\n`, ` ${text}`])
      expect(readHello(Buffer.from(bad)), bad).toBeUndefined();
    expect(readHello(Buffer.from(text))).toBeDefined();
  });
});
