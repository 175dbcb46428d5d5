import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { ShareSum } from '../share-sum.ts';
import type { Modulus } from '../../protocol/session.ts';
import { seededRandom, World } from '../testing/world.ts';
import { combineShares, verifyOpening } from './opening.ts';
import type { AgreedInput } from './party.ts';
import { DecidedInput } from './decided.ts';
import { ShareOpener } from './share-opener.ts';
import { sealShare } from './share-sealer.ts';

const answerKey = ExchangeKey.fromSecret(seededRandom('answer')(32));

/** What the researcher does with the sealed shares of all parties. */
function open(world: World, agreed: readonly AgreedInput[], cells: number, step = 0): ReturnType<typeof combineShares> {
  const { modulus } = agreed[0]!;
  const sum = new ShareSum(cells, modulus);
  const shares = agreed.map((input, i) => {
    const party = world.roster[i]!;
    const identity = world.identities.get(party)!;
    const opener = new ShareOpener(
      { session: world.session, step, party, cells, modulus, activeKeys: [identity.publicKey] },
      answerKey,
      sum,
    );
    for (const chunk of sealShare(DecidedInput.everything(input), identity, answerKey.publicKey))
      opener.add(Uint8Array.from(chunk));
    return opener.finish();
  });
  return combineShares(sum, shares);
}

describe.each<[Modulus, bigint]>([
  ['l', 2n ** 110n],
  ['2^128', 2n ** 110n],
])('secure sum mod %s', (modulus, bound) => {
  test('equals the plain sum, and the commitments vouch for it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }).chain((n) =>
          fc.integer({ min: 0, max: 40 }).chain((cells) =>
            fc.array(fc.array(fc.bigInt({ min: -bound, max: bound }), { minLength: cells, maxLength: cells }), {
              minLength: n,
              maxLength: n,
            }),
          ),
        ),
        async (inputs) => {
          const world = new World({ parties: inputs.length });
          const cells = inputs[0]!.length;
          const { agreed, commitments } = await world.agree(inputs, 0, modulus);
          const verified = verifyOpening(open(world, agreed, cells), commitments);
          for (let j = 0; j < cells; j++)
            expect(verified.at(j)).toBe(inputs.reduce((sum, input) => sum + input[j]!, 0n));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('works over more than one chunk, and in a later step', async () => {
    const cells = 40_000;
    const world = new World({ parties: 3 });
    const inputs = [1n, 2n, 3n].map((k) => Array.from({ length: cells }, (_, j) => k * BigInt(j) - 7n));
    const { agreed, commitments } = await world.agree(inputs, 4, modulus);
    const verified = verifyOpening(open(world, agreed, cells, 4), commitments);
    expect([verified.at(0), verified.at(8192), verified.at(cells - 1)]).toEqual([
      -21n,
      6n * 8192n - 21n,
      6n * 39_999n - 21n,
    ]);
  });

  test('one party among ten with nothing to add changes nothing', async () => {
    const world = new World({ parties: 10 });
    const inputs = Array.from({ length: 10 }, (_, i) => (i === 3 ? [0n, 0n] : [BigInt(i), 1n]));
    const { agreed, commitments } = await world.agree(inputs, 0, modulus);
    expect(verifyOpening(open(world, agreed, 2), commitments).at(0)).toBe(42n);
  });

  test('sealing a share twice gives the same bytes, so a broken download can be repeated', async () => {
    const world = new World({ parties: 2 });
    const { agreed } = await world.agree([[1n], [2n]], 0, modulus);
    const identity = world.identities.get(world.roster[0]!)!;
    const once = (): string =>
      Array.from(sealShare(DecidedInput.everything(agreed[0]!), identity, answerKey.publicKey), (chunk) =>
        Buffer.from(chunk).toString('hex'),
      ).join();
    expect(once()).toBe(once());
  });

  test('secrets do not print', async () => {
    const world = new World({ parties: 2 });
    const { agreed } = await world.agree([[123456789n], [1n]], 0, modulus);
    const { inspect } = await import('node:util');
    expect(inspect(agreed[0], { depth: 10, showHidden: true })).not.toMatch(/123456789/);
    expect(JSON.stringify(agreed[0])).not.toMatch(/123456789/);
  });
});
