import { createHash } from 'node:crypto';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { Fault, Misuse } from '../../protocol/errors.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { outcomeDigest, type Outcome } from '../../protocol/outcome.ts';
import type { Modulus } from '../../protocol/session.ts';
import { KernelError } from '../kernels/errors.ts';
import { elementBytes } from '../masks.ts';
import { addCommitments, commitScalars, subtractCommitments } from '../pedersen.ts';
import { ScalarVector, SEED_BYTES } from '../scalars.ts';
import { overflowDigest, verifyStatement, type SignedBlameStatement } from './blame-statement.ts';
import { CellSet } from './cell-set.ts';
import { challengeOf, concealedCommitment } from './concealment.ts';
import { OVERFLOW_BYTES, scalarsOf } from './overflow.ts';
import { agreementHash, commitMask, isElement, maskSign, seedHash, seedListDigest } from './party.ts';
import { finishShareDigest, shareDigestBytes } from './share.ts';

/** A share as it arrived, kept because verification failed. */
export interface SuspectShare {
  readonly party: string;
  readonly publicKey: string;
  /** 16 or 32 bytes each. */
  readonly elements: Uint8Array;
  /** As its owner told it afterwards; empty where shares are mod l. */
  readonly overflow: Uint8Array;
  readonly blinding: Uint8Array;
  readonly signature: Uint8Array;
}

/** All that a judge needs, none of it secret from an honest party's point of view. */
export interface BlameCase {
  readonly session: string;
  readonly step: number;
  readonly cells: number;
  readonly modulus: Modulus;
  readonly roster: readonly string[];
  readonly agreement: Uint8Array;
  /** What all shares were signed with; undefined where no rule applied. */
  readonly outcome: Outcome | undefined;
  /** From the ledger, in roster order. */
  readonly commitments: readonly Uint8Array[];
  readonly identityKeys: (party: string) => readonly string[];
  readonly shares: ReadonlyMap<string, SuspectShare>;
  readonly statements: ReadonlyMap<string, SignedBlameStatement>;
  /** Seeds revealed for disputed pairs: key `revealer/peer`. */
  readonly seeds: ReadonlyMap<string, Uint8Array>;
}

export type Verdict =
  /** These two contradict each other: ask both for the seed of their pair and judge again. */
  | { readonly kind: 'dispute'; readonly pair: readonly [string, string] }
  | { readonly kind: 'cheat'; readonly party: string; readonly check: BlameCheck }
  /** Every statement and share holds: the caller's own sum or view of the ledger is wrong. */
  | { readonly kind: 'none' };

export type BlameCheck =
  | 'STATEMENT_MISSING' // did not answer, or not wholly
  | 'STATEMENT_FORGED' // not signed, or not of this session and agreement
  | 'SEED_HASHES_FORGED' // other seed hashes than agreed
  | 'SEED_FORGED' // reveals a seed that does not have the agreed hash, or none
  | 'MASK_FORGED' // Com(M_ij) is no element, or not of the agreed seed
  | 'SHARE_FORGED' // not the share that it signed
  | 'SHARE_WRONG'; // its share does not match its commitment and the masks that it states

/**
 * Checks that fail only where a party contradicts what it signed itself: whoever has the evidence sees it. The others rest on the word
 * of who asked, and on the relay: what did not come, or not as it was signed.
 */
export type ProvenCheck = Extract<BlameCheck, 'SEED_HASHES_FORGED' | 'MASK_FORGED' | 'SHARE_WRONG'>;
const PROVEN: ReadonlySet<BlameCheck> = new Set<ProvenCheck>(['SEED_HASHES_FORGED', 'MASK_FORGED', 'SHARE_WRONG']);
export const isProven = (check: BlameCheck): check is ProvenCheck => PROVEN.has(check);

