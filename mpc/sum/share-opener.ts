import { createHash, type Hash } from 'node:crypto';
import { inspect } from 'node:util';
import { equalBytes } from '../../protocol/bytes.ts';
import { canonicalBytes, decodeCanonical } from '../../protocol/canonical.ts';
import type { ExchangeKey } from '../../protocol/envelope.ts';
import { Abort } from '../../protocol/errors.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { outcome, outcomeDigest, OUTCOME_LIMIT, type Outcome } from '../../protocol/outcome.ts';
import { openHello, type Modulus } from '../../protocol/session.ts';
import { elementBytes } from '../masks.ts';
import { assertScalar } from '../scalars.ts';
import type { ShareSum } from '../share-sum.ts';
import {
  chunkCells,
  finishShareDigest,
  shareDigestBytes,
  shareHeader,
  shareKey,
  verifyAttestation,
  type ShareHeader,
} from './share.ts';
import { CHUNK_LIMIT, ChunkOpener } from './stream.ts';

const HEADER_LIMIT = 8192;
const TRAILER_BYTES = 32 + 32 + 64;

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

/** What is in the sum already of a share whose download broke off: its first cells, and the SHA-256 of their elements. */
export interface TakenPart {
  readonly cells: number;
  readonly digest: Uint8Array;
}

const NOTHING: TakenPart = { cells: 0, digest: new Uint8Array() };

/**
 * Opens one party's sealed share chunk by chunk and adds it to the sum as it arrives; memory does not grow with it.
 * A share that is fetched again from its beginning is added from where it broke off, and must begin as it did.
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
  readonly #before: TakenPart;
  #received: ReceivedShare | undefined;

  constructor(
    expected: ExpectedShare,
    answerKey: ExchangeKey,
    sum: Pick<ShareSum, 'add' | 'landing'>,
    before: TakenPart = NOTHING,
  ) {
    this.#expected = expected;
    this.#answerKey = answerKey;
    this.#sum = sum;
    this.#before = before;
  }

  /** What of this share is in the sum, should its download break off here. */
  get taken(): TakenPart {
    return this.#cells > this.#before.cells ? { cells: this.#cells, digest: this.#hash.copy().digest() } : this.#before;
  }

  /**
   * `elements` sees each chunk of plain elements too, those from cell `first` on, valid during the call: for keeping a share as evidence.
   */
  add(chunk: Uint8Array, elements?: (plain: Uint8Array, first: number) => void): void {
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
      if (this.#cells >= this.#before.cells) this.#sum.add(this.#cells, plain);
    } catch (cause) {
      throw this.#forged('holds a scalar that is not canonical', cause);
    }
    elements?.(plain, this.#cells);
    this.#cells += plain.length / width;
    if (this.#cells === this.#before.cells && !equalBytes(this.#hash.copy().digest(), this.#before.digest))
      throw this.#forged('begins otherwise than when it was fetched before');
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
    if (!equalBytes(finishShareDigest(this.#hash.copy(), blinding), claimed))
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
