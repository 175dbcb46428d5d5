import type { Ledger } from '../ledger/ledger.ts';
import { ShareSum } from '../mpc/share-sum.ts';
import { signedBlameStatement, type SignedBlameStatement } from '../mpc/sum/blame-statement.ts';
import { judge, type BlameCase, type SuspectShare, type Verdict } from '../mpc/sum/blame.ts';
import { evidenceOf } from '../mpc/sum/evidence.ts';
import type { ReceivedShare } from '../mpc/sum/share-opener.ts';
import { equalBytes, fromHex, toHex } from '../protocol/bytes.ts';
import { canonicalText, decodeCanonical, hashDocument } from '../protocol/canonical.ts';
import { Abort } from '../protocol/errors.ts';
import { LABEL } from '../protocol/labels.ts';
import type { SessionRecord } from '../protocol/ledger.ts';
import type { CoordinatorClient } from './coordinator.ts';
import { fetchShare, type ShareRequest } from './shares.ts';

/** Most bytes of one hospital's statement. */
const STATEMENT_LIMIT = 400_000;

const NO_OVERFLOW = new Uint8Array();

export interface BlameFound {
  readonly error: Abort;
  /** Evidence that anyone can judge again; its digest is on the ledger. */
  readonly evidence: object | undefined;
}

/**
 * After an opening failed its verification: records that on the ledger, asks every hospital for its part, judges, and
 * records whom the evidence names. No input is revealed (docs/protocol.md §4).
 */
export async function findCheat(
  ledger: Ledger,
  coordinator: CoordinatorClient,
  request: ShareRequest,
  session: SessionRecord,
  shares: readonly ReceivedShare[],
): Promise<BlameFound> {
  const { member, step } = request;
  await ledger.submit(member, {
    type: 'abortSession',
    session: session.id,
    reason: 'VERIFICATION_FAILED',
    round: `open/${step}`,
  });
  const suspects = new Map<string, SuspectShare>();
  for (const share of shares) {
    const again = await keepShare(coordinator, request, share);
    if (again.signedTwo) return twoShares(ledger, request, share, again.received);
    suspects.set(share.party, again.suspect);
  }

  const statements = new Map<string, SignedBlameStatement>();
  for (const party of session.roster) {
    const told = await askStatement(coordinator, request, party);
    if (told === undefined) continue;
    statements.set(party, told.statement);
    suspects.set(party, { ...suspects.get(party)!, overflow: told.overflow });
  }
  const seeds = new Map<string, Uint8Array>();
  const blameCase: BlameCase = {
    session: session.id,
    step,
    cells: request.cells,
    modulus: request.modulus,
    roster: session.roster,
    agreement: fromHex(shares[0]!.header.agreement, 32),
    outcome: shares[0]!.outcome,
    commitments: session.roster.map((party) => fromHex(session.commitments[step]![party]!, 32)),
    identityKeys: request.activeKeys,
    shares: suspects,
    statements,
    seeds,
  };
  let verdict = judge(blameCase);
  if (verdict.kind === 'dispute') {
    await askSeeds(coordinator, request, statements, verdict.pair, seeds);
    verdict = judge(blameCase);
  }
  return record(ledger, request, blameCase, verdict);
}

async function record(ledger: Ledger, request: ShareRequest, of: BlameCase, verdict: Verdict): Promise<BlameFound> {
  if (verdict.kind !== 'cheat') {
    const parties = verdict.kind === 'dispute' ? verdict.pair.join(' and ') : 'no hospital';
    return { error: failed(`${parties} could be shown to be the cause`), evidence: undefined };
  }
  const evidence = evidenceOf(of, verdict);
  const refused = verdict.check === 'STATEMENT_MISSING';
  await recordBlame(ledger, request, verdict.party, refused ? 'BLAME_REFUSED' : 'VERIFICATION_FAILED', evidence.digest);
  const why = refused
    ? `${verdict.party} would not help to find the cause`
    : `the evidence names ${verdict.party} (${verdict.check})`;
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
async function keepShare(
  coordinator: CoordinatorClient,
  request: ShareRequest,
  share: ReceivedShare,
): Promise<{ suspect: SuspectShare; received: ReceivedShare; signedTwo: boolean }> {
  const parts: Uint8Array[] = [];
  const again = await fetchShare(
    coordinator,
    request,
    share.party,
    new ShareSum(request.cells, request.modulus),
    (plain) => parts.push(Uint8Array.from(plain)),
  );
  const suspect = {
    party: share.party,
    publicKey: again.header.hello.publicKey,
    elements: Buffer.concat(parts),
    overflow: NO_OVERFLOW,
    blinding: again.blinding,
    signature: again.signature,
  };
  return { suspect, received: again, signedTwo: !equalBytes(again.digest, share.digest) };
}

/** One party signed two different shares of one step: its two signatures are the proof. */
async function twoShares(
  ledger: Ledger,
  request: ShareRequest,
  first: ReceivedShare,
  second: ReceivedShare,
): Promise<BlameFound> {
  const evidence = {
    format: 'healthchain-two-shares/1',
    session: request.session,
    step: request.step,
    blamed: first.party,
    shares: [first, second].map((share) => ({
      agreement: share.header.agreement,
      outcome: share.header.outcome?.digest ?? null,
      cells: share.header.cells,
      modulus: share.header.modulus,
      digest: toHex(share.digest),
      publicKey: share.header.hello.publicKey,
      signature: toHex(share.signature),
    })),
  };
  await recordBlame(
    ledger,
    request,
    first.party,
    'VERIFICATION_FAILED',
    toHex(hashDocument(LABEL.blameEvidence, evidence)),
  );
  return { error: failed(`${first.party} signed two different shares`, first.party), evidence };
}

/** A hospital's statement, and the overflow that it is about where shares are integers; undefined unless all of it comes. */
async function askStatement(
  coordinator: CoordinatorClient,
  request: ShareRequest,
  party: string,
): Promise<{ statement: SignedBlameStatement; overflow: Uint8Array } | undefined> {
  const { member, session, step, modulus, signal } = request;
  try {
    const bytes = await coordinator.pull(member, { kind: 'statement', session, step }, party, signal);
    const statement = decodeCanonical(signedBlameStatement, bytes, { what: 'statement', limit: STATEMENT_LIMIT });
    if (modulus === 'l') return { statement, overflow: NO_OVERFLOW };
    return { statement, overflow: await coordinator.pull(member, { kind: 'overflow', session, step }, party, signal) };
  } catch {
    return undefined;
  }
}

async function askSeeds(
  coordinator: CoordinatorClient,
  request: ShareRequest,
  statements: ReadonlyMap<string, SignedBlameStatement>,
  [one, other]: readonly [string, string],
  seeds: Map<string, Uint8Array>,
): Promise<void> {
  for (const [party, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    const contradiction = Buffer.from(canonicalText(statements.get(peer))).toString('base64');
    const { session, step, member, signal } = request;
    const seed = await coordinator
      .pull(member, { kind: 'seed', session, step, peer, contradiction }, party, signal)
      .catch(() => undefined);
    if (seed?.length === 32) seeds.set(`${party}/${peer}`, seed);
  }
}
