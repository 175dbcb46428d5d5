import { randomBytes } from 'node:crypto';
import { computesOnShares, decode, normalizeQuery, planQuery, valueNames, type Plan } from '../analytics/index.ts';
import { effectiveEpoch } from '../ledger/consent.ts';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { verifyCommittee } from '../mpc/committee/committee.ts';
import { combineShares, verifyOpening, type Opening, type VerifiedCells } from '../mpc/sum/opening.ts';
import { fromHex, toHex } from '../protocol/bytes.ts';
import { ExchangeKey } from '../protocol/envelope.ts';
import { Abort, errorFromRecord, Fault, Refusal, type ErrorRecord } from '../protocol/errors.ts';
import {
  anchorOf,
  deriveQueryId,
  type AbortReason,
  type ActionOf,
  type CloseReason,
  type QueryRecord,
  type SessionRecord,
} from '../protocol/ledger.ts';
import type { QueryInput } from '../protocol/query.ts';
import { consentRuleOf } from '../protocol/schema.ts';
import type { AnswerKeys } from './answers.ts';
import { findCheat } from './blame.ts';
import type { CoordinatorClient } from './coordinator.ts';
import type { AnswerTable } from './result/csv.ts';
import { makeResult, openingToStep, type ReceiptDocument, type ResultDocument } from './result/documents.ts';
import { fetchShares, type FetchedShares, type ShareRequest } from './shares.ts';

/** What a person waiting for an answer wants to know. */
export type Progress =
  | { readonly stage: 'submitted'; readonly query: string; readonly hospitals: readonly string[] }
  | { readonly stage: 'approved' | 'denied'; readonly hospital: string; readonly reason?: string }
  | {
      readonly stage: 'session';
      readonly session: string;
      readonly attempt: number;
      readonly hospitals: readonly string[];
    }
  | { readonly stage: 'committed' | 'share'; readonly hospital: string }
  | { readonly stage: 'aborted'; readonly reason: string; readonly blame?: string }
  | { readonly stage: 'verified'; readonly cells: number; readonly opened: number };

/** A verified answer, with what proves it. */
export interface Answer extends AnswerTable {
  readonly query: QueryRecord;
  readonly result: ResultDocument;
  readonly receipt: ReceiptDocument;
}

export interface ResearcherOptions {
  readonly ledger: Ledger;
  /** Where patients' statements are, when not on the ledger of queries. */
  readonly publicLedger?: Ledger | undefined;
  readonly coordinator: CoordinatorClient;
  readonly member: Member;
  readonly answerKeys: AnswerKeys;
}

/** The researcher's side: submit a query, wait for its answer, combine, verify, decode. */
export class Researcher {
  readonly #options: ResearcherOptions;

  constructor(options: ResearcherOptions) {
    this.#options = options;
  }

  /**
   * Submits a query to the ledger; all registered hospitals are asked unless some are named. Where the dataset asks for
   * patients' consent, the query names the epoch in effect on the ledger of their statements, or the one given. Returns its id.
   * Errors: `Misuse BAD_QUERY` before anything is recorded; the contract's `Refusal`.
   */
  async submit(
    input: QueryInput | object,
    asked: { hospitals?: readonly string[]; consentEpoch?: string | undefined } = {},
  ): Promise<string> {
    const { ledger, member, answerKeys } = this.#options;
    await ledger.refresh();
    const query = normalizeQuery(input, (reference) =>
      reference.includes('@') ? ledger.schema(reference) : ledger.schemas(reference).at(-1),
    );
    const all = ledger
      .organisations()
      .filter((each) => each.roles.includes('hospital') && each.suspended === undefined);
    const hospitals = [...(asked.hospitals ?? all.map((each) => each.id))].sort();
    const consentEpoch = asked.consentEpoch ?? (await this.#consentEpoch(query.dataset));
    const answerKey = ExchangeKey.generate();
    const action: ActionOf<'submitQuery'> = {
      type: 'submitQuery',
      query,
      answerKey: answerKey.publicKey,
      hospitals,
      steps: 1,
      nonce: toHex(randomBytes(32)),
      ...(consentEpoch === undefined ? {} : { consentEpoch }),
    };
    const id = deriveQueryId(ledger.consortium, member.organisation, action);
    answerKeys.store(id, answerKey);
    await ledger.submit(member, action);
    return id;
  }

  /** The epoch of consent that a query on this dataset uses now; none where the dataset asks for no consent. */
  async #consentEpoch(reference: string): Promise<string | undefined> {
    const { ledger, publicLedger } = this.#options;
    const schema = ledger.schema(reference)!;
    const { basis } = consentRuleOf(schema);
    if (basis === 'none') return undefined;
    await publicLedger?.refresh();
    const epoch = effectiveEpoch((publicLedger ?? ledger).consentEpochs(), schema);
    if (epoch !== undefined) return epoch;
    throw new Refusal('POLICY', `${reference} is ${basis}, and no epoch of consent is open yet`, {
      hint: 'An auditor or an admin opens one. A consortium with a public ledger has them there: name it as publicLedger.',
    });
  }

