import { randomBytes } from 'node:crypto';
import {
  computesOnShares,
  decode,
  normalizeQuery,
  planQuery,
  shareModulus,
  valueNames,
  type Plan,
} from '../analytics/index.ts';
import { effectiveEpoch } from '../ledger/consent.ts';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { verifyCommittee } from '../mpc/committee/committee.ts';
import { combineShares, verifyOpening, type Opening, type VerifiedCells } from '../mpc/sum/opening.ts';
import { fromHex, toHex } from '../protocol/bytes.ts';
import { ExchangeKey } from '../protocol/envelope.ts';
import { Abort, Fault, Refusal } from '../protocol/errors.ts';
import { anchorOf, deriveQueryId, type ActionOf } from '../protocol/ledger.ts';
import type { QueryRecord, SessionRecord } from '../protocol/records.ts';
import type { QueryInput } from '../protocol/query.ts';
import { consentRuleOf } from '../protocol/schema.ts';
import type { AnswerKeys } from './answers.ts';
import { findCheat } from './blame.ts';
import type { CoordinatorClient } from './coordinator.ts';
import type { AnswerTable } from './result/csv.ts';
import { refuseEnded, SessionEnded, sessionEnd, tooLate } from './endings.ts';
import { ProgressReader, type Progress } from './progress.ts';
import { makeResult, openingToStep, type ReceiptDocument, type ResultDocument } from './result/documents.ts';
import { fetchShares, type FetchedShares, type ShareRequest } from './shares.ts';

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
   * Errors: `Refusal UNKNOWN`, `Misuse BAD_KEY` before anything is waited for; `Refusal NOT_APPROVED`, `Abort` with the party
   * to blame where known, `Fault DEADLINE`. `evidence` receives what convicts a cheat.
   */
  async answer(
    id: string,
    watch: { signal?: AbortSignal; progress?: (event: Progress) => void; evidence?: (document: object) => void } = {},
  ): Promise<Answer> {
    const signal = watch.signal ?? AbortSignal.timeout(24 * 3_600_000);
    const { ledger, answerKeys } = this.#options;
    if (ledger.query(id) === undefined) await ledger.refresh();
    this.#record(id);
    answerKeys.load(id);
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
    const record = this.#record(id);
    const events: Progress[] = [];
    new ProgressReader(this.#options.ledger, id, (event) => events.push(event)).read(record);
    return { status: record.status, events };
  }

  #record(id: string): QueryRecord {
    const record = this.#options.ledger.query(id);
    if (record !== undefined) return record;
    throw new Refusal('UNKNOWN', 'the ledger holds no query with this id', {
      hint: 'Give the whole id that submit printed.',
    });
  }

  async #untilCommitted(id: string, seen: ProgressReader, signal: AbortSignal): Promise<SessionRecord> {
    const { ledger } = this.#options;
    for await (const entry of ledger.entries(ledger.head().size - 1, signal)) {
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
      modulus: shareModulus(plan),
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
      const found = await findCheat(ledger, coordinator, request, session, shares);
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
