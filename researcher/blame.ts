import type { Ledger } from '../ledger/ledger.ts';
import { elementBytes } from '../mpc/masks.ts';
import { isProven, judge, type BlameCase, type SuspectShare, type Verdict } from '../mpc/sum/blame.ts';
import type { SignedBlameStatement } from '../mpc/sum/blame-statement.ts';
import { evidenceOf } from '../mpc/sum/evidence.ts';
import type { ReceivedShare } from '../mpc/sum/share-opener.ts';
import { CHUNK_LIMIT } from '../mpc/sum/stream.ts';
import { twoSharesOf } from '../mpc/sum/two-shares.ts';
import { equalBytes, fromHex, toHex } from '../protocol/bytes.ts';
import { hashDocument } from '../protocol/canonical.ts';
import { Abort, Refusal } from '../protocol/errors.ts';
import { LABEL } from '../protocol/labels.ts';
import type { SessionRecord } from '../protocol/records.ts';
import { askSeeds, askStatement, type Told } from './blame-answers.ts';
import type { CoordinatorClient } from './coordinator.ts';
import { fetchShare, type ShareRequest } from './shares.ts';

export interface BlameFound {
  readonly error: Abort;
  /** Evidence that anyone can judge again; its digest is on the ledger. */
  readonly evidence: object | undefined;
}

/** What is heard of one hospital; what it does not send in time is missing. */
interface Heard {
  readonly share: KeptShare | undefined;
  readonly told: Told | undefined;
}

interface KeptShare {
  readonly received: ReceivedShare;
  readonly elements: Uint8Array;
}

/**
 * After an opening failed its verification: records that on the ledger, asks all hospitals for their part, judges, and
 * records whom the evidence names. No input is revealed (docs/protocol.md §4).
 */
export async function findCheat(
  ledger: Ledger,
  coordinator: CoordinatorClient,
  before: ShareRequest,
  session: SessionRecord,
  shares: readonly ReceivedShare[],
): Promise<BlameFound> {
  // Blame has its own clock: the abort that it records must not end it.
  const request = { ...before, signal: AbortSignal.timeout(patience(before)) };
  const { member, step } = request;
  const abort = {
    type: 'abortSession',
    session: session.id,
    reason: 'VERIFICATION_FAILED',
    round: `open/${step}`,
  } as const;
  try {
    await ledger.submit(member, abort);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'ALREADY_DONE') throw error;
    return {
      error: failed('the session was aborted for another reason before, so that nobody is asked'),
      evidence: undefined,
    };
  }
  const answers = await Promise.all(
    shares.map(async (share): Promise<Heard> => {
      const again = await keepShare(coordinator, request, share.party).catch(() => undefined);
      return { share: again, told: await askStatement(coordinator, request, share.party) };
    }),
  );
  for (const [i, first] of shares.entries()) {
    const again = answers[i]!.share?.received;
    if (again !== undefined && signedAnother(first, again)) return twoShares(ledger, request, first, again);
  }
  const blameCase = caseOf(request, session, shares, answers);
  let verdict = judge(blameCase);
  if (verdict.kind === 'dispute') {
    const seeds = await askSeeds(coordinator, request, blameCase, verdict.pair);
    verdict = judge({ ...blameCase, seeds });
    return record(ledger, request, { ...blameCase, seeds }, verdict);
  }
  return record(ledger, request, blameCase, verdict);
}

/** Milliseconds for all hospitals to answer: a statement takes a hospital about 10 us for each peer and cell, on a busy machine many times that. */
const patience = ({ roster, cells }: ShareRequest): number => 120_000 + Math.ceil((roster.length * cells) / 10);

