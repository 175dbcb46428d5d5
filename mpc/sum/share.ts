import { createHash, type Hash } from 'node:crypto';
import { inspect } from 'node:util';
import { z } from 'zod';
import { ByteWriter, equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalBytes, decodeCanonical, hashBytes } from '../../protocol/canonical.ts';
import type { ExchangeKey } from '../../protocol/envelope.ts';
import { Abort } from '../../protocol/errors.ts';
import { verifySignature, type Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { digest, signatureHex } from '../../protocol/names.ts';
import { outcome, outcomeDigest, OUTCOME_LIMIT, type Outcome } from '../../protocol/outcome.ts';
import {
  helloDigest,
  modulus,
  openHello,
  signedHello,
  type Modulus,
  type SignedHello,
} from '../../protocol/session.ts';
import { elementBytes } from '../masks.ts';
import type { ShareSum } from '../share-sum.ts';
import { assertScalar } from '../scalars.ts';
import type { DecidedInput } from './decided.ts';
import { CHUNK_LIMIT, ChunkOpener, ChunkSealer } from './stream.ts';

/**
 * A summed share on its way to the researcher (docs/protocol.md §3.3): a header in the clear, then its elements in
 * chunks sealed to the answer key (`stream.ts`), then a trailer with the blinding share and the party's signature over
 * all of it.
 */
export const chunkCells = (of: Modulus): number => CHUNK_LIMIT / elementBytes(of);
/** Pieces of a chunk that are masked, hashed and sealed at a time. */
const PIECES = 4;

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

const HEADER_LIMIT = 8192;
const TRAILER_BYTES = 32 + 32 + 64;

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

const statementBytes = ({ session, step, agreement, outcome, cells, modulus }: ShareStatement): Uint8Array =>
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

/** What a share must be, known to the researcher from the ledger and its own plan. */
export interface ExpectedShare {
  readonly session: string;
  readonly step: number;
  readonly party: string;
  readonly cells: number;
  readonly modulus: Modulus;
  readonly activeKeys: readonly string[];
}

/** A share that arrived whole, in order, under its owner's signature; its elements are in the sum already. */
export class ReceivedShare {
  readonly party: string;
  readonly header: ShareHeader;
  readonly outcome: Outcome | undefined;
  readonly blinding: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;

  constructor(parts: Pick<ReceivedShare, 'party' | 'header' | 'outcome' | 'blinding' | 'digest' | 'signature'>) {
    this.party = parts.party;
    this.header = parts.header;
    this.outcome = parts.outcome;
    this.blinding = parts.blinding;
    this.digest = parts.digest;
    this.signature = parts.signature;
  }

  toJSON(): string {
    return `ReceivedShare(of ${this.party}, redacted)`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

/**
 * Opens one party's sealed share chunk by chunk and adds it to the sum as it arrives; memory does not grow with it.
 * Errors: `Abort FORGED_SHARE` or `FORGED_HELLO`, each naming the party; nothing of a share that fails counts, because
 * the whole sum is then thrown away.
 */
export class ShareOpener {
  readonly #expected: ExpectedShare;
  readonly #answerKey: ExchangeKey;
  readonly #sum: Pick<ShareSum, 'add' | 'landing'>;
  readonly #hash = createHash('sha256');
  #header: ShareHeader | undefined;
  #chunks: ChunkOpener | undefined;
  readonly #outcomeParts: Uint8Array[] = [];
  /** Bytes of the outcome still to come. */
  #outcomeLeft = 0;
  #outcome: Outcome | undefined;
  #cells = 0;
  #received: ReceivedShare | undefined;

  constructor(expected: ExpectedShare, answerKey: ExchangeKey, sum: Pick<ShareSum, 'add' | 'landing'>) {
    this.#expected = expected;
    this.#answerKey = answerKey;
    this.#sum = sum;
  }

  /** `elements` sees each chunk of plain elements too, valid during the call: for keeping a share as evidence. */
  add(chunk: Uint8Array, elements?: (plain: Uint8Array) => void): void {
    if (this.#received !== undefined) throw this.#forged('goes on after its end');
    if (this.#chunks === undefined) {
      this.#open(chunk);
      return;
    }
    if (this.#outcomeLeft > 0) {
      this.#takeOutcome(this.#unseal(this.#chunks, chunk, false, new Uint8Array(chunk.length)));
      return;
    }
    const { modulus } = this.#expected;
    const left = this.#expected.cells - this.#cells;
    if (left === 0) {
      this.#finish(this.#unseal(this.#chunks, chunk, true, new Uint8Array(chunk.length)));
      return;
    }
    const plain = this.#unseal(this.#chunks, chunk, false, this.#sum.landing, this.#hash);
    const width = elementBytes(modulus);
    if (plain.length !== width * Math.min(left, chunkCells(modulus)))
      throw this.#forged('has a chunk of the wrong length');
    try {
      this.#sum.add(this.#cells, plain);
    } catch (cause) {
      throw this.#forged('holds a scalar that is not canonical', cause);
    }
    elements?.(plain);
    this.#cells += plain.length / width;
  }

  finish(): ReceivedShare {
    if (this.#received === undefined) throw this.#forged('ends early');
    return this.#received;
  }

  #open(chunk: Uint8Array): void {
    const { session, step, party, cells, modulus, activeKeys } = this.#expected;
    let header: ShareHeader;
    try {
      header = decodeCanonical(shareHeader, chunk, { what: 'share header', limit: HEADER_LIMIT });
    } catch (cause) {
      throw this.#forged('has a header that does not decode', cause);
    }
    const hello = openHello(canonicalBytes(header.hello), { session, party, activeKeys });
    if (header.step !== step || header.cells !== cells || header.modulus !== modulus)
      throw this.#forged('is of another step, another number of cells or another modulus');
    if (header.outcome !== null && modulus !== 'l') throw this.#forged('decides where nothing can be withheld');
    const { agreement } = header;
    const statement = { session, step, agreement, outcome: header.outcome?.digest ?? null, cells, modulus };
    if (!verifyAttestation(statement, hello.publicKey, header.signature)) {
      throw this.#forged('has a header with a wrong signature');
    }
    this.#header = header;
    this.#outcomeLeft = header.outcome?.bytes ?? 0;
    this.#chunks = new ChunkOpener(shareKey(this.#answerKey, hello.hello.exchangeKey, hello, step, party));
  }

  #takeOutcome(part: Uint8Array): void {
    if (part.length !== Math.min(this.#outcomeLeft, CHUNK_LIMIT))
      throw this.#forged('has an outcome of another length');
    this.#outcomeParts.push(part);
    this.#outcomeLeft -= part.length;
    if (this.#outcomeLeft > 0) return;
    const bytes = Buffer.concat(this.#outcomeParts.splice(0));
    try {
      this.#outcome = decodeCanonical(outcome, bytes, { what: 'outcome', limit: OUTCOME_LIMIT });
    } catch (cause) {
      throw this.#forged('has an outcome that does not decode', cause);
    }
    if (outcomeDigest(this.#outcome) !== this.#header!.outcome!.digest)
      throw this.#forged('has another outcome than it signed');
  }

  #finish(trailer: Uint8Array): void {
    if (trailer.length !== TRAILER_BYTES) throw this.#forged('has a trailer of the wrong length');
    const header = this.#header!;
    const blinding = trailer.slice(0, 32);
    const claimed = trailer.slice(32, 64);
    const signature = trailer.slice(64);
    if (!equalBytes(finishShareDigest(this.#hash, blinding), claimed))
      throw this.#forged('does not have the digest that it claims');
    const statement = {
      session: this.#expected.session,
      step: header.step,
      agreement: header.agreement,
      outcome: header.outcome?.digest ?? null,
      cells: header.cells,
      modulus: header.modulus,
    };
    if (!verifySignature(header.hello.publicKey, LABEL.shareDigest, shareDigestBytes(statement, claimed), signature)) {
      throw this.#forged('is not signed by its owner');
    }
    try {
      assertScalar(blinding);
    } catch (cause) {
      throw this.#forged('holds a blinding that is not canonical', cause);
    }
    this.#received = new ReceivedShare({
      party: this.#expected.party,
      header,
      outcome: this.#outcome,
      blinding,
      digest: claimed,
      signature,
    });
  }

  #unseal(opener: ChunkOpener, chunk: Uint8Array, last: boolean, space: Uint8Array, hash?: Hash): Uint8Array {
    try {
      return opener.open(chunk, last, space, hash);
    } catch (cause) {
      throw this.#forged('has a chunk that does not open: altered, repeated, left out or out of order', cause);
    }
  }

  #forged(why: string, cause?: unknown): Abort {
    const party = this.#expected.party;
    return new Abort('FORGED_SHARE', `the share of ${party} ${why}`, {
      party,
      round: `open/${this.#expected.step}`,
      cause,
    });
  }
}

/** The party that holds `own` and the other end derive the same key; bound to the hello, hence to party and session. */
function shareKey(own: ExchangeKey, theirs: string, hello: SignedHello, step: number, owner?: string): Uint8Array {
  const info = new ByteWriter().text(LABEL.shareKey).fixed(helloDigest(hello)).uint32(step).finish();
  return own.derive(theirs, fromHex(hello.hello.session, 32), info, 32, owner);
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
