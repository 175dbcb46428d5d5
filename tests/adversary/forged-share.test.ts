import { createCipheriv, createDecipheriv } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { chunkCells, type ShareHeader } from '../../mpc/sum/share.ts';
import { elementBytes } from '../../mpc/masks.ts';
import { combineShares } from '../../mpc/sum/opening.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { ByteWriter, fromHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { helloDigest, signHello } from '../../protocol/session.ts';
import { expectAbort, flipBit, mallory } from './attack.ts';
import { agreed, answerKey, expectedOf, MODULI, receive, sealed, type Agreed, type Lie } from './shares.ts';

describe.each(MODULI)('shares mod %s', (modulus) => {
  const last = 2;
  const width = elementBytes(modulus);
  const full = chunkCells(modulus);
  let step: Agreed;
  /** Header, one full chunk, a short one, trailer. */
  let chunks: readonly Uint8Array[];

  beforeAll(async () => {
    const cells = Array.from({ length: full + 10 }, (_, j) => BigInt(j));
    step = await agreed([cells, cells, cells], { modulus });
    chunks = sealed(step, last);
  });

  const expectForged = (changed: Iterable<Uint8Array>, why: RegExp, of = step): void => {
    const error = expectAbort(() => receive(of, last, changed), 'FORGED_SHARE', mallory);
    expect(error.message).toMatch(why);
  };
  const header = (): ShareHeader => JSON.parse(Buffer.from(chunks[0]!).toString()) as ShareHeader;
  const withHeader = (change: Partial<ShareHeader>): Uint8Array[] => [
    canonicalBytes({ ...header(), ...change }),
    ...chunks.slice(1),
  ];

  describe('a sealed share on its way', () => {
    test('arrives when nobody touches it', () => expect(receive(step, last, chunks).party).toBe(mallory));

    test('with two chunks exchanged does not open', () =>
      expectForged([chunks[0]!, chunks[2]!, chunks[1]!, chunks[3]!], /does not open/));
    test('with a chunk left out does not open', () =>
      expectForged([chunks[0]!, chunks[2]!, chunks[3]!], /does not open/));
    test('with a chunk twice does not open', () =>
      expectForged([chunks[0]!, chunks[1]!, chunks[1]!, chunks[2]!, chunks[3]!], /does not open/));
    test('with a chunk cut, down to nothing, does not open', () => {
      for (const length of [0, 1, 4, 12, 15, 16, 17, 100, chunks[1]!.length - 1])
        expectForged([chunks[0]!, chunks[1]!.subarray(0, length)], /does not open/);
    });
    test('with a tag cut to a length that AES-GCM would take does not open', () => {
      const cut = chunks[2]!.subarray(0, chunks[2]!.length - 12);
      expectForged([chunks[0]!, chunks[1]!, cut], /does not open/);
    });
    test('with a bit changed in any chunk does not open', () => {
      for (const place of [1, 2, 3])
        for (const bit of [0, 1000, 8 * chunks[place]!.length - 1])
          expectForged(chunks.with(place, flipBit(chunks[place]!, bit)), /does not open/);
    });
    test('that stops early is not taken', () => {
      for (const count of [0, 1, 2, 3]) expectForged(chunks.slice(0, count), /ends early/);
    });
    test('that goes on after its end is not taken', () =>
      expectForged([...chunks, chunks[3]!], /goes on after its end/));
    test('with its trailer in the place of a chunk does not open', () =>
      expectForged([chunks[0]!, chunks[3]!], /does not open/));
    test('with a header that is not canonical is not taken', () =>
      expectForged([Buffer.from(JSON.stringify(header(), null, 1)), ...chunks.slice(1)], /does not decode/));
    test('with a header that is no header is not taken', () => expectForged([Buffer.from('{}')], /does not decode/));
    test('with any bit of the header changed is refused', () => {
      const bytes = chunks[0]!;
      for (let bit = 0; bit < 8 * bytes.length; bit += 5) {
        const error = (() => {
          try {
            receive(step, last, [flipBit(bytes, bit), ...chunks.slice(1)]);
          } catch (caught) {
            return caught as { code: string; party: string };
          }
          throw new Error(`bit ${bit} of the header is not looked at`);
        })();
        expect(['FORGED_SHARE', 'FORGED_HELLO']).toContain(error.code);
        expect(error.party).toBe(mallory);
      }
    });
  });

  describe('a hospital that sends a share', () => {
    test('of another step is refused', () => expectForged(sealed(step, last, { step: 1 }), /another step/));
    test('of another number of cells is refused', () =>
      expectForged(sealed(step, last, { cells: full + 9 }), /another number of cells/));
    test('with another agreement than its header signs is refused', () =>
      expectForged(withHeader({ agreement: 'd'.repeat(64) }), /wrong signature/));
    test('with a header that another signed is refused', () =>
      expectForged(withHeader({ signature: 'd'.repeat(128) }), /wrong signature/));
    test('that another party made is refused', () => {
      expectAbort(() => receive(step, last, sealed(step, 0)), 'FORGED_HELLO', mallory);
    });
    test('with chunks of another party under its own header is refused', () =>
      expectForged([chunks[0]!, ...sealed(step, 0).slice(1)], /does not open/));
    test('of an earlier session of the same query is refused', async () => {
      const again = await agreed([[1n], [2n], [3n]], { sameMembers: step.world, modulus });
      const earlier = await agreed([[1n], [2n], [3n]], { sameMembers: step.world, modulus });
      expectAbort(() => receive(again, last, sealed(earlier, last)), 'FORGED_HELLO', mallory);
      expectForged([sealed(again, last)[0]!, ...sealed(earlier, last).slice(1)], /does not open/, again);
    });
    test('of an earlier step under the header of this one is refused', async () => {
      const now = await agreed([[1n], [2n], [3n]], { step: 1, modulus });
      const old = sealed(now, last, { step: 0 });
      expectForged([sealed(now, last)[0]!, ...old.slice(1)], /does not open/, now);
    });
    test('sealed to another key than the answer key is refused', () =>
      expectForged(sealed(step, last, {}, ExchangeKey.generate().publicKey), /does not open/));
    test('under a session key of small order is refused', () => {
      const identity = step.world.identities.get(mallory)!;
      const hello = signHello(identity, { ...header().hello.hello, exchangeKey: '0'.repeat(64) });
      expectAbort(() => receive(step, last, withHeader({ hello })), 'FORGED_HELLO', mallory);
    });
    test('under a hello that a revoked key signed is refused', () => {
      const hello = signHello(Identity.generate(), header().hello.hello);
      expectAbort(() => receive(step, last, withHeader({ hello })), 'FORGED_HELLO', mallory);
    });

    const lies: readonly [string, Lie, RegExp][] = [
      [
        'a blinding that is not canonical',
        { blinding: (honest) => honest.fill(255) },
        /blinding that is not canonical/,
      ],
      ['a chunk too short', { elements: (honest) => honest.subarray(width) }, /wrong length/],
      ['a chunk that is no whole number of elements', { elements: (honest) => honest.subarray(1) }, /wrong length/],
      ['a chunk too long', { elements: (honest) => Buffer.concat([honest, Buffer.alloc(width)]) }, /wrong length/],
      ['a trailer of the wrong length', { blinding: (honest) => honest.subarray(1) }, /trailer of the wrong length/],
    ];
    test.each(lies)('with %s is refused', (_, lie, why) => expectForged(sealed(step, last, lie), why));
    test.runIf(modulus === 'l')('with a scalar that is not canonical is refused', () =>
      expectForged(sealed(step, last, { elements: (honest) => honest.fill(255, 0, 32) }), /not canonical/),
    );
    test('mod something else is refused', async () => {
      const same = { sameMembers: step.world, modulus: modulus === 'l' ? ('2^128' as const) : ('l' as const) };
      const odd = await agreed([[1n], [2n], [3n]], same);
      expectForged(sealed(odd, last), /another modulus/, { ...odd, modulus });
    });
    test.runIf(modulus === '2^128')('with a decision where nothing can be withheld is refused', () => {
      const outcome: Outcome = { released: '', announcements: [], answers: [] };
      expectForged(sealed(step, last, { outcome: () => outcome }), /nothing can be withheld/);
    });

    test('with a digest of something else is refused', () => {
      expectForged(
        sealedWithTrailer((trailer) => flipBit(trailer, 8 * 32)),
        /digest/,
      );
    });
    test('with another blinding than its digest covers is refused', () =>
      expectForged(
        sealedWithTrailer((trailer) => flipBit(trailer, 0)),
        /digest/,
      ));
    test('that it did not sign is refused', () =>
      expectForged(
        sealedWithTrailer((trailer) => flipBit(trailer, 8 * 64)),
        /not signed by its owner/,
      ));

    test('for another agreement than the others is named', async () => {
      const three = await agreed([[1n], [2n], [3n]], { modulus });
      for (const liar of [0, 1, 2]) {
        const lie = { agreement: new Uint8Array(32).fill(9) };
        const shares = [0, 1, 2].map((place) => receive(three, place, sealed(three, place, place === liar ? lie : {})));
        expectAbort(() => combineShares(new ShareSum(1, modulus), shares), 'EQUIVOCATION', three.world.roster[liar]);
      }
    });
    test('for another agreement than the only other leaves open who lies', async () => {
      const two = await agreed([[1n], [2n]], { modulus });
      const shares = [
        receive(two, 0, sealed(two, 0)),
        receive(two, 1, sealed(two, 1, { agreement: new Uint8Array(32) })),
      ];
      expectAbort(() => combineShares(new ShareSum(1, modulus), shares), 'EQUIVOCATION', undefined);
    });
    test.runIf(modulus === 'l')('leaves nothing in the sum that a failed chunk brought', () => {
      const sum = new ShareSum(step.cells, modulus);
      const lie: Lie = { elements: (honest) => honest.fill(255, honest.length - 32) };
      expectAbort(() => receive(step, last, sealed(step, last, lie), sum), 'FORGED_SHARE', mallory);
      expect(sum.total().bytes.every((byte) => byte === 0)).toBe(true);
      expect(expectedOf(step, last).cells).toBe(step.cells);
    });
  });

  /** The share with its trailer opened, changed and sealed again: only its owner, who has the key, can do this. */
  function sealedWithTrailer(change: (trailer: Uint8Array) => Uint8Array): Uint8Array[] {
    const { hello } = header();
    const info = new ByteWriter().text(LABEL.shareKey).fixed(helloDigest(hello)).uint32(step.step).finish();
    const key = answerKey.derive(hello.hello.exchangeKey, fromHex(step.world.session, 32), info, 32);
    const nonce = new ByteWriter().uint32(0).uint32(0).uint32(2).finish();
    const sealedTrailer = chunks[3]!;

    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(Uint8Array.of(1)).setAuthTag(sealedTrailer.subarray(-16));
    const trailer = Buffer.concat([decipher.update(sealedTrailer.subarray(0, -16)), decipher.final()]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Uint8Array.of(1));
    const body = Buffer.concat([cipher.update(change(trailer)), cipher.final()]);
    return [...chunks.slice(0, 3), Buffer.concat([body, cipher.getAuthTag()])];
  }
});
