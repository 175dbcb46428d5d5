import type { Logger } from 'pino';
import type { Ledger, Member } from '../../ledger/ledger.ts';
import { suspensionIn } from '../../ledger/standing.ts';
import { computesOnShares, shareModulus, type Plan } from '../../analytics/index.ts';
import { CELL_BYTES, CellVector } from '../../mpc/cells.ts';
import type { Stock, StockDemand } from '../../mpc/boolean/stock.ts';
import { Seat } from '../../mpc/committee/seat.ts';
import type { Channel } from '../../mpc/session/channel.ts';
import { helloDigests, openChannel } from '../../mpc/session/handshake.ts';
import { CommittedInput, type AgreedInput } from '../../mpc/sum/party.ts';
import { sealShare } from '../../mpc/sum/share-sealer.ts';
import type { RandomSource } from '../../mpc/transport.ts';
import { toHex } from '../../protocol/bytes.ts';
import { Abort, Refusal } from '../../protocol/errors.ts';
import type { SessionStage } from '../../protocol/frame.ts';
import { deriveSessionId } from '../../protocol/ledger.ts';
import type { QueryRecord, SessionRecord } from '../../protocol/records.ts';
import type { Transcript } from '../../protocol/session.ts';
import type { Journal } from '../journal.ts';
import type { LocalFigures } from '../local-data.ts';
import type { Outbox } from '../outbox.ts';
import { Lease } from '../pool/lease.ts';
import { takeStock } from '../pool/taking.ts';
import { decideStep, type DecisionContext } from './decide.ts';
import type { SessionRelay } from './relay.ts';

/** What a session needs of the node it runs in. */
export interface SessionContext {
  readonly ledger: Ledger;
  readonly member: Member;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly random: RandomSource;
  readonly log: Logger;
  /** Resolves when the condition, asked again after every new ledger entry, holds; rejects when the session ends. */
  readonly untilLedger: <T>(condition: () => T | undefined) => Promise<T>;
  readonly report: (step: number, stage: SessionStage) => void;
  readonly plan: Plan;
  /** What a step needs of this hospital's own records. */
  readonly scan: (query: QueryRecord, step: number) => Promise<LocalFigures>;
  /** The epoch of consent that the cells follow, proved once more to be in effect; undefined where none is asked for. */
  readonly consentEpoch: () => string | undefined;
  /** Random authenticated material for deciding on shares. */
  readonly stock: (channel: Channel, demand: StockDemand) => Promise<Stock>;
  /** Digest of the plan that the cells follow: query and schema. */
  readonly planDigest: string;
}

/** What is kept of a step after its share was opened, for finding a cheat. */
export interface OpenedStep {
  readonly input: AgreedInput;
  readonly transcript: Transcript;
}

/**
 * Reads the session from this hospital's own view of the ledger and refuses what does not follow from it: the
 * coordinator is not believed. Errors: `Abort ROSTER_MISMATCH`, `Refusal NOT_APPROVED`, `Refusal ALREADY_OPENED`,
 * `Refusal SUSPENDED`.
 */
export function admitSession(
  context: Pick<SessionContext, 'ledger' | 'member' | 'journal'>,
  id: string,
): { session: SessionRecord; query: QueryRecord } {
  const self = context.member.organisation;
  const session = context.ledger.session(id);
  const query = session === undefined ? undefined : context.ledger.query(session.query);
  if (session === undefined || query === undefined) {
    throw new Refusal('UNKNOWN', 'this session is not on the ledger that this hospital reads');
  }
  if (deriveSessionId(session) !== id || !session.roster.includes(self)) {
    throw new Abort('ROSTER_MISMATCH', 'the session offered is not the one on the ledger', { round: 'join' });
  }
  if (!query.decisions.some((each) => each.hospital === self && each.decision === 'approved')) {
    throw new Refusal('NOT_APPROVED', 'this hospital has not approved the query of this session');
  }
  requireStanding(context.ledger, query.id, session.roster);
  const before = context.journal.openedIn(query.id);
  if (before !== undefined) {
    throw new Refusal(
      'ALREADY_OPENED',
      `this hospital sent its share of this query in session ${before.slice(0, 8)} already`,
      {
        hint: 'A query opens once: two answers over two rosters would differ by one hospital. Submit a new query.',
      },
    );
  }
  return { session, query };
}

/**
 * One hospital's part in one session, from join to the last opened step. Each step: scan, commit on the ledger, agree
 * with all others, record in the journal, then and only then decide what opens and seal the share for the researcher.
 */
