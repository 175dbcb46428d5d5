import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { planQuery } from '../analytics/index.ts';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { suspensionIn } from '../ledger/standing.ts';
import { hashDocument } from '../protocol/canonical.ts';
import { toHex } from '../protocol/bytes.ts';
import { asHealthchainError, Fault, Refusal, type HealthchainError } from '../protocol/errors.ts';
import type { Frame, Notice, SessionStage } from '../protocol/frame.ts';
import { abortReason, type AbortReason, type QueryRecord, type SessionRecord } from '../protocol/ledger.ts';
import { LABEL } from '../protocol/labels.ts';
import { answerPull, type AnswerParts } from './answers.ts';
import { decideByPolicy, judge, siteOf, type Site } from './approvals.ts';
import { Connection } from './connection/connection.ts';
import { Streams } from './connection/streams.ts';
import { Journal } from './journal.ts';
import { LocalData } from './local-data.ts';
import { Outbox } from './outbox.ts';
import type { SitePolicy } from './policy.ts';
import { Pool, type RosterStatus } from './pool/pool.ts';
import { NO_PRECOMPUTE, type Precompute } from './precompute.ts';
import { Preparing } from './preparing.ts';
import { platformRandom } from './random.ts';
import { ScanAhead } from './scan-ahead.ts';
import { SessionRelay } from './session/relay.ts';
import { admitSession, runSession, type OpenedStep } from './session/session.ts';
import type { SourceConfig } from './source/index.ts';
import { Waiting } from './waiting.ts';

export interface HospitalOptions {
  readonly ledger: Ledger;
  /** Where patients' statements are, when not on the ledger of queries. */
  readonly publicLedger?: Ledger | undefined;
  readonly member: Member;
  readonly coordinatorUrl: string;
  readonly datasets: Readonly<Record<string, SourceConfig>>;
  readonly policy: SitePolicy | undefined;
  readonly stateFolder: string;
  readonly log: Logger;
  readonly proxy?: string | undefined;
  readonly caFile?: string | undefined;
  readonly sessionSeconds?: number;
  /** What is made ahead while there is nothing else to do; nothing unless it is given. */
  readonly precompute?: Precompute | undefined;
  /** Milliseconds between two looks for something to make ahead. */
  readonly precomputeInterval?: number | undefined;
  /** The ledger cannot be followed any further (forged, forked): the node must not go on. */
  readonly failed?: (error: unknown) => void;
}

/** Somebody was away, and nobody is at fault: the next attempt may be with the same hospitals. */
const AWAY: ReadonlySet<string> = new Set(['COORDINATOR_DOWN', 'LEDGER_DOWN', 'NETWORK', 'PEER_GONE']);
/** The data could not be read as configured. */
const UNREADABLE: ReadonlySet<string> = new Set(['BAD_FILE', 'BAD_CONFIG']);

function reasonOf({ code }: HealthchainError): AbortReason {
  if (AWAY.has(code)) return 'DROP_OUT';
  if (UNREADABLE.has(code)) return 'DATA';
  return abortReason.safeParse(code).data ?? 'INTERNAL';
}

const RETRY_MS = 10_000;
/** So long may the ledger's stream be behind the coordinator's word. */
const NEWS_MS = 1000;
/** So long a share that is not ready is waited for before the researcher is told to come again. */
const PULL_MS = 20_000;

interface LiveSession {
  readonly relay: SessionRelay;
  readonly roster: readonly string[];
  readonly end: AbortController;
  readonly opened: Map<number, OpenedStep>;
  lastStatus: Extract<Frame, { type: 'status' }> | undefined;
}

/**
 * A hospital's node: follows the ledger, decides on queries by its policy, takes part in sessions it approved, and
 * hands sealed shares to the researcher. One process beside one hospital's data.
 */
