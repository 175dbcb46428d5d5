import { createHash, type Hash } from 'node:crypto';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import type { Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { outcomeDigest } from '../../protocol/outcome.ts';
import type { DecidedInput } from './decided.ts';
import {
  chunkCells,
  finishShareDigest,
  shareDigestBytes,
  shareKey,
  statementBytes,
  type ShareHeader,
  type ShareStatement,
} from './share.ts';
import { CHUNK_LIMIT, ChunkSealer } from './stream.ts';

/** Pieces of a chunk that are masked, hashed and sealed at a time. */
const PIECES = 4;

/**
 * The chunks of a sealed share, ready for the wire; each is valid until the next is asked for. Cost: 16 bytes a cell mod 2^128, 32 mod l, once.
 * Sealing the same input again gives the same bytes, so a share may be sent again after a lost connection.
 */
export function* sealShare(decided: DecidedInput, identity: Identity, answerKey: string): Generator<Uint8Array> {
  const { transcript, channel, agreement } = decided.input;
  const own = channel.hellos.get(channel.self)!;
  const decision = decided.outcome === undefined ? undefined : canonicalBytes(decided.outcome);
  const outcomeHash = decided.outcome === undefined ? null : outcomeDigest(decided.outcome);
  const statement: ShareStatement = {
    session: transcript.session,
    step: transcript.step,
    agreement: toHex(agreement),
    outcome: outcomeHash,
    cells: decided.cells,
    modulus: transcript.modulus,
  };
  yield canonicalBytes({
    hello: own,
    step: statement.step,
    cells: statement.cells,
    modulus: statement.modulus,
    agreement: statement.agreement,
    outcome: outcomeHash === null ? null : { digest: outcomeHash, bytes: decision!.length },
    signature: toHex(identity.sign(LABEL.shareStatement, statementBytes(statement))),
  } satisfies ShareHeader);

  const sealer = new ChunkSealer(shareKey(channel.exchangeKey, answerKey, own, transcript.step));
  const hash = createHash('sha256');
  for (const part of partsOf(decision ?? new Uint8Array())) yield sealer.seal([part], false);
  const atATime = chunkCells(transcript.modulus);
  const pieces = decided.shareChunks(atATime / PIECES);
  for (let first = 0; first < decided.cells; first += atATime) yield sealer.seal(hashed(pieces, PIECES, hash), false);
  const blinding = decided.blindingShare();
  const shareDigest = finishShareDigest(hash, blinding);
  const signature = identity.sign(LABEL.shareDigest, shareDigestBytes(statement, shareDigest));
  yield sealer.seal([blinding, shareDigest, signature], true);
}
/** The next few pieces, each into the hash as it goes by. What is left of them stays for later. */
function* hashed(pieces: Iterator<Uint8Array, void>, count: number, hash: Hash): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const piece = pieces.next();
    if (piece.done === true) return;
    hash.update(piece.value);
    yield piece.value;
  }
}
function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_LIMIT) yield bytes.subarray(at, at + CHUNK_LIMIT);
}