  /**
   * Waits for a query's answer, verifies it against the commitments on the ledger, records the receipt and decodes.
   * Errors: `Refusal NOT_APPROVED`, `Abort` with the party to blame where known, `Fault DEADLINE`. `evidence` receives
   * what convicts a cheat.
   */
  async answer(
    id: string,
    watch: { signal?: AbortSignal; progress?: (event: Progress) => void; evidence?: (document: object) => void } = {},
  ): Promise<Answer> {
    const signal = watch.signal ?? AbortSignal.timeout(24 * 3_600_000);
    const seen = new ProgressReader(this.#options.ledger, id, watch.progress ?? (() => undefined));
    for (;;) {
      const session = await this.#untilCommitted(id, seen, signal);
      try {
        return await this.#open(id, session, signal, watch);
      } catch (error) {
        if (signal.aborted && error === signal.reason) throw tooLate();
        // The attempt ended before it opened, and another may follow; anything else is final.
        const now = this.#options.ledger.session(session.id);
        if (!(error instanceof SessionEnded) || now?.status !== 'aborted') throw error;
      }
    }
  }

  /** What the ledger says of a query now. Errors: `Refusal UNKNOWN`. */
  status(id: string): { status: QueryRecord['status']; events: readonly Progress[] } {
    const record = this.#options.ledger.query(id);
    if (record === undefined)
      throw new Refusal('UNKNOWN', 'the ledger holds no query with this id', {
        hint: 'Give the whole id that submit printed.',
      });
    const events: Progress[] = [];
    new ProgressReader(this.#options.ledger, id, (event) => events.push(event)).read(record);
    return { status: record.status, events };
  }

  async #untilCommitted(id: string, seen: ProgressReader, signal: AbortSignal): Promise<SessionRecord> {
    const { ledger } = this.#options;
    const stop = new AbortController();
    for await (const entry of ledger.entries(0, AbortSignal.any([signal, stop.signal]))) {
      if (entry.index + 1 < ledger.head().size) continue;
      const record = ledger.query(id);
      if (record === undefined) continue;
      seen.read(record);
      refuseEnded(ledger, record);
      const session = ledger.session(record.sessions.at(-1) ?? '');
      if (session === undefined || session.status === 'aborted') continue;
      if (session.roster.every((party) => session.commitments[0]?.[party] !== undefined)) return session;
    }
    throw signal.aborted ? tooLate() : new Fault('LEDGER_DOWN', 'the ledger stopped sending entries');
  }

  async #open(
    id: string,
    session: SessionRecord,
    signal: AbortSignal,
    watch: { progress?: (event: Progress) => void; evidence?: (document: object) => void },
  ): Promise<Answer> {
    const { ledger, coordinator, member, answerKeys } = this.#options;
    const record = ledger.query(id)!;
    const plan = planQuery(record.query, ledger.schema(record.query.dataset)!);
    const ended = sessionEnd(ledger, session.id, signal);
    const request: ShareRequest = {
      session: session.id,
      step: 0,
      cells: plan.cells,
      roster: session.roster,
      activeKeys: (party) =>
        (ledger.organisation(party)?.keys ?? []).filter((key) => key.status === 'active').map((key) => key.publicKey),
      answerKey: answerKeys.load(id),
      member,
      signal: ended.signal,
      arrived: (hospital) => watch.progress?.({ stage: 'share', hospital }),
    };
    try {
      const fetched = await fetchShares(coordinator, request);
      const { opening, verified } = await this.#verify(request, session, plan, fetched, watch.evidence);
      const digest = opening.digest(session.id, 0);
      await this.#recordReceipt(session.id, digest);
      watch.progress?.({ stage: 'verified', cells: verified.length, opened: verified.opened });
      const head = ledger.head();
      const receipt: ReceiptDocument = {
        format: 'healthchain-receipt/1',
        ledger: { consortium: ledger.consortium, ...anchorOf(head), size: head.size, root: head.root },
        query: id,
        session: session.id,
        hospitals: [...session.roster],
        steps: [openingToStep(opening, digest, fetched.shares)],
      };
      const groups = decode(
        plan,
        (index) => verified.at(index),
        (index) => verified.has(index),
        opening.outcome?.answers,
      );
      const result = makeResult(groups, receipt);
      return { query: ledger.query(id)!, names: valueNames(plan), groups, result, receipt };
    } finally {
      ended.stop();
    }
  }

