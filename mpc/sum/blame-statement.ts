import { z } from 'zod';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalBytes, hashBytes } from '../../protocol/canonical.ts';
import { verifySignature, type Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { digest, organisationId, point, publicKey, sessionId, signatureHex } from '../../protocol/names.ts';
import type { AgreedInput } from './party.ts';

/** What a party states about its masks and its share when a cheat is looked for (docs/protocol.md §4). */
export const blameStatement = z.strictObject({
  session: sessionId,
  step: z.int().min(0).max(999),
  party: organisationId,
  cells: z.int().min(0).max(10_000_000),
  transcript: digest,
  /** seedListDigest of every party, in roster order: with the transcript they hash to the agreement. */
  listDigests: z.array(digest).min(2).max(1000),
  /** Hashes of this party's own seeds, in roster order of its peers. */
  seedHashes: z.array(digest).min(1).max(1000),
  /** Com(M_ij) for each peer, in the same order. */
  masks: z.array(point).min(1).max(1000),
  /** Of the overflow of this party's share; null where shares are mod l and have none. */
  overflow: digest.nullable(),
});
export type BlameStatement = z.infer<typeof blameStatement>;

export const signedBlameStatement = z.strictObject({ statement: blameStatement, publicKey, signature: signatureHex });
export type SignedBlameStatement = z.infer<typeof signedBlameStatement>;

/**
 * `masks`: `input.maskCommitment` for each peer, which costs a second or more where cells are many. Leaks nothing of the input but what
 * the overflow does, whose digest is in it. Errors: as `AgreedInput.overflow`.
 */
export function makeStatement(
  input: AgreedInput,
  masks: readonly Uint8Array[],
  transcript: Uint8Array,
  identity: Identity,
): SignedBlameStatement {
  const statement: BlameStatement = {
    session: input.transcript.session,
    step: input.transcript.step,
    party: input.channel.self,
    cells: input.cells,
    transcript: toHex(transcript),
    listDigests: input.listDigests.map(toHex),
    seedHashes: input.seedHashes.map(toHex),
    masks: masks.map(toHex),
    overflow: input.modulus === 'l' ? null : overflowDigest(input.overflow()),
  };
  return {
    statement,
    publicKey: identity.publicKey,
    signature: toHex(identity.sign(LABEL.blameStatement, canonicalBytes(statement))),
  };
}

export const overflowDigest = (overflow: Uint8Array): string => toHex(hashBytes(LABEL.shareOverflow, overflow));

export const verifyStatement = (signed: SignedBlameStatement, activeKeys: readonly string[]): boolean =>
  activeKeys.includes(signed.publicKey) &&
  verifySignature(
    signed.publicKey,
    LABEL.blameStatement,
    canonicalBytes(signed.statement),
    fromHex(signed.signature, 64),
  );
