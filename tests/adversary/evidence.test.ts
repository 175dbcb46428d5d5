import { beforeAll, describe, expect, test } from 'vitest';
import { judge, type BlameCase } from '../../mpc/sum/blame.ts';
import {
  blameEvidence,
  evidenceShows,
  publishedShare,
  type BlameEvidence,
  evidenceOf,
} from '../../mpc/sum/evidence.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalText, decodeCanonical, hashDocument } from '../../protocol/canonical.ts';
import { Fault } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { bert } from './attack.ts';
import { addOne, agreed, blameCase, blameCaseOfLiar, MODULI, type Agreed } from './shares.ts';

describe.each(MODULI)('mod %s', (modulus) => {
  let step: Agreed;
  beforeAll(async () => {
    step = await agreed([[1n], [2n], [3n]], { modulus });
  });

  /** What a stranger reads from the file. */
  function published(of: BlameCase): BlameEvidence {
    const verdict = judge(of);
    if (verdict.kind !== 'cheat') throw new Error('nobody is blamed');
    const { document, digest } = evidenceOf(of, verdict);
    expect(toHex(hashDocument(LABEL.blameEvidence, document))).toBe(digest);
    expect(evidenceOf(of, verdict).digest).toBe(digest);
    return decodeCanonical(blameEvidence, canonicalText(document), { what: 'evidence' });
  }

  function lyingMask(): ReturnType<typeof blameCase> {
    const of = blameCaseOfLiar(step, 1, 0);
    of.seeds.set(`${step.world.roster[0]!}/${bert}`, step.inputs[0]!.revealSeed(bert));
    return of;
  }

  const wrongShare = (): BlameCase => blameCase(step, { 1: { elements: (honest) => addOne(honest) } });

  describe('evidence of a cheat', () => {
    test('of a wrong share convinces who has the ledger alone', () => {
      const evidence = published(wrongShare());
      expect(evidence).toMatchObject({ blamed: bert, check: 'SHARE_WRONG' });
      expect(evidenceShows(evidence, blameCase(step))).toBe(true);
    });

    test('of a wrong mask convinces, with the seed that settles it', () => {
      const evidence = published(lyingMask());
      expect(evidence.check).toBe('MASK_FORGED');
      expect(evidenceShows(evidence, blameCase(step))).toBe(true);
      expect(evidenceShows({ ...evidence, seeds: [] }, blameCase(step))).toBe(false);
    });

    test('publishes nobody’s share but the cheat’s', () => {
      const of = wrongShare();
      const text = canonicalText(published(of));
      for (const share of of.shares.values()) {
        const shown = text.includes(Buffer.from(share.elements).toString('base64'));
        expect(shown).toBe(share.party === bert);
      }
    });

    test('against an honest hospital convinces nobody, whatever the researcher writes', () => {
      const honest = blameCase(step);
      const evidence = published(wrongShare());
      const share = honest.shares.get(bert)!;
      const framed: BlameEvidence = {
        ...evidence,
        share: publishedShare(share),
      };
      for (const check of blameEvidence.shape.check.options)
        for (const modulus of MODULI) expect(evidenceShows({ ...framed, check, modulus }, honest)).toBe(false);
      for (const blamed of [...step.world.roster, 'stranger']) {
        if (blamed !== bert) expect(evidenceShows({ ...evidence, blamed }, honest)).toBe(false);
      }
      // The cheat's own share, altered once more, lacks its signature.
      const altered = { ...evidence.share!, blinding: '0'.repeat(64) };
      expect(evidenceShows({ ...evidence, share: altered }, honest)).toBe(false);
      expect(evidenceShows({ ...evidence, statements: [] }, honest)).toBe(false);
    });

    test('where cells are withheld rests on the outcome that the hospital signed, and on no other', async () => {
      const decided = await agreed(
        [
          [1n, 5n],
          [2n, 6n],
          [3n, 7n],
        ],
        { released: (cell) => cell === 1 },
      );
      const lied = blameCase(decided, { 1: { elements: (honest) => addOne(honest) } });
      const evidence = published(lied);
      expect(evidence).toMatchObject({ blamed: bert, check: 'SHARE_WRONG' });
      expect(evidenceShows(evidence, lied)).toBe(true);

      // An honest share does not fit announcements that its sender never saw: that must not convict it.
      const honest = blameCase(decided);
      const share = honest.shares.get(bert)!;
      const [first, second, third] = honest.outcome!.announcements;
      const framed: BlameEvidence = {
        ...evidence,
        outcome: { ...honest.outcome!, announcements: [second!, first!, third!] },
        share: publishedShare(share),
      };
      expect(evidenceShows(framed, honest)).toBe(false);
      expect(evidenceShows({ ...framed, outcome: undefined }, honest)).toBe(false);
    });

    test('by a seed that fits what an honest hospital stated convinces nobody', () => {
      const evidence = published(lyingMask());
      const [lower] = step.world.roster;
      const honest = { ...evidence, blamed: lower! };
      expect(evidenceShows(honest, blameCase(step))).toBe(false);
    });

    test('that rests on a statement anybody could have forged convinces nobody', () => {
      const of = blameCase(step);
      of.statements.set(bert, { ...of.statements.get(bert)!, signature: '0'.repeat(128) });
      const evidence = published(of);
      expect(evidence).toMatchObject({ blamed: bert, check: 'STATEMENT_FORGED' });
      expect(evidenceShows(evidence, of)).toBe(false);
    });

    test('is made of nothing that failed on the judge’s own machine', () => {
      const of = blameCase(step);
      const commitments = new Proxy(of.commitments, {
        get: (list, name) => {
          if (name === '1') throw new RangeError('Array buffer allocation failed');
          return Reflect.get(list, name) as unknown;
        },
      });
      expect(() => judge({ ...of, commitments })).toThrow(Fault);
      expect(judge(of)).toEqual({ kind: 'none' });
    });

    test('has another digest when anything in it changes', () => {
      const [one, two] = [wrongShare(), blameCase(step, { 1: { blinding: (honest) => addOne(honest) } })];
      const digest = (of: BlameCase): string => toHex(hashDocument(LABEL.blameEvidence, published(of)));
      expect(digest(one)).not.toBe(digest(two));
    });
  });
});