export async function runSession(
  context: SessionContext,
  { session, query }: { session: SessionRecord; query: QueryRecord },
  relay: SessionRelay,
  opened: (step: number, kept: OpenedStep) => void,
): Promise<void> {
  const { ledger, member } = context;
  const size = sessionSize(ledger, session.id);
  const setting = {
    session: session.id,
    self: member.organisation,
    roster: session.roster,
    identityKeys: (party: string) => activeKeys(ledger, party),
    ledger: { size, root: ledger.rootAt(size) },
  };
  context.report(0, 'joined');
  const channel = await openChannel(setting, relay, member.identity, context.random);

  let seat: Promise<Seat> | undefined;
  // A committee is drawn anew for each session: nothing that is kept would serve another.
  const ofCommittee = new Lease(session.id, undefined);

  for (let step = 0; step < query.steps; step++) {
    context.report(step, 'scanning');
    const local = await context.scan(query, step);
    const cells = CellVector.fromBytes(local.cells.bytes.subarray(0, CELL_BYTES * context.plan.cells));
    context.log.info({ session: session.id, step }, 'scanned');
    const input = new CommittedInput(cells, context.random);
    const consentEpoch = context.consentEpoch();
    await ledger.submit(member, {
      type: 'recordCommitment',
      session: session.id,
      step,
      commitment: toHex(input.commitment),
      ...(consentEpoch === undefined ? {} : { consentEpoch }),
    });
    context.report(step, 'committed');
    const commitments = await context.untilLedger(() => allCommitments(ledger, session, step));

    const transcript: Transcript = {
      session: session.id,
      query: query.id,
      roster: session.roster,
      hellos: helloDigests(setting, channel.hellos),
      ledger: setting.ledger,
      step,
      plan: context.planDigest,
      cells: cells.length,
      modulus: shareModulus(context.plan),
      commitments,
      receipts: ledger.session(session.id)?.receipts.slice(0, step) ?? [],
    };
    const agreed = await input.agree(channel, transcript);

    const decision: DecisionContext = {
      random: context.random,
      seat: () => (seat ??= Seat.take(channel, context.random)),
      stock: (among, demand) =>
        among === channel ? context.stock(channel, demand) : takeStock(ofCommittee, among, context.random, demand),
      beforeOpening: () => {
        requireStanding(ledger, query.id, session.roster);
        if (context.journal.openedIn(query.id) === undefined) context.journal.recordOpened(query.id, session.id);
      },
    };
    // Frames go to and fro until the outcome is agreed on as well.
    if (computesOnShares(context.plan)) context.report(step, 'deciding');
    const decided = await decideStep(decision, agreed, context.plan, local);
    context.report(step, 'agreed');
    await context.outbox.store(session.id, step, sealShare(decided, member.identity, query.answerKey));
    opened(step, { input: agreed, transcript });
    context.report(step, 'opened');

    const status = await context.untilLedger(() => stepEnd(ledger, session.id, step));
    if (status === 'completed') return;
  }
}

/** Refuses with `SUSPENDED` what this hospital's ledger shows to be suspended by now: nothing more is opened for it. */
function requireStanding(ledger: Ledger, query: string, roster: readonly string[]): void {
  const record = ledger.query(query);
  const suspended = record && suspensionIn(ledger, record, roster);
  if (suspended !== undefined) throw suspended;
}

/** Entries on the ledger up to and with the one that opened the session: the same number at every hospital. */
function sessionSize(ledger: Ledger, session: string): number {
  const size = ledger.sessionOpenedAt(session);
  if (size === undefined) throw new Refusal('UNKNOWN', 'this session is not on the ledger that this hospital reads');
  return size + 1;
}

export function activeKeys(ledger: Ledger, organisation: string): readonly string[] {
  const keys = ledger.organisation(organisation)?.keys ?? [];
  return keys.filter((key) => key.status === 'active').map((key) => key.publicKey);
}

function allCommitments(ledger: Ledger, session: SessionRecord, step: number): string[] | undefined {
  const recorded = ledger.session(session.id)?.commitments[step] ?? {};
  const commitments = session.roster.map((party) => recorded[party]);
  return commitments.every((each) => each !== undefined) ? commitments : undefined;
}

function stepEnd(ledger: Ledger, id: string, step: number): 'completed' | 'continue' | undefined {
  const session = ledger.session(id);
  if (session?.status === 'completed') return 'completed';
  return session?.receipts[step] === undefined ? undefined : 'continue';
}
