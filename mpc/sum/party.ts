import { inspect } from 'node:util';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort, Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { transcriptHash, type Modulus, type Transcript } from '../../protocol/session.ts';
import { CellVector } from '../cells.ts';
import { addCommitments, commitCells, commitScalars } from '../pedersen.ts';
import { blindingMask, elementBytes, maskedChunks, type Mask } from '../masks.ts';
import { addScalars, randomScalar, ScalarVector, subtractScalars } from '../scalars.ts';
import type { Channel } from '../session/channel.ts';
import { exchange, type RandomSource } from '../transport.ts';
import { overflowOf, scalarsOf } from './overflow.ts';

/**
 * Secure sum with public verification, one party's side (docs/protocol.md §3).
 *
 *   commitInput ─▶ CommittedInput ─agree─▶ AgreedInput ─▶ summed share
 *
 * Each step takes only what the step before made, so taking them out of order does not compile.
 *
 * Sharing: every two parties i < j hold a common pseudo-random vector M_ij (from their seed); the summed share of
 * party i is t_i = x_i + sum_{j>i} M_ij - sum_{j<i} M_ji. The t_i are additive shares of X = sum x_i, mod 2^128 or mod l. This is
 * seed-compressed additive sharing with the two seeds of a pair merged into one (pseudo-random zero sharing: Cramer,
 * Damgård, Ishai, TCC 2005; masks as in Bonawitz et al., CCS 2017 §4), at half the AES.
 *
 * Security: input privacy against any n-1 malicious parties together with the relay; correctness against malicious
 * parties by the commitments, checked when the sum is opened; abort, not fairness.
 */
export class CommittedInput {
  /** Pedersen vector commitment C = sum x_j G_j + r H, for the ledger. 32 bytes. */
  readonly commitment: Uint8Array;
  readonly #cells: CellVector;
  readonly #blinding: Uint8Array;

