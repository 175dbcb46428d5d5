import { z } from 'zod';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { hashDocument } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import { digest, organisationId, publicKey, sessionId, signatureHex } from '../../protocol/names.ts';
import { outcome } from '../../protocol/outcome.ts';
import { modulus } from '../../protocol/session.ts';
import {
  claim,
  isProven,
  judgeShare,
  judgeStatement,
  type BlameCase,
  type SuspectShare,
  type Verdict,
} from './blame.ts';
import { signedBlameStatement } from './blame-statement.ts';
import { commitMask, seedHash } from './party.ts';

/** Evidence of a cheat, as a stranger reads it. */
export const blameEvidence = z.strictObject({
  format: z.literal('healthchain-blame/1'),
  session: sessionId,
  step: z.int().min(0).max(999),
  blamed: organisationId,
  check: z.enum([
    'STATEMENT_MISSING',
    'STATEMENT_FORGED',
    'SEED_HASHES_FORGED',
    'SEED_FORGED',
    'MASK_FORGED',
    'SHARE_FORGED',
    'SHARE_WRONG',
  ]),
  modulus,
  agreement: digest,
  outcome: outcome.optional(),
  statements: z.array(signedBlameStatement).max(1000),
  seeds: z.array(z.strictObject({ pair: z.string().max(200), seed: digest })).max(2000),
  share: z
    .strictObject({ elements: z.base64(), overflow: z.base64(), blinding: digest, publicKey, signature: signatureHex })
    .optional(),
});
export type BlameEvidence = z.infer<typeof blameEvidence>;

/** A share as evidence holds it. */
export const publishedShare = (share: SuspectShare): NonNullable<BlameEvidence['share']> => ({
  elements: Buffer.from(share.elements).toString('base64'),
  overflow: Buffer.from(share.overflow).toString('base64'),
  blinding: toHex(share.blinding),
  publicKey: share.publicKey,
  signature: toHex(share.signature),
});

/** A blame case as a document: the evidence whose digest goes on the ledger, and that anyone can judge again. */
export function evidenceOf(
  of: BlameCase,
  verdict: Extract<Verdict, { kind: 'cheat' }>,
): { document: object; digest: string } {
  const share = of.shares.get(verdict.party);
  const document = {
    format: 'healthchain-blame/1',
    session: of.session,
    step: of.step,
    blamed: verdict.party,
    check: verdict.check,
    modulus: of.modulus,
    agreement: toHex(of.agreement),
    ...(of.outcome === undefined ? {} : { outcome: of.outcome }),
    statements: of.roster.flatMap((party) => of.statements.get(party) ?? []),
    seeds: [...of.seeds].map(([pair, seed]) => ({ pair, seed: toHex(seed) })),
    // Only the cheat's own share is published, and only where the judgement rests on it.
    ...(share === undefined || verdict.check !== 'SHARE_WRONG'
      ? {}
      : {
          share: publishedShare(share),
        }),
  };
  return { document, digest: toHex(hashDocument(LABEL.blameEvidence, document)) };
}

/** What a judge reads from the ledger itself, never from the evidence. */
export type LedgerView = Pick<BlameCase, 'roster' | 'commitments' | 'identityKeys'>;

/**
 * True when the evidence by itself shows that the blamed party cheated: it contradicts what that party signed.
 *
 * False does not clear anybody: checks that are not proven are about something that was not signed or did not come, and
 * rest on the word of the researcher who asked.
 */
export function evidenceShows(evidence: BlameEvidence, ledger: LedgerView): boolean {
  const party = evidence.blamed;
  const signed = evidence.statements.find(({ statement }) => statement.party === party);
  if (signed === undefined || !ledger.roster.includes(party)) return false;
  const of: BlameCase = {
    ...ledger,
    session: evidence.session,
    step: evidence.step,
    cells: signed.statement.cells,
    modulus: evidence.modulus,
    agreement: fromHex(evidence.agreement, 32),
    outcome: evidence.outcome,
    shares: new Map(evidence.share === undefined ? [] : [[party, suspect(party, evidence.share)]]),
    statements: new Map([[party, signed]]),
    seeds: new Map(),
  };
  const found = judgeStatement(of, party);
  if (found !== undefined) return found === evidence.check && isProven(found);
  if (evidence.check === 'MASK_FORGED') return contradictsSeed(of, party, evidence);
  return evidence.check === 'SHARE_WRONG' && judgeShare(of, party) === 'SHARE_WRONG';
}

/** One of the seeds has the hash that the party agreed on with a peer, and its mask is not what the party stated. */
function contradictsSeed(of: BlameCase, party: string, { seeds }: BlameEvidence): boolean {
  const stated = new Map(
    of.roster
      .filter((peer) => peer !== party)
      .map((peer) => claim(of, party, peer))
      .map((each) => [each.seedHash, each.mask]),
  );
  return seeds.some(({ seed }) => {
    const bytes = fromHex(seed, 32);
    const mask = stated.get(toHex(seedHash(bytes)));
    return mask !== undefined && mask !== toHex(commitMask(bytes, of.cells, of.modulus));
  });
}

const suspect = (party: string, share: NonNullable<BlameEvidence['share']>): SuspectShare => ({
  party,
  publicKey: share.publicKey,
  elements: Buffer.from(share.elements, 'base64'),
  overflow: Buffer.from(share.overflow, 'base64'),
  blinding: fromHex(share.blinding, 32),
  signature: fromHex(share.signature, 64),
});
