import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementBytes } from '../../mpc/masks.ts';
import type { BlameStatement } from '../../mpc/sum/blame-statement.ts';
import { judge, type BlameCase } from '../../mpc/sum/blame.ts';
import { blameEvidence, evidenceShows, evidenceOf } from '../../mpc/sum/evidence.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalBytes, checkDocument, hashBytes } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import { addOne, agreed, blameCase, MODULI, type Agreed, type Lie } from '../adversary/shares.ts';

const CHEATS = [
  'cell',
  'blinding',
  'mask',
  'seed hash',
  'silence',
  'signature',
  'agreement',
  'share signature',
  'overflow',
  'overflow kept back',
] as const;
type Cheat = (typeof CHEATS)[number];

/** The case in which the party at `place` does this one thing wrong and everybody else is honest and answers. */
function caseOf(step: Agreed, place: number, cheat: Cheat, target: number): BlameCase {
  const party = step.world.roster[place]!;
  const lies: Partial<Record<Cheat, Lie>> = {
    cell: { elements: (honest) => addOne(honest, target % step.cells, elementBytes(step.modulus)) },
    blinding: { blinding: (honest) => addOne(honest) },
  };
  const of = blameCase(step, { [place]: lies[cheat] ?? {} });
  const identity = step.world.identities.get(party)!;
  const restate = (change: (honest: BlameStatement) => Partial<BlameStatement>): void => {
    const honest = of.statements.get(party)!.statement;
    const statement = { ...honest, ...change(honest) };
    const signature = toHex(identity.sign(LABEL.blameStatement, canonicalBytes(statement)));
    of.statements.set(party, { statement, publicKey: identity.publicKey, signature });
  };
  const at = target % (step.world.roster.length - 1);
  const wrong = 'ab'.repeat(32);
  if (cheat === 'mask') restate(({ masks }) => ({ masks: masks.with(at, toHex(step.commitments[place]!)) }));
  if (cheat === 'seed hash') restate(({ seedHashes }) => ({ seedHashes: seedHashes.with(at, wrong) }));
  if (cheat === 'agreement') restate(({ listDigests }) => ({ listDigests: listDigests.with(at, wrong) }));
  if (cheat === 'silence') of.statements.delete(party);
  if (cheat === 'signature') of.statements.set(party, { ...of.statements.get(party)!, signature: 'ab'.repeat(64) });
  if (cheat === 'share signature') of.shares.set(party, { ...of.shares.get(party)!, signature: new Uint8Array(64) });
  if (cheat.startsWith('overflow')) {
    const share = of.shares.get(party)!;
    const told = target % share.overflow.length;
    const overflow = share.overflow.with(told, share.overflow[told]! ^ 1);
    of.shares.set(party, { ...share, overflow });
    if (cheat === 'overflow') restate(() => ({ overflow: toHex(hashBytes(LABEL.shareOverflow, overflow)) }));
  }
  return of;
}

/** Asks the honest party of a disputed pair for its seed, as the researcher does. */
function settle(step: Agreed, of: BlameCase, cheat: string): ReturnType<typeof judge> {
  const verdict = judge(of);
  if (verdict.kind !== 'dispute') return verdict;
  const honest = verdict.pair.find((party) => party !== cheat)!;
  const seed = step.inputs[step.world.roster.indexOf(honest)]!.revealSeed(cheat);
  return judge({ ...of, seeds: new Map([[`${honest}/${cheat}`, seed]]) });
}

describe.each(MODULI)('the judge of shares mod %s', (modulus) => {
  test('names a single cheat, whatever it does, and never an honest hospital', async () => {
    const steps = new Map<number, Agreed>();
    for (const n of [2, 3, 4, 5]) {
      steps.set(
        n,
        await agreed(
          Array.from({ length: n }, (_, i) => [BigInt(i), -5n, 1n << BigInt(20 * i)]),
          { modulus },
        ),
      );
    }
    fc.assert(
      fc.property(
        fc.constantFrom(2, 3, 4, 5),
        fc.nat(),
        fc.constantFrom(...CHEATS.filter((cheat) => modulus === '2^128' || !cheat.startsWith('overflow'))),
        fc.nat(),
        (n, seat, cheat, target) => {
          const step = steps.get(n)!;
          const place = seat % n;
          const party = step.world.roster[place]!;
          const of = caseOf(step, place, cheat, target);
          const verdict = settle(step, of, party);
          expect(verdict).toMatchObject({ kind: 'cheat', party });
          if (verdict.kind !== 'cheat' || verdict.check !== 'SHARE_WRONG') return;
          const evidence = checkDocument(blameEvidence, evidenceOf(of, verdict).document, { what: 'evidence' });
          expect(evidenceShows(evidence, of)).toBe(true);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('names nobody when nobody cheats', async () => {
    for (const n of [2, 3, 5]) {
      const step = await agreed(
        Array.from({ length: n }, (_, i) => [BigInt(i)]),
        { modulus },
      );
      expect(judge(blameCase(step))).toEqual({ kind: 'none' });
    }
  });
});
