import { setImmediate } from 'node:timers/promises';
import {
  makeStatement,
  signedBlameStatement,
  verifyStatement,
  type SignedBlameStatement,
} from '../mpc/sum/blame-statement.ts';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { suspensionIn } from '../ledger/standing.ts';
import { canonicalBytes, decodeDocument } from '../protocol/canonical.ts';
import { Fault, Refusal } from '../protocol/errors.ts';
import type { PullRequest } from '../protocol/frame.ts';
import type { Identity } from '../protocol/identity.ts';
import { CHUNK_LIMIT } from '../mpc/sum/stream.ts';
import { transcriptHash } from '../protocol/session.ts';
import type { Outbox } from './outbox.ts';
import { activeKeys, type OpenedStep } from './session/session.ts';

export interface AnswerParts {
  readonly ledger: Ledger;
  readonly member: Member;
  readonly outbox: Outbox;
  /** Resolves once a step that is under way here has opened, or will not for now. */
  readonly untilOpened: (session: string, step: number) => Promise<void>;
  /** What this process still holds of a step that it opened. */
  readonly opened: (session: string, step: number) => OpenedStep | undefined;
}

/**
 * What the researcher of a query may fetch here: the sealed share, which the hospital itself cannot open; and, once the
 * ledger says that verification failed, this hospital's part in finding the cheat (docs/protocol.md §4).
 */
export async function* answerPull(parts: AnswerParts, request: PullRequest): AsyncGenerator<Uint8Array> {
  requireStanding(parts.ledger, request.session);
  if (request.kind === 'share') {
    if (!parts.outbox.has(request.session, request.step)) await parts.untilOpened(request.session, request.step);
    if (!parts.outbox.has(request.session, request.step)) {
      throw new Refusal('STALE', 'this share has not been opened here');
    }
    requireStanding(parts.ledger, request.session);
    yield* parts.outbox.read(request.session, request.step);
    return;
  }
  const session = parts.ledger.session(request.session);
  const kept = parts.opened(request.session, request.step);
  if (kept === undefined) {
    throw new Fault('PEER_GONE', 'this hospital no longer holds the session: it was restarted', {
      party: parts.member.organisation,
    });
  }
  // A step with a receipt was verified: of one query at most one step, its last, is told about.
  if (session?.abort?.reason !== 'VERIFICATION_FAILED' || session.receipts[request.step] !== undefined) {
    throw new Refusal('STALE', 'the ledger does not say that the verification of this step failed');
  }
  if (request.kind === 'overflow') {
    if (kept.input.modulus === 'l') throw new Refusal('UNKNOWN', 'shares mod l have no overflow');
    const overflow = kept.input.overflow();
    for (let at = 0; at < overflow.length; at += CHUNK_LIMIT) yield overflow.subarray(at, at + CHUNK_LIMIT);
    return;
  }
  const own = await statementOf(kept, parts.member.identity);
  requireStanding(parts.ledger, request.session);
  if (request.kind === 'statement') yield canonicalBytes(own);
  else yield revealSeed(parts.ledger, kept, request, own.statement.masks);
}

/** Statements cost a commitment for each peer, and are asked for more than once. */
const statements = new WeakMap<OpenedStep, Promise<SignedBlameStatement>>();

function statementOf(kept: OpenedStep, identity: Identity): Promise<SignedBlameStatement> {
  const made = statements.get(kept) ?? newStatement(kept, identity);
  statements.set(kept, made);
  return made;
}

/** With many cells and peers a minute's work: between peers the node sees to everything else. */
async function newStatement({ input, transcript }: OpenedStep, identity: Identity): Promise<SignedBlameStatement> {
  const masks: Uint8Array[] = [];
  for (const peer of input.channel.peers) {
    masks.push(input.maskCommitment(peer));
    await setImmediate();
  }
  return makeStatement(input, masks, transcriptHash(transcript), identity);
}

/** While the query or its researcher is suspended nothing is handed out, whatever the coordinator passes on. */
function requireStanding(ledger: Ledger, session: string): void {
  const query = ledger.query(ledger.session(session)?.query ?? '');
  const suspended = query && suspensionIn(ledger, query);
  if (suspended !== undefined) throw suspended;
}

/** Reveals the seed of a pair only against the peer's signed statement that contradicts ours: one of us lies. */
function revealSeed(
  ledger: Ledger,
  kept: OpenedStep,
  request: Extract<PullRequest, { kind: 'seed' }>,
  masks: readonly string[],
): Uint8Array {
  const { peers, self } = kept.input.channel;
  const signed = decodeDocument(signedBlameStatement, Buffer.from(request.contradiction, 'base64'), {
    what: 'statement',
  });
  const { statement } = signed;
  const peersOfPeer = kept.transcript.roster.filter((party) => party !== request.peer);
  const theirs = statement.masks[peersOfPeer.indexOf(self)];
  const contradicts =
    peers.includes(request.peer) &&
    statement.party === request.peer &&
    statement.session === request.session &&
    statement.step === request.step &&
    verifyStatement(signed, activeKeys(ledger, request.peer)) &&
    theirs !== undefined &&
    theirs !== masks[peers.indexOf(request.peer)];
  if (!contradicts) {
    throw new Refusal(
      'NOT_AUTHORIZED',
      'a seed is revealed only against a signed statement of its other holder that contradicts ours',
    );
  }
  return kept.input.revealSeed(request.peer);
}