/**
 * Finds the cheat after an opening failed its verification (docs/protocol.md §4). Pure, so that anyone with the evidence can repeat it.
 * The first in roster order that contradicts itself is named; if none does, whoever a revealed seed convicts; if none does, the
 * first that did not answer as it should: so nobody's silence hides another's lie.
 *
 * Each party i publishes Com(M_ij) for each peer j. Both ends of a pair can compute it, so a difference means that one
 * of the two lies; the seed of that pair, whose hash all parties agreed on before anything opened, tells which. With
 * the mask commitments settled, the share that i sent must satisfy Com(t_i) = C_i + sum_{j>i} Com(M_ij) - sum_{j<i}
 * Com(M_ij), and the first that does not is the cheat. A share mod 2^128 satisfies it with its overflow (`overflow.ts`),
 * which its owner tells. No input is revealed: the only secrets published are a dishonest party's own share, and the
 * seed of a pair in which one party lies and knows that seed already.
 */
export function judge(of: BlameCase): Verdict {
  const stated = of.roster.map((party) => judgeStatement(of, party));
  const answered = of.roster.filter((_, i) => stated[i] === undefined);
  const failed = of.roster.flatMap((party, i) => {
    const check = stated[i] ?? judgeShare(of, party);
    return check === undefined ? [] : [{ kind: 'cheat', party, check } as const];
  });
  return failed.find(({ check }) => isProven(check)) ?? judgePairs(of, answered) ?? failed[0] ?? { kind: 'none' };
}

export function judgeStatement(of: BlameCase, party: string): BlameCheck | undefined {
  const signed = of.statements.get(party);
  if (signed === undefined) return 'STATEMENT_MISSING';
  const { statement } = signed;
  const peers = of.roster.length - 1;
  const agreement = agreementHash(fromHex(statement.transcript, 32), statement.listDigests.map(decode));
  if (
    statement.session !== of.session ||
    statement.step !== of.step ||
    statement.party !== party ||
    statement.cells !== of.cells ||
    statement.listDigests.length !== of.roster.length ||
    statement.seedHashes.length !== peers ||
    statement.masks.length !== peers ||
    // This binds the modulus, which evidence could state as it likes.
    (statement.overflow === null) !== (of.modulus === 'l') ||
    !verifyStatement(signed, of.identityKeys(party)) ||
    !equalBytes(agreement, of.agreement)
  ) {
    return 'STATEMENT_FORGED';
  }
  const list = seedListDigest(Buffer.concat(statement.seedHashes.map(decode)));
  if (toHex(list) !== statement.listDigests[of.roster.indexOf(party)]) return 'SEED_HASHES_FORGED';
  // Two colluders could state the same nonsense of their pair, which judgePairs would let pass.
  return statement.masks.every((mask) => isElement(decode(mask))) ? undefined : 'MASK_FORGED';
}

function judgePairs(of: BlameCase, answered: readonly string[]): Verdict | undefined {
  for (const lower of answered) {
    for (const upper of answered) {
      if (lower >= upper) continue;
      const [one, other] = [claim(of, lower, upper), claim(of, upper, lower)];
      if (one.mask === other.mask) continue;
      const judged = judgeDispute(of, lower, upper);
      if (judged !== undefined) return judged;
    }
  }
  return undefined;
}

/** A revealed seed with the agreed hash settles what the mask is; who claimed another lies. */
function judgeDispute(of: BlameCase, lower: string, upper: string): Verdict | undefined {
  const reveals = [
    [lower, upper],
    [upper, lower],
  ] as const;
  const honest = reveals
    .map(([party, peer]) => ({ seed: of.seeds.get(`${party}/${peer}`), agreed: claim(of, party, peer).seedHash }))
    .find(({ seed, agreed }) => seed?.length === SEED_BYTES && toHex(seedHash(seed)) === agreed);
  if (honest?.seed === undefined) {
    const silent = reveals.filter(([party, peer]) => !of.seeds.has(`${party}/${peer}`));
    if (silent.length === 2) return { kind: 'dispute', pair: [lower, upper] };
    const forged = reveals.find(([party, peer]) => of.seeds.has(`${party}/${peer}`))!;
    return { kind: 'cheat', party: forged[0], check: 'SEED_FORGED' };
  }
  const mask = toHex(commitMask(honest.seed, of.cells, of.modulus));
  const liar = reveals.find(([party, peer]) => claim(of, party, peer).mask !== mask)!;
  return { kind: 'cheat', party: liar[0], check: 'MASK_FORGED' };
}

