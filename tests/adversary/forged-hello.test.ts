import { describe, expect, test } from 'vitest';
import type { World } from '../../mpc/testing/world.ts';
import { canonicalBytes, canonicalText } from '../../protocol/canonical.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { Identity } from '../../protocol/identity.ts';
import { openHello, signHello, type Hello } from '../../protocol/session.ts';
import {
  anna,
  bert,
  expectAbort,
  expectError,
  expectNoShares,
  flipBit,
  HELLO,
  mallory,
  onFrame,
  runStep,
  threeHospitals,
} from './attack.ts';

/** The encodings of X25519 points of small order (RFC 7748 §6.1; Bernstein, "Curve25519", 2006), little-endian. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

const helloOf = (world: World, change: Partial<Hello> = {}): Hello => ({
  session: world.session,
  party: mallory,
  exchangeKey: ExchangeKey.generate().publicKey,
  ledger: world.setting(mallory).ledger,
  ...change,
});

/** The whole step, with `forge` in the place of mallory's hello to bert. */
async function expectRefused(forge: (world: World, honest: Uint8Array) => Uint8Array): Promise<void> {
  const world: World = threeHospitals(onFrame(mallory, bert, HELLO, ({ frame }) => [forge(world, frame)]));
  const outcomes = await runStep(world);
  expectError(outcomes, bert, 'Abort', 'FORGED_HELLO', mallory);
  expectNoShares(outcomes, anna, bert);
}

describe('a forged hello', () => {
  test('signed by nobody known is refused', () =>
    expectRefused((world) => canonicalBytes(signHello(Identity.generate(), helloOf(world)))));

  test('signed by another hospital of the session is refused', () =>
    expectRefused((world) => canonicalBytes(signHello(world.identities.get(anna)!, helloOf(world)))));

  test('with the key of its owner and the signature of another is refused', () =>
    expectRefused((world) => {
      const signed = signHello(Identity.generate(), helloOf(world));
      return canonicalBytes({ ...signed, publicKey: world.identities.get(mallory)!.publicKey });
    }));

  test('with another session key than was signed is refused', () =>
    expectRefused((world) => {
      const signed = signHello(world.identities.get(mallory)!, helloOf(world));
      return canonicalBytes({ ...signed, hello: { ...signed.hello, exchangeKey: ExchangeKey.generate().publicKey } });
    }));

  test('of another session is refused', () =>
    expectRefused((world) =>
      canonicalBytes(signHello(world.identities.get(mallory)!, helloOf(world, { session: 'a'.repeat(64) }))),
    ));

  test('in the name of another hospital is refused', () =>
    expectRefused((world) =>
      canonicalBytes(signHello(world.identities.get(mallory)!, helloOf(world, { party: anna }))),
    ));

  test('that is not canonical JSON is refused, though the signature holds', () =>
    expectRefused((_, honest) => Buffer.from(Buffer.from(honest).toString().replace(':', ': '))));

  test('with a field too many is refused', () =>
    expectRefused((_, honest) =>
      canonicalBytes({ ...(JSON.parse(Buffer.from(honest).toString()) as object), extra: 1 }),
    ));

  test('longer than a hello can be is refused before it is read', () =>
    expectRefused(() => Buffer.from(`"${'x'.repeat(5000)}"`)));

  test.each(SMALL_ORDER)('with the small-order key %s is refused, and its owner named', (exchangeKey) =>
    expectRefused((world) =>
      canonicalBytes(signHello(world.identities.get(mallory)!, helloOf(world, { exchangeKey }))),
    ),
  );

  test('with any one bit changed is refused', () => {
    const identity = Identity.generate();
    const world = threeHospitals();
    const honest = canonicalBytes(signHello(identity, helloOf(world)));
    const expected = { session: world.session, party: mallory, activeKeys: [identity.publicKey] };
    expect(canonicalText(openHello(honest, expected))).toBe(Buffer.from(honest).toString());
    for (let bit = 0; bit < 8 * honest.length; bit++) {
      expectAbort(() => openHello(flipBit(honest, bit), expected), 'FORGED_HELLO', mallory);
    }
  });

  test('of a member whose key was revoked is refused', () => {
    const world = threeHospitals();
    const honest = canonicalBytes(signHello(world.identities.get(mallory)!, helloOf(world)));
    expectAbort(
      () => openHello(honest, { session: world.session, party: mallory, activeKeys: [] }),
      'FORGED_HELLO',
      mallory,
    );
  });
});