function caseOf(
  request: ShareRequest,
  session: SessionRecord,
  shares: readonly ReceivedShare[],
  answers: readonly Heard[],
): BlameCase {
  const { step, cells, modulus } = request;
  const suspects = new Map<string, SuspectShare>();
  const statements = new Map<string, SignedBlameStatement>();
  for (const [i, { party }] of shares.entries()) {
    const { share, told } = answers[i]!;
    if (told !== undefined) statements.set(party, told.statement);
    if (share === undefined) continue;
    const { header, blinding, signature } = share.received;
    const overflow = told?.overflow ?? new Uint8Array();
    const { publicKey } = header.hello;
    suspects.set(party, { party, publicKey, elements: share.elements, overflow, blinding, signature });
  }
  return {
    ...{ session: session.id, step, cells, modulus, roster: session.roster, shares: suspects, statements },
    agreement: fromHex(shares[0]!.header.agreement, 32),
    outcome: shares[0]!.outcome,
    commitments: session.roster.map((party) => fromHex(session.commitments[step]![party]!, 32)),
    identityKeys: request.activeKeys,
    seeds: new Map(),
  };
}

async function record(ledger: Ledger, request: ShareRequest, of: BlameCase, verdict: Verdict): Promise<BlameFound> {
  if (verdict.kind !== 'cheat') {
    const parties = verdict.kind === 'dispute' ? verdict.pair.join(' or ') : 'no hospital';
    return { error: failed(`${parties} could be shown to be the cause`), evidence: undefined };
  }
  const evidence = evidenceOf(of, verdict);
  const proven = isProven(verdict.check);
  await recordBlame(ledger, request, verdict.party, proven ? 'VERIFICATION_FAILED' : 'BLAME_REFUSED', evidence.digest);
  const why = proven
    ? `the evidence names ${verdict.party} (${verdict.check})`
    : `${verdict.party} would not help to find the cause, or its answers were kept back on their way (${verdict.check})`;
  return { error: failed(why, verdict.party), evidence: evidence.document };
}

async function recordBlame(
  ledger: Ledger,
  { member, session, step }: ShareRequest,
  blame: string,
  reason: 'VERIFICATION_FAILED' | 'BLAME_REFUSED',
  evidence: string,
): Promise<void> {
  await ledger.submit(member, { type: 'abortSession', session, reason, blame, round: `open/${step}`, evidence });
}

const failed = (why: string, party?: string): Abort =>
  new Abort('VERIFICATION_FAILED', `the opened cells do not match the commitments on the ledger; ${why}`, {
    round: 'open',
    hint: 'No result was shown. The ledger and the evidence file tell the consortium what happened.',
    ...(party === undefined ? {} : { party }),
  });

/** Fetches a share once more, to keep its elements: honest shares come again bit for bit. */
async function keepShare(coordinator: CoordinatorClient, request: ShareRequest, party: string): Promise<KeptShare> {
  const width = elementBytes(request.modulus);
  const elements = new Uint8Array(width * request.cells);
  const nowhere = { landing: new Uint8Array(CHUNK_LIMIT), add: () => undefined };
  const received = await fetchShare(coordinator, request, party, nowhere, (plain, first) =>
    elements.set(plain, width * first),
  );
  return { received, elements };
}

/** Two shares of one step under one party's signatures, of which an honest party makes one. */
const signedAnother = (first: ReceivedShare, second: ReceivedShare): boolean =>
  !equalBytes(first.digest, second.digest) ||
  first.header.agreement !== second.header.agreement ||
  first.header.outcome?.digest !== second.header.outcome?.digest;

/** One party signed two different shares of one step: its two signatures are the proof. */
async function twoShares(
  ledger: Ledger,
  request: ShareRequest,
  first: ReceivedShare,
  second: ReceivedShare,
): Promise<BlameFound> {
  const evidence = twoSharesOf(request, first, second);
  await recordBlame(
    ledger,
    request,
    first.party,
    'VERIFICATION_FAILED',
    toHex(hashDocument(LABEL.blameEvidence, evidence)),
  );
  return { error: failed(`${first.party} signed two different shares`, first.party), evidence };
}