  /** Combines and checks against the ledger; what does not hold starts the search for the cheat. */
  async #verify(
    request: ShareRequest,
    session: SessionRecord,
    plan: Plan,
    { sum, shares }: FetchedShares,
    evidence?: (document: object) => void,
  ): Promise<{ opening: Opening; verified: VerifiedCells }> {
    const { ledger, coordinator } = this.#options;
    try {
      const opening = combineShares(sum, shares);
      const commitments = session.roster.map((party) => fromHex(session.commitments[0]![party]!, 32));
      requireDecision(plan, opening);
      if (opening.outcome !== undefined) verifyCommittee(opening.outcome, session.id, session.roster);
      return { opening, verified: verifyOpening(opening, commitments) };
    } catch (error) {
      if (!(error instanceof Abort) || error.code !== 'VERIFICATION_FAILED') throw error;
      // Blame has its own clock: the abort that it records must not end it.
      const found = await findCheat(
        ledger,
        coordinator,
        { ...request, signal: AbortSignal.timeout(120_000) },
        session,
        shares,
      );
      if (found.evidence !== undefined) evidence?.(found.evidence);
      throw found.error;
    }
  }

  async #recordReceipt(session: string, result: string): Promise<void> {
    const { ledger, member } = this.#options;
    const before = ledger.session(session)?.receipts[0];
    if (before === undefined)
      await ledger.submit(member, { type: 'recordReceipt', session, step: 0, result, final: true });
    else if (before !== result)
      throw new Abort('VERIFICATION_FAILED', 'this opening differs from the one whose receipt is on the ledger');
  }
}

/** The hospitals computed on shares exactly where the query asks for it. */
function requireDecision(plan: Plan, { outcome }: Opening): void {
  if (computesOnShares(plan) === (outcome !== undefined)) return;
  throw new Abort('EQUIVOCATION', 'the hospitals opened cells without the decision that the query asks for', {
    round: 'open',
    hint: 'No result was shown. The hospitals run another protocol than this researcher.',
  });
}

/** Of the reasons on the ledger, those where nobody cheated are faults. */
function endedBy(reason: AbortReason): Pick<ErrorRecord, 'kind' | 'code' | 'hint'> {
  if (reason === 'DROP_OUT') return { kind: 'Fault', code: 'PEER_GONE', hint: 'Submit it anew when they are back.' };
  if (reason === 'DATA')
    return {
      kind: 'Fault',
      code: 'DATA',
      hint: 'That hospital’s log tells file, row and rule; submit the query anew.',
    };
  return { kind: reason === 'DEADLINE' || reason === 'INTERNAL' ? 'Fault' : 'Abort', code: reason };
}