export function judgeShare(of: BlameCase, party: string): BlameCheck | undefined {
  const share = of.shares.get(party);
  if (share === undefined) return 'SHARE_FORGED';
  const hash = createHash('sha256').update(share.elements);
  const outcome = of.outcome === undefined ? null : outcomeDigest(of.outcome);
  const { session, step, cells, modulus } = of;
  const statement = { session, step, agreement: toHex(of.agreement), outcome, cells, modulus };
  const signed = shareDigestBytes(statement, finishShareDigest(hash, share.blinding));
  if (
    !of.identityKeys(party).includes(share.publicKey) ||
    !verifySignature(share.publicKey, LABEL.shareDigest, signed, share.signature)
  ) {
    return 'SHARE_FORGED';
  }
  // The overflow itself is not signed, its digest is.
  if (modulus !== 'l' && overflowDigest(share.overflow) !== of.statements.get(party)!.statement.overflow) {
    return 'STATEMENT_MISSING';
  }
  try {
    return matchesCommitment(of, party, share) ? undefined : 'SHARE_WRONG';
  } catch (cause) {
    // It signed elements or stated an overflow that are none, or committed to bytes that encode nothing.
    if (cause instanceof KernelError || cause instanceof Misuse) return 'SHARE_WRONG';
    // As for want of memory: that is the judge's own, and convicts nobody.
    throw new Fault('INTERNAL', `the share of ${party} could not be judged on this machine`, {
      hint: 'This says nothing of the hospital. Judge again on a machine with more memory.',
      cause,
    });
  }
}

/**
 * Com(t_i) = C_i + sum of the masks it adds - sum of those it subtracts; C_i + e A_i for C_i where cells are withheld, and t_i + 2^128 k_i
 * for t_i where it has an overflow k_i. An overflow of 2 bytes is too short to make a wrong share right: docs/protocol.md §4.
 */
function matchesCommitment(of: BlameCase, party: string, share: SuspectShare): boolean {
  if (share.elements.length !== elementBytes(of.modulus) * of.cells) return false;
  if (of.modulus !== 'l' && share.overflow.length !== OVERFLOW_BYTES * of.cells) return false;
  const peers = of.roster.filter((peer) => peer !== party);
  const masksOf = (sign: 1 | -1): Uint8Array[] =>
    peers.filter((peer) => maskSign(party, peer) === sign).map((peer) => decode(claim(of, party, peer).mask));
  const added = addCommitments([boundBy(of, party), ...masksOf(1)]);
  const owed = masksOf(-1).reduce((total, mask) => subtractCommitments(total, mask), added);
  const sent = commitScalars(sentScalars(of, share), share.blinding);
  return equalBytes(sent, owed);
}

const sentScalars = ({ modulus }: BlameCase, { elements, overflow }: SuspectShare): ScalarVector =>
  modulus === 'l' ? ScalarVector.fromBytes(elements) : scalarsOf(elements, overflow);

/** What a party's share, without its masks, must open. */
function boundBy({ outcome, roster, commitments, agreement, cells }: BlameCase, party: string): Uint8Array {
  const place = roster.indexOf(party);
  const commitment = commitments[place]!;
  if (outcome === undefined) return commitment;
  const released = CellSet.fromBase64(cells, outcome.released);
  if (released.full) return commitment;
  if (outcome.announcements.length !== roster.length)
    throw new Misuse('MALFORMED', 'not one announcement for each hospital');
  const announcements = outcome.announcements.map(decode);
  const challenge = challengeOf(agreement, released, announcements);
  return concealedCommitment(commitment, announcements[place]!, challenge);
}

/** What a party states about its pair with a peer. */
export function claim(of: BlameCase, party: string, peer: string): { mask: string; seedHash: string } {
  const { statement } = of.statements.get(party)!;
  const place = of.roster.filter((each) => each !== party).indexOf(peer);
  return { mask: statement.masks[place]!, seedHash: statement.seedHashes[place]! };
}

const decode = (hex: string): Uint8Array => fromHex(hex, 32);
