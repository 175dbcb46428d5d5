import type { Hash } from 'node:crypto';
import { z } from 'zod';
import { ByteWriter, fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalBytes, hashBytes } from '../../protocol/canonical.ts';
import type { ExchangeKey } from '../../protocol/envelope.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { digest, signatureHex } from '../../protocol/names.ts';
import { OUTCOME_LIMIT } from '../../protocol/outcome.ts';
import { helloDigest, modulus, signedHello, type Modulus, type SignedHello } from '../../protocol/session.ts';
import { elementBytes } from '../masks.ts';
import { CHUNK_LIMIT } from './stream.ts';

/**
 * A summed share on its way to the researcher (docs/protocol.md §3.3): a header in the clear, then its elements in
 * chunks sealed to the answer key (`stream.ts`), then a trailer with the blinding share and the party's signature over
 * all of it. `share-sealer.ts` is one end, `share-opener.ts` the other.
 */
export const shareHeader = z.strictObject({
  hello: signedHello,
  step: z.int().min(0).max(999),
  cells: z.int().min(0).max(10_000_000),
  modulus,
  agreement: digest,
  /** The outcome of the release rule, which follows sealed; null where no rule applies. */
  outcome: z.strictObject({ digest, bytes: z.int().min(1).max(OUTCOME_LIMIT) }).nullable(),
  /** The party's identity over session, step, agreement, outcome, cells, and modulus. */
  signature: signatureHex,
});
export type ShareHeader = z.infer<typeof shareHeader>;

/** Cells in a chunk of a share. */
export const chunkCells = (of: Modulus): number => CHUNK_LIMIT / elementBytes(of);

/** What a party stands for with its share: the step as agreed, and what it saw decided on shares. */
export interface ShareStatement {
  readonly session: string;
  readonly step: number;
  readonly agreement: string;
  /** Digest of the outcome; null where no rule applies. */
  readonly outcome: string | null;
  readonly cells: number;
  readonly modulus: Modulus;
}

export const statementBytes = ({ session, step, agreement, outcome, cells, modulus }: ShareStatement): Uint8Array =>
  canonicalBytes({ session, step, agreement, outcome, cells, modulus });

/** True if `publicKey` signed that it saw this step agreed on and this outcome decided. */
export const verifyAttestation = (of: ShareStatement, publicKey: string, signature: string): boolean =>
  verifySignature(publicKey, LABEL.shareStatement, statementBytes(of), fromHex(signature, 64));

/** What a party signs about its share: which step it is of, and its digest. */
export const shareDigestBytes = (
  { session, step, agreement, outcome, cells, modulus }: ShareStatement,
  shareDigest: Uint8Array,
): Uint8Array => canonicalBytes({ session, step, agreement, outcome, cells, modulus, digest: toHex(shareDigest) });

/** SHA-256 over the elements of the share, then the blinding share. */
export const finishShareDigest = (hash: Hash, blinding: Uint8Array): Uint8Array =>
  hashBytes(LABEL.shareDigest, hash.digest(), blinding);

/** The party that holds `own` and the other end derive the same key; bound to the hello, hence to party and session. */
export function shareKey(
  own: ExchangeKey,
  theirs: string,
  hello: SignedHello,
  step: number,
  owner?: string,
): Uint8Array {
  const info = new ByteWriter().text(LABEL.shareKey).fixed(helloDigest(hello)).uint32(step).finish();
  return own.derive(theirs, fromHex(hello.hello.session, 32), info, 32, owner);
}
