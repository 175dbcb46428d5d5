import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BlameStatement } from '../../mpc/sum/blame-statement.ts';
import { judge, type BlameCase, type BlameCheck } from '../../mpc/sum/blame.ts';
import { elementBytes } from '../../mpc/masks.ts';
import { addCommitments, commitScalars } from '../../mpc/pedersen.ts';
import { scalarsOf } from '../../mpc/sum/overflow.ts';
import { finishShareDigest, shareDigestBytes } from '../../mpc/sum/share.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalBytes, hashBytes } from '../../protocol/canonical.ts';
import { Identity } from '../../protocol/identity.ts';
import { LABEL, type Label } from '../../protocol/labels.ts';
import { bert } from './attack.ts';
import { addOne, agreed, blameCase, MODULI, openAll, type Agreed } from './shares.ts';

describe.each(MODULI)('mod %s', (modulus) => {
  let step: Agreed;
  beforeAll(async () => {
    step = await agreed([[1n], [2n], [3n], [4n]], { modulus });
  });

  /** Bert's statement, changed and signed anew. */
  function stating(
    change: (honest: BlameStatement) => Partial<BlameStatement>,
    signer = step.world.identities.get(bert)!,
    label: Label = LABEL.blameStatement,
  ): BlameCase {
    const of = blameCase(step);
    const honest = of.statements.get(bert)!.statement;
    const statement = { ...honest, ...change(honest) };
    const signature = toHex(signer.sign(label, canonicalBytes(statement)));
    of.statements.set(bert, { statement, publicKey: signer.publicKey, signature });
    return of;
  }

  const expectBlamed = (of: BlameCase, check: BlameCheck): void => {
    expect(judge(of)).toEqual({ kind: 'cheat', party: bert, check });
  };
  const other = 'e'.repeat(64);

  describe('a hospital that does not help to find the cheat', () => {
    test('by saying nothing is named', () => {
      const of = blameCase(step);
      of.statements.delete(bert);
      expectBlamed(of, 'STATEMENT_MISSING');
    });

    const forgeries: readonly [string, (honest: BlameStatement) => Partial<BlameStatement>][] = [
      ['session', () => ({ session: other })],
      ['step', () => ({ step: 1 })],
      ['party', () => ({ party: 'hospital-000' })],
      ['number of cells', () => ({ cells: 2 })],
      ['transcript', () => ({ transcript: other })],
      ['agreement', ({ listDigests }) => ({ listDigests: listDigests.with(0, other) })],
      ['number of lists', ({ listDigests }) => ({ listDigests: listDigests.slice(1) })],
      ['number of seed hashes', ({ seedHashes }) => ({ seedHashes: seedHashes.slice(1) })],
      ['number of masks', ({ masks }) => ({ masks: [...masks, masks[0]!] })],
      ['modulus', ({ overflow }) => ({ overflow: overflow === null ? other : null })],
    ];
    test.each(forgeries)('by a statement of another %s is named', (_, change) =>
      expectBlamed(stating(change), 'STATEMENT_FORGED'),
    );

    test('by a statement that another signed is named', () =>
      expectBlamed(
        stating(() => ({}), Identity.generate()),
        'STATEMENT_FORGED',
      ));
    test('by a signature made for something else is named', () =>
      expectBlamed(
        stating(() => ({}), undefined, LABEL.shareDigest),
        'STATEMENT_FORGED',
      ));
    test('by a statement changed after it was signed is named', () => {
      const of = blameCase(step);
      const signed = of.statements.get(bert)!;
      of.statements.set(bert, {
        ...signed,
        statement: { ...signed.statement, masks: signed.statement.masks.toReversed() },
      });
      expectBlamed(of, 'STATEMENT_FORGED');
    });
    test('by other seed hashes than it agreed on is named', () =>
      expectBlamed(
        stating(({ seedHashes }) => ({ seedHashes: seedHashes.with(0, other) })),
        'SEED_HASHES_FORGED',
      ));
    test('by a mask that is no element is named at once, without a seed', () =>
      expectBlamed(
        stating(({ masks }) => ({ masks: masks.with(0, 'ff'.repeat(32)) })),
        'MASK_FORGED',
      ));
    test('by nonsense that it and a colluder state alike of their pair is named, and does not stop the judge', () => {
      const nonsense = 'ff'.repeat(32);
      const of = stating(({ masks }) => ({ masks: masks.with(2, nonsense) }));
      const colluder = step.world.roster[3]!;
      const statement = of.statements.get(colluder)!.statement;
      const changed = { ...statement, masks: statement.masks.with(1, nonsense) };
      const identity = step.world.identities.get(colluder)!;
      const statements = new Map(of.statements).set(colluder, {
        statement: changed,
        publicKey: identity.publicKey,
        signature: toHex(identity.sign(LABEL.blameStatement, canonicalBytes(changed))),
      });
      expectBlamed({ ...of, statements }, 'MASK_FORGED');
    });
  });

  describe('a share that is put before the judge', () => {
    test('without the signature of its party is not taken', () => {
      const of = blameCase(step);
      of.shares.set(bert, { ...of.shares.get(bert)!, signature: new Uint8Array(64) });
      expectBlamed(of, 'SHARE_FORGED');
    });
    test('under a key that the ledger does not list is not taken', () => {
      const of = blameCase(step);
      of.shares.set(bert, { ...of.shares.get(bert)!, publicKey: Identity.generate().publicKey });
      expectBlamed(of, 'SHARE_FORGED');
    });
    test.each(['elements', 'blinding'] as const)('with other %s than were signed is not taken', (part) => {
      const of = blameCase(step);
      const honest = of.shares.get(bert)!;
      of.shares.set(bert, { ...honest, [part]: addOne(honest[part]) });
      expectBlamed(of, 'SHARE_FORGED');
    });
    test('with a zero cell more than the step has, and its signature, is wrong', () => {
      // Zeros at the end do not change a commitment; the length is checked by itself.
      const of = blameCase(step);
      const honest = of.shares.get(bert)!;
      const elements = Buffer.concat([honest.elements, Buffer.alloc(elementBytes(modulus))]);
      const digest = finishShareDigest(createHash('sha256').update(elements), honest.blinding);
      const signed = {
        session: of.session,
        step: of.step,
        agreement: toHex(of.agreement),
        outcome: null,
        cells: of.cells,
        modulus,
      };
      const signature = step.world.identities.get(bert)!.sign(LABEL.shareDigest, shareDigestBytes(signed, digest));
      of.shares.set(bert, { ...honest, elements, signature });
      expectBlamed(of, 'SHARE_WRONG');
    });
    test('that is missing is not taken', () => {
      const of = blameCase(step);
      of.shares.delete(bert);
      expectBlamed(of, 'SHARE_FORGED');
    });
    test('of another step, with its own signature, is not taken', () => {
      const of = blameCase(step);
      const earlier = blameCase({ ...step, inputs: step.inputs }, { 1: { agreement: new Uint8Array(32) } });
      of.shares.set(bert, earlier.shares.get(bert)!);
      expectBlamed(of, 'SHARE_FORGED');
    });
  });

  describe.runIf(modulus === '2^128')('an overflow that is put before the judge', () => {
    /** Bert's overflow replaced, with or without a statement that says so. */
    const overflowing = (overflow: Uint8Array, stated: boolean): BlameCase => {
      const of = stated
        ? stating(() => ({ overflow: toHex(hashBytes(LABEL.shareOverflow, overflow)) }))
        : blameCase(step);
      const shares = new Map(of.shares).set(bert, { ...of.shares.get(bert)!, overflow });
      return { ...of, shares };
    };
    const honest = (): Uint8Array => blameCase(step).shares.get(bert)!.overflow;
    const changed = (): Uint8Array => honest().with(0, honest()[0]! ^ 1);

    test('is what the tests below compare with: the honest one clears everybody', () =>
      expect(judge(overflowing(honest(), true))).toEqual({ kind: 'none' }));
    test('other than it stated is no answer', () => expectBlamed(overflowing(changed(), false), 'STATEMENT_MISSING'));
    test('other than its share has is wrong', () => expectBlamed(overflowing(changed(), true), 'SHARE_WRONG'));
    test.each([0, 1, 3, 4])('of %i bytes for one cell is wrong', (length) =>
      expectBlamed(overflowing(new Uint8Array(length), true), 'SHARE_WRONG'),
    );
    test.each([-32_768, -4, -1, 0, 1, 4, 32_767])('of %i does not excuse a wrong share', (multiple) => {
      // Some multiple of 2^128 would make up for every difference mod l: it does not fit 2 bytes.
      const overflow = new Uint8Array(new Int16Array([multiple]).buffer);
      const { statements } = overflowing(overflow, true);
      const { shares } = blameCase(step, { 1: { elements: (share) => addOne(share) } });
      expectBlamed(
        { ...blameCase(step), statements, shares: shares.set(bert, { ...shares.get(bert)!, overflow }) },
        'SHARE_WRONG',
      );
    });
    test('that fits a commitment out of the range of cells clears its owner, and nothing opens', () => {
      // Bert committed to 2^128 more than it shares: its own input, which no cell can be, and nobody's lie about it.
      const place = step.world.roster.indexOf(bert);
      const more = commitScalars(scalarsOf(new Uint8Array(16), new Uint8Array([1, 0])), new Uint8Array(32));
      const commitments = step.commitments.with(place, addCommitments([step.commitments[place]!, more]));
      expect(() => openAll({ ...step, commitments })).toThrow(expect.objectContaining({ code: 'VERIFICATION_FAILED' }));
      const of = blameCase({ ...step, commitments });
      expectBlamed(of, 'SHARE_WRONG');
      const told = new Uint8Array(new Int16Array([Buffer.from(honest()).readInt16LE() + 1]).buffer);
      expect(judge({ ...overflowing(told, true), commitments })).toEqual({ kind: 'none' });
    });
  });
});