export class HospitalNode {
  readonly #options: HospitalOptions;
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #connection: Connection;
  readonly #streams: Streams;
  readonly #data: LocalData;
  readonly #ahead = new ScanAhead();
  readonly #site: Site;
  readonly #live = new Map<string, LiveSession>();
  readonly #seen = new Set<string>();
  /** Frames of sessions that the ledger has not shown yet: the relay may be faster than the ledger. */
  readonly #early = new Map<string, { from: number; payload: Uint8Array }[]>();
  readonly #pool: Pool;
  readonly #preparing: Preparing;
  /** Sessions in which this hospital has something to do, other than to wait for the researcher. */
  readonly #working = new Set<string>();
  readonly #waiting = new Waiting();
  readonly #stop = new AbortController();
  #following: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HospitalOptions) {
    this.#options = options;
    mkdirSync(options.stateFolder, { recursive: true, mode: 0o700 });
    this.#journal = new Journal(join(options.stateFolder, 'journal.jsonl'));
    this.#data = new LocalData(options.datasets);
    this.#site = siteOf({ ...options, hospital: options.member.organisation });
    this.#outbox = new Outbox(join(options.stateFolder, 'outbox'));
    this.#pool = Pool.open({ stateFolder: options.stateFolder, log: options.log, random: platformRandom });
    this.#connection = new Connection({
      url: options.coordinatorUrl,
      organisation: options.member.organisation,
      identity: options.member.identity,
      consortium: options.ledger.consortium,
      log: options.log,
      proxy: options.proxy,
      caFile: options.caFile,
    });
    this.#preparing = new Preparing({
      ...{ ledger: options.ledger, member: options.member, pool: this.#pool, log: options.log, random: platformRandom },
      precompute: options.precompute ?? NO_PRECOMPUTE,
      ...(options.precomputeInterval === undefined ? {} : { interval: options.precomputeInterval }),
      send: (frame) => this.#connection.send(frame),
      connected: () => this.connected,
      idle: () => this.#working.size === 0,
    });
    const answers: AnswerParts = {
      ledger: options.ledger,
      member: options.member,
      outbox: this.#outbox,
      untilOpened: (session, step) => this.#untilOpened(session, step),
      opened: (session, step) => this.#live.get(session)?.opened.get(step),
    };
    this.#streams = new Streams(
      (frame) => this.#connection.send(frame),
      (request) => answerPull(answers, request),
    );
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  /** What was made ahead and is not spent. */
  get stock(): readonly RosterStatus[] {
    return this.#pool.status;
  }

  start(): void {
    this.#connection.on('frame', (frame) => this.#receive(frame));
    this.#connection.on('open', () => this.#resendStatus());
    this.#connection.on('close', () => this.#lostConnection());
    this.#connection.start();
    this.#preparing.start();
    const failed = (error: unknown): void => {
      if (!this.#stop.signal.aborted) this.#options.failed?.(error);
    };
    this.#following = Promise.all([this.#follow().catch(failed), this.#followEpochs().catch(failed)]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop.abort(new Fault('PEER_GONE', 'this node is shutting down'));
    for (const session of this.#live.values()) session.end.abort(this.#stop.signal.reason);
    this.#connection.close();
    await this.#following?.catch(() => undefined);
    await this.#preparing.close();
    this.#ahead.close();
    this.#pool.close();
    await this.#data.close();
    this.#journal.close();
  }

  async #follow(): Promise<void> {
    const { ledger } = this.#options;
    for await (const entry of ledger.entries(0, this.#stop.signal)) {
      // While the history is read, only its end matters: react once the view is complete.
      if (entry.index + 1 < ledger.head().size) continue;
      this.#waiting.wake();
      await this.#reactOrRetry();
    }
  }

  /** A query may wait for an epoch of consent, which another ledger brings. */
  async #followEpochs(): Promise<void> {
    for await (const entry of this.#options.publicLedger?.entries(0, this.#stop.signal) ?? []) {
      if (entry.signed.action.type === 'openConsentEpoch') await this.#reactOrRetry();
    }
  }

  async #reactOrRetry(): Promise<void> {
    await this.#react().catch((error: unknown) => {
      const known = asHealthchainError(error, (cause) => new Fault('INTERNAL', 'cannot act on the ledger', { cause }));
      this.#options.log.error({ code: known.code }, known.message);
      // The next entry may be long in coming.
      setTimeout(() => void this.#react().catch(() => undefined), RETRY_MS).unref();
    });
  }

  async #react(): Promise<void> {
    const { ledger, member, log } = this.#options;
    for (const record of ledger.queries()) {
      const id = record.sessions.at(-1);
      const session = id === undefined ? undefined : ledger.session(id);
      if (session === undefined || !session.roster.includes(member.organisation)) continue;
      if (session.status === 'open' && !this.#seen.has(session.id)) void this.#run(session.id);
      if (session.status === 'open') this.#endSuspended(record, session);
      if (session.status === 'aborted') this.#endByLedger(session);
      if (session.status === 'completed') this.#endResumed(session.id);
    }
    await decideByPolicy(this.#site, member, log, (approved) => this.#scanAhead(approved));
  }

  /** Where patients' consent decides on the rows, the session alone scans: statements may arrive until it opens. */
  #scanAhead(query: QueryRecord): void {
    const schema = this.#options.ledger.schema(query.query.dataset);
    if (schema === undefined || this.#site.consent.require(query) !== undefined) return;
    this.#ahead.begin(query.id, async () => this.#data.scan(planQuery(query.query, schema), schema, undefined));
  }

  /** A session that this process did not run itself but resumed: its share was fetched. */
  #endResumed(id: string): void {
    if (this.#live.get(id)?.opened.size !== 0) return;
    this.#live.delete(id);
    this.#options.log.info({ session: id }, 'session completed');
  }

  /** What is suspended before its last share is out ends here; a share that is out is not handed over meanwhile. */
  #endSuspended(query: QueryRecord, session: SessionRecord): void {
    const live = this.#live.get(session.id);
    if (live === undefined || live.opened.size >= query.steps) return;
    const suspended = suspensionIn(this.#options.ledger, query, session.roster);
    if (suspended !== undefined) live.end.abort(suspended);
  }

  #endByLedger(session: SessionRecord): void {
    const reason = session.abort?.reason ?? 'INTERNAL';
    this.#live.get(session.id)?.end.abort(new Fault('PEER_GONE', `the session was ended on the ledger: ${reason}`));
  }

  async #run(id: string): Promise<void> {
    const { ledger, member, log } = this.#options;
    this.#seen.add(id);
    this.#working.add(id);
    const end = new AbortController();
    const deadline = setTimeout(
      () => end.abort(new Fault('DEADLINE', 'the session took too long')),
      1000 * (this.#options.sessionSeconds ?? 900),
    );
    try {
      if (this.#resume(id, end)) return;
      const { session, query } = admitSession({ ledger, member, journal: this.#journal }, id);
      const allowed = judge(this.#site, query);
      if (allowed.decision === 'deny' || allowed.decision === 'wait')
        throw new Refusal('POLICY', `this site no longer allows this query: ${allowed.reasons.join('; ')}`);
      const live = this.#open(session, end);
      await runSession(
        this.#context(session, query, live, end.signal),
        { session, query },
        live.relay,
        (step, kept) => {
          live.opened.set(step, kept);
          this.#pool.finish(id);
          this.#waiting.wake();
          // The last share is out: from here on it waits for the researcher, however long that takes.
          if (step + 1 < query.steps) return;
          clearTimeout(deadline);
          this.#working.delete(id);
        },
      );
      log.info({ session: id, query: query.id }, 'session completed');
      this.#live.delete(id);
    } catch (error) {
      this.#pool.fail(id);
      await this.#fail(
        id,
        asHealthchainError(error, (cause) => new Fault('INTERNAL', 'the session failed', { cause })),
      );
    } finally {
      clearTimeout(deadline);
      this.#working.delete(id);
      this.#early.delete(id);
      this.#waiting.wake();
    }
  }

  /**
   * True for a session whose last share this hospital had opened before it was restarted: nothing is left to do but to
   * say so and to hand that share out.
   */
  #resume(id: string, end: AbortController): boolean {
    const session = this.#options.ledger.session(id);
    const query = session === undefined ? undefined : this.#options.ledger.query(session.query);
    if (session === undefined || query === undefined || this.#journal.openedIn(query.id) !== id) return false;
    if (!this.#outbox.has(id, query.steps - 1)) return false;
    this.#report(id, this.#open(session, end), query.steps - 1, 'opened');
    return true;
  }

  #open(session: SessionRecord, end: AbortController): LiveSession {
    const transmit = (to: number, payload: Uint8Array): Promise<void> =>
      this.#connection.send({
        type: 'relay',
        session: session.id,
        from: session.roster.indexOf(this.#options.member.organisation),
        to,
        payload,
      });
    const live: LiveSession = {
      relay: new SessionRelay(session.roster, transmit, end.signal),
      roster: session.roster,
      end,
      opened: new Map(),
      lastStatus: undefined,
    };
    this.#live.set(session.id, live);
    for (const { from, payload } of this.#early.get(session.id) ?? []) live.relay.deliver(from, payload);
    this.#early.delete(session.id);
    return live;
  }

  #context(
    session: SessionRecord,
    query: QueryRecord,
    live: LiveSession,
    signal: AbortSignal,
  ): Parameters<typeof runSession>[0] {
    const { ledger, member, log } = this.#options;
    const schema = ledger.schema(query.query.dataset)!;
    const plan = planQuery(query.query, schema);
    return {
      ledger,
      member,
      journal: this.#journal,
      outbox: this.#outbox,
      random: platformRandom,
      log,
      untilLedger: (condition) => this.#waiting.until(condition, signal),
      report: (step, stage) => this.#report(session.id, live, step, stage),
      plan,
      scan: () => {
        const basis = this.#site.consent.require(query);
        const ahead = basis === undefined ? this.#ahead.take(query.id) : undefined;
        return ahead ?? this.#data.scan(plan, schema, basis);
      },
      consentEpoch: () => this.#site.consent.require(query)?.epoch,
      stock: (channel, demand) => this.#pool.stock(channel, demand),
      planDigest: toHex(hashDocument(LABEL.query, { query: query.query, schema })),
    };
  }

  #report(session: string, live: LiveSession, step: number, stage: SessionStage, error?: HealthchainError): void {
    const { kind, code, message } = error?.toJSON() ?? {};
    const record =
      error === undefined
        ? {}
        : { error: { ...error.toJSON(), kind: kind!, code: code!, message: message!.slice(0, 2000) } };
    live.lastStatus = { type: 'status', status: { session, step, stage, ...record } };
    this.#options.log.info({ session, step, stage }, 'session');
    this.#connection.send(live.lastStatus).catch(() => undefined); // sent again when the connection is back
  }

  #resendStatus(): void {
    for (const { lastStatus } of this.#live.values()) {
      if (lastStatus !== undefined) this.#connection.send(lastStatus).catch(() => undefined);
    }
  }

  /** Frames may have been lost, so sessions that have not opened cannot go on; the coordinator makes a new attempt. */
  #lostConnection(): void {
    this.#streams.cancelAll();
    this.#preparing.lostConnection();
    for (const session of this.#live.values()) {
      if (session.opened.size === 0)
        session.end.abort(new Fault('COORDINATOR_DOWN', 'the connection broke during the session'));
    }
  }

  /** The researcher asks as soon as all have committed: it is let wait here, and not made to ask again and again. */
  async #untilOpened(id: string, step: number): Promise<void> {
    const settled = (): true | undefined => {
      const live = this.#live.get(id);
      return live === undefined || live.end.signal.aborted || live.opened.has(step) ? true : undefined;
    };
    const patience = AbortSignal.any([AbortSignal.timeout(PULL_MS), this.#stop.signal]);
    await this.#waiting.until(settled, patience).catch(() => undefined);
  }

  /** Records on the ledger why this hospital leaves a session, so that all others end it too. */
  async #fail(id: string, error: HealthchainError): Promise<void> {
    const { ledger, member, log } = this.#options;
    log.warn(
      { session: id, code: error.code, party: error.party, round: error.round },
      `session failed: ${error.message}`,
    );
    const live = this.#live.get(id);
    if (live !== undefined) this.#report(id, live, 0, 'failed', error);
    if (live?.opened.size === 0) this.#live.delete(id);
    if (ledger.session(id)?.status !== 'open' || this.#stop.signal.aborted) return;
    const reason = reasonOf(error);
    // Only this hospital itself is named, for its own data. Whom an Abort suspects stays in the log: a frame that does
    // not open may be the relay's work as well as its sender's, and a ledger must not name the innocent.
    const blame = reason === 'DATA' ? { blame: member.organisation } : {};
    const round = error.round === undefined ? {} : { round: error.round };
    await ledger
      .submit(member, {
        type: 'abortSession',
        session: id,
        reason,
        ...blame,
        ...round,
      })
      .catch((cause: unknown) =>
        log.warn({ session: id, code: asHealthchainError(cause, () => error).code }, 'could not record the abort'),
      );
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case 'relay': {
        const live = this.#live.get(frame.session);
        if (live !== undefined) return live.relay.deliver(frame.from, frame.payload);
        if (this.#preparing.deliver(frame)) return;
        return this.#keepEarly(frame);
      }
      case 'notice':
        if (frame.notice.kind === 'preparation') return this.#preparing.heed(frame.notice.request, frame.notice.id);
        return this.#heed(frame.notice);
      case 'over':
        return this.#preparing.ended(frame.over);
      case 'pull':
      case 'credit':
      case 'cancel':
        return this.#streams.handle(frame);
      default:
        this.#options.log.warn({ type: frame.type }, 'the coordinator sent a frame that hospitals do not take');
    }
  }

  /** The ledger's own stream is mostly as fast as the coordinator: only news that does not come is asked for. */
  #heed(notice: Exclude<Notice, { kind: 'preparation' }>): void {
    const { ledger } = this.#options;
    const known = (): boolean =>
      notice.kind === 'query'
        ? ledger.query(notice.id) !== undefined
        : ledger.session(notice.id) !== undefined &&
          (notice.kind === 'session' || ledger.session(notice.id)?.status !== 'open');
    if (known()) return;
    setTimeout(() => {
      if (!known() && !this.#stop.signal.aborted) void ledger.refresh().catch(() => undefined);
    }, NEWS_MS).unref();
  }

  #keepEarly(frame: Extract<Frame, { type: 'relay' }>): void {
    if (this.#seen.has(frame.session)) return;
    const frames = this.#early.get(frame.session) ?? [];
    if (frames.length >= 2000 || (frames.length === 0 && this.#early.size >= 64)) return;
    frames.push({ from: frame.from, payload: frame.payload });
    this.#early.set(frame.session, frames);
  }
}