  constructor(cells: CellVector, random: RandomSource) {
    this.#cells = cells;
    this.#blinding = randomScalar(random);
    this.commitment = commitCells(cells, this.#blinding);
  }

  /**
   * Makes sure that all parties see the same step and hold the same mask seeds, before anything leaves.
   *
   * Cost: two rounds; 32 n bytes, then 32 bytes, to each peer.
   * Errors: `Abort EQUIVOCATION` (a peer saw another transcript: it, or whoever told it so, cheats), `Abort
   * SEED_MISMATCH`, `Abort VERIFICATION_FAILED` (a commitment that no opening can match); all name the peer.
   */
  async agree(channel: Channel, transcript: Transcript): Promise<AgreedInput> {
    const { roster } = transcript;
    if (transcript.commitments[roster.indexOf(channel.self)] !== toHex(this.commitment)) {
      throw new Misuse('OUT_OF_ORDER', 'the transcript does not hold the commitment that this party made');
    }
    if (transcript.cells !== this.#cells.length)
      throw new Misuse('OUT_OF_ORDER', 'the transcript is of another number of cells');
    refuseBadCommitments(transcript);
    const hash = transcriptHash(transcript);
    const seeds = new Map(channel.peers.map((peer) => [peer, channel.maskSeed(peer, hash)]));
    const lists = await exchangeSeedHashes(channel, transcript, hash, seeds);
    const digests = roster.map((party) => seedListDigest(lists.get(party)!));
    const agreement = agreementHash(hash, digests);
    await confirm(channel, transcript.step, agreement);
    return new AgreedInput({
      channel,
      transcript,
      agreement,
      seeds,
      lists,
      digests,
      cells: this.#cells,
      blinding: this.#blinding,
    });
  }

  [inspect.custom](): string {
    return `CommittedInput(${this.#cells.length} cells, redacted)`;
  }
}

/** Nobody's share may leave for a sum that cannot verify, whatever the shares are. */
function refuseBadCommitments({ roster, commitments, step }: Transcript): void {
  const party = roster.find((_, i) => !isHidingCommitment(fromHex(commitments[i]!, 32)));
  if (party === undefined) return;
  throw new Abort('VERIFICATION_FAILED', `the commitment of ${party} on the ledger is none: nothing was opened`, {
    party,
    round: `agree/${step}`,
  });
}

/** False for bytes that encode no element, and for the identity, which hides nothing and comes from no random blinding. */
function isHidingCommitment(commitment: Uint8Array): boolean {
  return isElement(commitment) && commitment.some((byte) => byte !== 0);
}

/** True for the encoding of a ristretto255 element. Cost: about 10 us. */
export function isElement(bytes: Uint8Array): boolean {
  try {
    addCommitments([bytes]);
    return true;
  } catch {
    return false;
  }
}

/** Seed hashes of one party towards its peers, in roster order: 32 (n-1) bytes. */
export const seedListDigest = (list: Uint8Array): Uint8Array => hashBytes(LABEL.seedHash, list);

/** What every party signs and confirms: the transcript and everybody's seed hashes. 32 bytes. */
export const agreementHash = (transcript: Uint8Array, listDigests: readonly Uint8Array[]): Uint8Array =>
  hashBytes(LABEL.transcript, transcript, ...listDigests);

export const seedHash = (seed: Uint8Array): Uint8Array => hashBytes(LABEL.seedHash, seed);

async function exchangeSeedHashes(
  channel: Channel,
  { roster, step }: Transcript,
  hash: Uint8Array,
  seeds: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const round = `agree/${step}`;
  const peersOf = (party: string): readonly string[] => roster.filter((each) => each !== party);
  const own = Buffer.concat(channel.peers.map((peer) => seedHash(seeds.get(peer)!)));
  const message = Buffer.concat([hash, own]);
  const received = await exchange(channel, round, () => message);

  const lists = new Map<string, Uint8Array>([[channel.self, own]]);
  for (const [peer, theirs] of received) {
    if (theirs.length !== message.length || !equalBytes(theirs.subarray(0, 32), hash)) {
      throw new Abort('EQUIVOCATION', `${peer} sees another transcript of this step than we do`, {
        party: peer,
        round,
        hint: 'Somebody told two parties two things: a hospital, the coordinator or the ledger. Nothing was opened.',
      });
    }
    const list = theirs.subarray(32);
    const place = peersOf(peer).indexOf(channel.self);
    if (!equalBytes(list.subarray(32 * place, 32 * place + 32), seedHash(seeds.get(peer)!))) {
      throw new Abort('SEED_MISMATCH', `${peer} holds another mask seed than we do`, { party: peer, round });
    }
    lists.set(peer, list);
  }
  return lists;
}

async function confirm(channel: Channel, step: number, agreement: Uint8Array): Promise<void> {
  const round = `confirm/${step}`;
  for (const [peer, theirs] of await exchange(channel, round, () => agreement)) {
    if (!equalBytes(theirs, agreement)) {
      throw new Abort('EQUIVOCATION', `${peer} was told other seed hashes than we were`, { party: peer, round });
    }
  }
}

interface AgreedParts {
  readonly channel: Channel;
  readonly transcript: Transcript;
  readonly agreement: Uint8Array;
  readonly seeds: ReadonlyMap<string, Uint8Array>;
  readonly lists: ReadonlyMap<string, Uint8Array>;
  readonly digests: readonly Uint8Array[];
  readonly cells: CellVector;
  readonly blinding: Uint8Array;
}

/** An input whose step all parties agreed on: its summed share may leave, sealed, once. */
export class AgreedInput {
  readonly transcript: Transcript;
  readonly agreement: Uint8Array;
  /** Digest of each party's seed hashes, in roster order; `agreement` hashes them. */
  readonly listDigests: readonly Uint8Array[];
  /** Hashes of this party's own seeds, in roster order of the peers. */
  readonly seedHashes: readonly Uint8Array[];
  readonly channel: Channel;
  readonly #seeds: ReadonlyMap<string, Uint8Array>;
  readonly #cells: CellVector;
  readonly #blinding: Uint8Array;
  #overflow: Uint8Array | undefined;

  constructor(parts: AgreedParts) {
    this.channel = parts.channel;
    this.transcript = parts.transcript;
    this.agreement = parts.agreement;
    this.listDigests = parts.digests;
    this.seedHashes = parts.channel.peers.map((peer) => seedHash(parts.seeds.get(peer)!));
    this.#seeds = parts.seeds;
    this.#cells = parts.cells;
    this.#blinding = parts.blinding;
  }

  get cells(): number {
    return this.#cells.length;
  }

  get modulus(): Modulus {
    return this.transcript.modulus;
  }

  /**
   * The summed share t_i, as canonical elements, `chunkCells` at a time; the buffer is reused.
   * Leaks nothing without the shares of all other parties; all n together reveal X = sum x_i.
   */
  shareChunks(chunkCells: number): Generator<Uint8Array> {
    return maskedChunks(this.#cells, this.#masks(), chunkCells, this.modulus);
  }

  /**
   * What the share leaves out of x_i + masks, taken as whole numbers: the multiple of 2^128 at each cell (docs/protocol.md §4).
   * Leaks at most a statistical distance of 2^-40 of the cells. Errors: `Refusal` where the cells are too large for that, `Misuse`
   * for shares mod l: these have none, and carries of masks that were not used would tell of the cells.
   */
  overflow(): Uint8Array {
    if (this.modulus === 'l') throw new Misuse('OUT_OF_ORDER', 'shares mod l have no overflow');
    return (this.#overflow ??= overflowOf(this.#cells, this.#masks()));
  }

  /** The share of the sum of blindings, masked like one more cell. 32 bytes. */
  blindingShare(): Uint8Array {
    let share = this.#blinding;
    for (const { seed, sign } of this.#masks()) {
      const mask = blindingMask(seed, this.#cells.length, this.modulus);
      share = sign === 1 ? addScalars(share, mask) : subtractScalars(share, mask);
    }
    return share;
  }

  /**
   * Commitment to the mask shared with a peer, Com(M_ij), for finding a cheat (docs/protocol.md §4). Either end
   * of the pair can compute it; it hides the mask.
   */
  maskCommitment(peer: string): Uint8Array {
    return commitMask(this.#seeds.get(peer)!, this.#cells.length, this.modulus);
  }

  /** The seed shared with a peer that accuses this party; that peer holds it already. */
  revealSeed(peer: string): Uint8Array {
    return this.#seeds.get(peer)!;
  }

  #masks(): Mask[] {
    return this.channel.peers.map((peer) => ({
      seed: this.#seeds.get(peer)!,
      sign: maskSign(this.channel.self, peer),
    }));
  }

  [inspect.custom](): string {
    return `AgreedInput(${this.#cells.length} cells, redacted)`;
  }
}

/** The lower party of a pair adds the mask, the upper subtracts it. */
export const maskSign = (self: string, peer: string): 1 | -1 => (self < peer ? 1 : -1);

/** Com(PRG(seed)) over `cells` cells, blinded by a scalar of the seed that no cell takes. 32 bytes. */
export function commitMask(seed: Uint8Array, cells: number, modulus: Modulus): Uint8Array {
  const bytes = new Uint8Array(elementBytes(modulus) * cells);
  let at = 0;
  for (const chunk of maskedChunks(CellVector.zeros(cells), [{ seed, sign: 1 }], 4096, modulus)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const scalars = modulus === 'l' ? ScalarVector.fromBytes(bytes) : scalarsOf(bytes);
  return commitScalars(scalars, blindingMask(seed, cells, modulus));
}
