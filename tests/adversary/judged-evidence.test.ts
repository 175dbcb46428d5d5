import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotation } from '../../ledger/index.ts';
import { judge, type BlameCase } from '../../mpc/sum/blame.ts';
import { evidenceOf, publishedShare, type BlameEvidence } from '../../mpc/sum/evidence.ts';
import { twoSharesOf } from '../../mpc/sum/two-shares.ts';
import { toHex } from '../../protocol/bytes.ts';
import { hashDocument } from '../../protocol/canonical.ts';
import { Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { VerificationError } from '../../researcher/result/checks.ts';
import { renderDocument } from '../../researcher/result/documents.ts';
import { verifyEvidence } from '../../researcher/result/verify-evidence.ts';
import { PlayedConsortium, type Played } from './played.ts';
import { addOne, blameCase, blameCaseOfLiar, receive, restate, sealed, type Lie } from './shares.ts';

const query = { statistics: [{ count: {} }], groupBy: [{ column: 'sex' }], release: everythingOpens() };
const other = 'c'.repeat(64);
const wrong: Lie = { elements: (honest) => addOne(honest) };

describe('evidence that is judged with an export of the ledger', () => {
  let consortium: PlayedConsortium;
  let played: Played;
  let cheat: string;
  let honest: string;

  beforeAll(async () => {
    consortium = await PlayedConsortium.open();
    [honest, cheat] = consortium.hospitals.roster as [string, string];
  });
  afterAll(() => consortium.close());

  /** As the researcher records it, who is asked for nothing but the digest. */
  async function record(evidence: { session: string; blamed: string }, blame = evidence.blamed): Promise<void> {
    const digest = toHex(hashDocument(LABEL.blameEvidence, evidence));
    const abort = { type: 'abortSession', session: evidence.session, reason: 'VERIFICATION_FAILED' } as const;
    await consortium.ledger.submit(consortium.member('researcher'), abort);
    await consortium.ledger.submit(consortium.member('researcher'), { ...abort, blame, evidence: digest });
  }
  async function judgeFile(evidence: object): Promise<unknown> {
    const ledger = renderDocument(await consortium.ledger.export());
    return verifyEvidence({ evidence: renderDocument(evidence), ledger }).catch((error: unknown) => error);
  }
  const refused = (check: string, why: RegExp): unknown =>
    expect.objectContaining({
      name: VerificationError.name,
      check,
      message: expect.stringMatching(why) as unknown,
    }) as unknown;

  function publish(of: BlameCase): BlameEvidence {
    const verdict = judge(of);
    if (verdict.kind !== 'cheat') throw new Error('nobody is blamed');
    return evidenceOf(of, verdict).document as BlameEvidence;
  }
  const wrongShare = (): BlameEvidence => publish(blameCase(played.step, { 1: wrong }));
  function wrongMask(): BlameEvidence {
    const of = blameCaseOfLiar(played.step, 1, 0);
    of.seeds.set(`${honest}/${cheat}`, played.step.inputs[0]!.revealSeed(cheat));
    return publish(of);
  }
  function otherSeeds(): BlameEvidence {
    const of = blameCase(played.step);
    restate(played.step, of, 1, () => ({ seedHashes: [other, other] }));
    return publish(of);
  }
  const twoShares = (lie: Lie = wrong) => {
    const [one, two] = [{}, lie].map((each) => receive(played.step, 1, sealed(played.step, 1, each)));
    return twoSharesOf({ session: played.session, step: 0 }, one!, two!);
  };

  describe('of one session', () => {
    beforeAll(async () => {
      played = await consortium.play(query);
    });

    test('convicts nobody before its digest is on the ledger', async () => {
      expect(await judgeFile(wrongShare())).toEqual(refused('record', /no evidence was recorded/));
    });
    test('of a session that the ledger does not know, or of a hospital outside it, is refused', async () => {
      const evidence = wrongShare();
      expect(await judgeFile({ ...evidence, session: other })).toEqual(refused('session', /does not hold/));
      expect(await judgeFile({ ...evidence, blamed: 'board' })).toEqual(refused('session', /took no part/));
      expect(await judgeFile({ ...evidence, step: 1 })).toEqual(refused('session', /step 1/));
    });
    test('of another form is refused', async () => {
      expect(await judgeFile({ ...wrongShare(), note: 'x' })).toEqual(refused('evidence', /note/));
      expect(await judgeFile([])).toEqual(refused('evidence', /^evidence: /));
    });
  });

  test.each([
    ['SHARE_WRONG', wrongShare],
    ['MASK_FORGED', wrongMask],
    ['SEED_HASHES_FORGED', otherSeeds],
    ['TWO_SHARES', twoShares],
    ['TWO_SHARES', () => twoShares({ agreement: new Uint8Array(32).fill(7) })],
  ])('convicts by %s', async (shown, make) => {
    played = await consortium.play(query);
    const evidence = make();
    await record(evidence);
    expect(await judgeFile(evidence)).toMatchObject({ blamed: cheat, shown, recordedBy: 'researcher' });
    const another = await consortium.play(query);
    expect(await judgeFile({ ...evidence, session: another.session })).toEqual(refused('record', /no evidence/));
  });

  test('convicts where cells are withheld, by the outcome that the cheat signed and by no other', async () => {
    const rule = { ...query, release: { minimumCell: 5, minimumHospitals: 2 } };
    played = await consortium.play(rule, { released: (cell) => cell === 0 });
    const evidence = wrongShare();
    expect(evidence.outcome?.announcements).toHaveLength(3);
    await record(evidence);
    expect(await judgeFile(evidence)).toMatchObject({ blamed: cheat, shown: 'SHARE_WRONG' });

    played = await consortium.play(rule, { released: (cell) => cell === 0 });
    const framed = { ...wrongShare(), outcome: evidence.outcome };
    await record(framed);
    expect(await judgeFile(framed)).toEqual(refused('proof', /does not follow/));
  });

  test('convicts nobody but whom the record names', async () => {
    played = await consortium.play(query);
    const evidence = wrongShare();
    await record(evidence, honest);
    expect(await judgeFile(evidence)).toEqual(refused('record', /names another/));
  });

  test('made up against an honest hospital convicts nobody, though its researcher recorded it', async () => {
    const frames: (() => BlameEvidence | ReturnType<typeof twoShares>)[] = [
      () => ({ ...wrongShare(), share: publishedShare(blameCase(played.step).shares.get(cheat)!) }),
      () => ({ ...wrongShare(), blamed: honest }),
      () => ({ ...wrongMask(), blamed: honest }),
      () => ({ ...wrongShare(), check: 'SEED_HASHES_FORGED' }),
      () => ({ ...wrongShare(), statements: [] }),
      () => twoShares({}),
      () => ({ ...twoShares(), blamed: honest }),
    ];
    for (const frame of frames) {
      played = await consortium.play(query);
      const evidence = frame();
      await record(evidence);
      expect(await judgeFile(evidence)).toEqual(refused('proof', /does not (follow|show)/));
    }
  });

  test('still convicts after the cheat changed its key, and not by a key that was revoked before', async () => {
    played = await consortium.play(query);
    const evidence = wrongShare();
    await record(evidence);
    const before = consortium.member(cheat);
    const { identity } = before;
    const stolen = await consortium.play(query);
    const next = Identity.generate();
    await consortium.ledger.submit(before, rotation(consortium.ledger.consortium, cheat, next));
    expect(await judgeFile(evidence)).toMatchObject({ blamed: cheat });

    // Whoever stole the old key makes up what its owner never signed, in a session that nobody had doubted so far.
    played = stolen;
    expect(identity.publicKey).toBe(wrongShare().statements[1]!.publicKey);
    const forged = wrongShare();
    await record(forged);
    expect(await judgeFile(forged)).toEqual(refused('proof', /does not follow/));
  });
});