const tooLate = (): Fault =>
  new Fault('DEADLINE', 'the answer did not come in the time allowed', {
    hint: 'The query goes on; fetch its answer later with: healthchain query result.',
  });

/** The session ended on the ledger while its shares were fetched. */
class SessionEnded extends Error {}

function sessionEnd(ledger: Ledger, session: string, outer: AbortSignal): { signal: AbortSignal; stop: () => void } {
  const ended = new AbortController();
  const watching = new AbortController();
  const watch = async (): Promise<void> => {
    for await (const entry of ledger.entries(0, watching.signal)) {
      if (entry.index + 1 === ledger.head().size && ledger.session(session)?.status === 'aborted')
        ended.abort(new SessionEnded());
    }
  };
  watch().catch(() => undefined);
  return { signal: AbortSignal.any([outer, ended.signal]), stop: () => watching.abort() };
}

const CLOSED: Readonly<Record<CloseReason, string>> = {
  TOO_FEW_HOSPITALS: 'too few hospitals can take part',
  TOO_MANY_ATTEMPTS: 'too many sessions of it failed',
  ALREADY_OPENED: 'a session ended after hospitals had sent their shares, and a query opens once',
  WITHDRAWN: 'withdrawn',
};

function refuseEnded(ledger: Ledger, record: QueryRecord): void {
  if (record.status === 'denied') {
    const denials = record.decisions
      .filter((each) => each.decision === 'denied')
      .map((each) => `${each.hospital}: ${each.reason}`);
    throw new Refusal('NOT_APPROVED', `too few hospitals approve this query. ${denials.join('. ')}`, {
      hint: 'Talk to the hospitals, change the query, and submit it anew.',
    });
  }
  if (record.status !== 'failed') return;
  if (record.closed !== undefined)
    throw new Fault('PEER_GONE', `the query was closed by ${record.closed.by}: ${CLOSED[record.closed.reason]}`, {
      hint: 'Submit it anew when this is mended.',
    });
  const abort = ledger.session(record.sessions.at(-1) ?? '')?.abort;
  const blamed = abort?.blame === undefined ? '' : `; ${abort.by} names ${abort.blame}`;
  const reason = abort?.reason ?? 'DROP_OUT';
  const message = `the query failed: ${abort?.reason ?? 'no hospitals left'}${blamed}`;
  throw errorFromRecord({ ...endedBy(reason), message, ...(abort?.blame === undefined ? {} : { party: abort.blame }) });
}

/** Turns ledger records into progress events, each told once. */
class ProgressReader {
  readonly #ledger: Ledger;
  readonly #id: string;
  readonly #tell: (event: Progress) => void;
  readonly #told = new Set<string>();

  constructor(ledger: Ledger, id: string, tell: (event: Progress) => void) {
    this.#ledger = ledger;
    this.#id = id;
    this.#tell = tell;
  }

  read(record: QueryRecord): void {
    this.#once({ stage: 'submitted', query: this.#id, hospitals: record.hospitals });
    for (const each of record.decisions) {
      this.#once(
        each.decision === 'approved'
          ? { stage: 'approved', hospital: each.hospital }
          : { stage: 'denied', hospital: each.hospital, reason: each.reason },
      );
    }
    for (const id of record.sessions) {
      const session = this.#ledger.session(id)!;
      this.#once({ stage: 'session', session: id, attempt: session.attempt, hospitals: session.roster }, id);
      for (const hospital of Object.keys(session.commitments[0] ?? {}))
        this.#once({ stage: 'committed', hospital }, id);
      const { abort } = session;
      if (abort !== undefined)
        this.#once(
          { stage: 'aborted', reason: abort.reason, ...(abort.blame === undefined ? {} : { blame: abort.blame }) },
          id,
        );
    }
  }

  #once(event: Progress, scope = ''): void {
    const key = `${scope}/${JSON.stringify(event)}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#tell(event);
  }
}
