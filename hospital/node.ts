import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { asHealthchainError, Fault } from '../protocol/errors.ts';
import type { Frame, Notice } from '../protocol/frame.ts';
import type { Action } from '../protocol/ledger.ts';
import { answerPull, type AnswerParts } from './answers.ts';
import { decideByPolicy, siteOf, type Site } from './approvals.ts';
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
import { Sessions } from './session/sessions.ts';
import type { SourceConfig } from './source/index.ts';

/** What brings an epoch of consent into effect, or takes it back. */
const EPOCH_ACTIONS: ReadonlySet<Action['type']> = new Set(['openConsentEpoch', 'withdrawConsentEpoch']);

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

const RETRY_MS = 10_000;
/** So long may the ledger's stream be behind the coordinator's word. */
const NEWS_MS = 1000;

/**
 * A hospital's node: follows the ledger, decides on queries by its policy, takes part in sessions it approved, and
 * hands sealed shares to the researcher. One process beside one hospital's data.
 */
export class HospitalNode {
  readonly #options: HospitalOptions;
  readonly #journal: Journal;
  readonly #connection: Connection;
  readonly #streams: Streams;
  readonly #data: LocalData;
  readonly #site: Site;
  readonly #pool: Pool;
  readonly #preparing: Preparing;
  readonly #sessions: Sessions;
  readonly #stop = new AbortController();
  #following: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HospitalOptions) {
    this.#options = options;
    mkdirSync(options.stateFolder, { recursive: true, mode: 0o700 });
    this.#journal = new Journal(join(options.stateFolder, 'journal.jsonl'));
    this.#data = new LocalData(options.datasets);
    this.#site = siteOf({ ...options, hospital: options.member.organisation });
    const outbox = new Outbox(join(options.stateFolder, 'outbox'));
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
      idle: () => this.#sessions.idle,
    });
    this.#sessions = new Sessions({
      ...{ ledger: options.ledger, member: options.member, log: options.log, site: this.#site },
      ...{ journal: this.#journal, outbox, pool: this.#pool },
      scan: (query, plan, schema) => this.#data.scan(plan, schema, this.#site.consent.require(query)),
      send: (frame) => this.#connection.send(frame),
      seconds: options.sessionSeconds,
      stop: this.#stop.signal,
    });
    const answers: AnswerParts = {
      ledger: options.ledger,
      member: options.member,
      outbox,
      untilOpened: (session, step) => this.#sessions.untilOpened(session, step),
      opened: (session, step) => this.#sessions.opened(session, step),
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
    this.#connection.on('open', () => this.#sessions.resendStatus());
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
    this.#connection.close();
    await this.#following?.catch(() => undefined);
    await this.#preparing.close();
    this.#pool.close();
    await this.#data.close();
    this.#journal.close();
  }

  async #follow(): Promise<void> {
    const { ledger } = this.#options;
    for await (const entry of ledger.entries(ledger.head().size - 1, this.#stop.signal)) {
      // Of entries that come together only the last matters: react once the view is complete.
      if (entry.index + 1 < ledger.head().size) continue;
      this.#sessions.wake();
      await this.#reactOrRetry();
    }
  }

  /** A query may wait for an epoch of consent, which another ledger brings. */
  async #followEpochs(): Promise<void> {
    const { publicLedger } = this.#options;
    if (publicLedger === undefined) return;
    for await (const entry of publicLedger.entries(publicLedger.head().size, this.#stop.signal)) {
      if (EPOCH_ACTIONS.has(entry.signed.action.type)) await this.#reactOrRetry();
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
    this.#sessions.react();
    await decideByPolicy(this.#site, this.#options.member, this.#options.log);
  }

  #lostConnection(): void {
    this.#streams.cancelAll();
    this.#preparing.lostConnection();
    this.#sessions.lostConnection();
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case 'relay':
        if (!this.#sessions.deliver(frame) && !this.#preparing.deliver(frame)) this.#sessions.keepEarly(frame);
        return;
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
}
