import { z } from 'zod';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { digest, organisationId, publicKey, sessionId, signatureHex } from '../../protocol/names.ts';
import { modulus } from '../../protocol/session.ts';
import { shareDigestBytes } from './share.ts';
import type { ReceivedShare } from './share-opener.ts';

const signedShare = z.strictObject({
  agreement: digest,
  /** Digest of the outcome; null where no rule applies. */
  outcome: digest.nullable(),
  cells: z.int().min(0).max(10_000_000),
  modulus,
  /** `finishShareDigest` of elements and blinding. */
  digest,
  publicKey,
  signature: signatureHex,
});

/** Two shares of one step under one party's signatures, of which an honest party makes one. Neither share is in it. */
export const twoSharesEvidence = z.strictObject({
  format: z.literal('healthchain-two-shares/1'),
  session: sessionId,
  step: z.int().min(0).max(999),
  blamed: organisationId,
  shares: z.tuple([signedShare, signedShare]),
});
export type TwoSharesEvidence = z.infer<typeof twoSharesEvidence>;

export function twoSharesOf(
  { session, step }: Pick<TwoSharesEvidence, 'session' | 'step'>,
  first: ReceivedShare,
  second: ReceivedShare,
): TwoSharesEvidence {
  const signed = ({ header, digest, signature }: ReceivedShare): TwoSharesEvidence['shares'][0] => ({
    agreement: header.agreement,
    outcome: header.outcome?.digest ?? null,
    cells: header.cells,
    modulus: header.modulus,
    digest: toHex(digest),
    publicKey: header.hello.publicKey,
    signature: toHex(signature),
  });
  return {
    format: 'healthchain-two-shares/1',
    session,
    step,
    blamed: first.party,
    shares: [signed(first), signed(second)],
  };
}

/** True when both are signed by the blamed party, and what it signed differs. `keys` are its own, from the ledger. */
export function twoSharesShow({ session, step, shares }: TwoSharesEvidence, keys: readonly string[]): boolean {
  const [one, other] = shares.map((share) => shareDigestBytes({ session, step, ...share }, fromHex(share.digest, 32)));
  const isSigned = ({ publicKey, signature }: TwoSharesEvidence['shares'][0], bytes: Uint8Array): boolean =>
    keys.includes(publicKey) && verifySignature(publicKey, LABEL.shareDigest, bytes, fromHex(signature, 64));
  return isSigned(shares[0], one!) && isSigned(shares[1], other!) && !equalBytes(one!, other!);
}
