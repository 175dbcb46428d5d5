import type { Logger } from 'pino';
import { planQuery, type Plan } from '../../analytics/index.ts';
import type { Ledger, Member } from '../../ledger/ledger.ts';
import { suspensionIn } from '../../ledger/standing.ts';
import { toHex } from '../../protocol/bytes.ts';
import { hashDocument } from '../../protocol/canonical.ts';
import { asHealthchainError, Fault, Refusal, type HealthchainError } from '../../protocol/errors.ts';
import type { Frame, SessionStage } from '../../protocol/frame.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { QueryRecord, SessionRecord } from '../../protocol/records.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import { judge, type Site } from '../approvals.ts';
import type { Journal } from '../journal.ts';
import type { LocalFigures } from '../local-data.ts';
import type { Outbox } from '../outbox.ts';
import type { Pool } from '../pool/pool.ts';
import { platformRandom } from '../random.ts';
import { Waiting } from '../waiting.ts';
import { EarlyFrames, type RelayFrame } from './early-frames.ts';
import { recordLeaving } from './leaving.ts';
import { SessionRelay } from './relay.ts';
import { admitSession, runSession, type OpenedStep } from './session.ts';

/** So long a share that is not ready is waited for before the researcher is told to come again. */
const PULL_MS = 20_000;
interface LiveSession {
  readonly relay: SessionRelay;
  readonly end: AbortController;
  readonly opened: Map<number, OpenedStep>;
  lastStatus: Extract<Frame, { type: 'status' }> | undefined;
}

export interface SessionsParts {
  readonly ledger: Ledger;
  readonly member: Member;
  readonly log: Logger;
  readonly site: Site;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly pool: Pool;
  /** What a query's plan needs of this hospital's own records. */
  readonly scan: (query: QueryRecord, plan: Plan, schema: DatasetSchema) => Promise<LocalFigures>;
  readonly send: (frame: Frame) => Promise<void>;
  /** A session that takes longer is given up; default 900. */
  readonly seconds?: number | undefined;
  /** Aborts when the node closes. */
  readonly stop: AbortSignal;
}

/** The sessions a hospital takes part in: begun, ended and reported as its own copy of the ledger shows them. */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #live = new Map<string, LiveSession>();
  readonly #seen = new Set<string>();
  readonly #early = new EarlyFrames();
  /** Sessions in which this hospital has something to do, other than to wait for the researcher. */
  readonly #working = new Set<string>();
  readonly #waiting = new Waiting();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    parts.stop.addEventListener('abort', () => {
      for (const session of this.#live.values()) session.end.abort(parts.stop.reason);
    });
  }

  get idle(): boolean {
    return this.#working.size === 0;
  }

  /** What an opened step leaves for handing out its share again and for finding a cheat. */
  opened(session: string, step: number): OpenedStep | undefined {
    return this.#live.get(session)?.opened.get(step);
  }

  /** The ledger has a new entry. */
  wake(): void {
    this.#waiting.wake();
  }

  /** Begins and ends what the ledger shows to have begun and ended. */
  react(): void {
    const { ledger, member } = this.#parts;
    for (const record of ledger.queries()) {
      const id = record.sessions.at(-1);
      const session = id === undefined ? undefined : ledger.session(id);
      if (session === undefined || !session.roster.includes(member.organisation)) continue;
      if (session.status === 'open' && !this.#seen.has(session.id)) void this.#run(session.id);
      if (session.status === 'open') this.#endSuspended(record, session);
      if (session.status === 'aborted') this.#endByLedger(session);
      if (session.status === 'completed') this.#endResumed(session.id);
    }
  }

  /** False for a frame of no session that runs here. */
  deliver(frame: RelayFrame): boolean {
    const live = this.#live.get(frame.session);
    live?.relay.deliver(frame.from, frame.payload);
    return live !== undefined;
  }

  /** Keeps a frame until the ledger shows its session. */
  keepEarly(frame: RelayFrame): void {
    if (!this.#seen.has(frame.session)) this.#early.keep(frame);
  }

  /** The connection is back. */
  resendStatus(): void {
    for (const { lastStatus } of this.#live.values()) {
      if (lastStatus !== undefined) this.#parts.send(lastStatus).catch(() => undefined);
    }
  }

  /** Frames may have been lost, so sessions that have not opened cannot go on; the coordinator makes a new attempt. */
  lostConnection(): void {
    for (const session of this.#live.values()) {
      if (session.opened.size === 0)
        session.end.abort(new Fault('COORDINATOR_DOWN', 'the connection broke during the session'));
    }
  }

  /** The researcher asks as soon as all have committed: it is let wait here, and not made to ask again and again. */
  async untilOpened(id: string, step: number): Promise<void> {
    const settled = (): true | undefined => {
      const live = this.#live.get(id);
      return live === undefined || live.end.signal.aborted || live.opened.has(step) ? true : undefined;
    };
    const patience = AbortSignal.any([AbortSignal.timeout(PULL_MS), this.#parts.stop]);
    await this.#waiting.until(settled, patience).catch(() => undefined);
  }

  /** A session that this process did not run itself but resumed: its share was fetched. */
  #endResumed(id: string): void {
    if (this.#live.get(id)?.opened.size !== 0) return;
    this.#live.delete(id);
    this.#parts.log.info({ session: id }, 'session completed');
  }

  /** What is suspended before its last share is out ends here; a share that is out is not handed over meanwhile. */
  #endSuspended(query: QueryRecord, session: SessionRecord): void {
    const live = this.#live.get(session.id);
    if (live === undefined || live.opened.size >= query.steps) return;
    const suspended = suspensionIn(this.#parts.ledger, query, session.roster);
    if (suspended !== undefined) live.end.abort(suspended);
  }

  #endByLedger(session: SessionRecord): void {
    const reason = session.abort?.reason ?? 'INTERNAL';
    this.#live.get(session.id)?.end.abort(new Fault('PEER_GONE', `the session was ended on the ledger: ${reason}`));
  }

  async #run(id: string): Promise<void> {
    const { ledger, member, log } = this.#parts;
    this.#seen.add(id);
    this.#working.add(id);
    const end = new AbortController();
    const deadline = setTimeout(
      () => end.abort(new Fault('DEADLINE', 'the session took too long')),
      1000 * (this.#parts.seconds ?? 900),
    );
    try {
      if (this.#resume(id, end)) return;
      const { session, query } = admitSession({ ledger, member, journal: this.#parts.journal }, id);
      const allowed = judge(this.#parts.site, query);
      if (allowed.decision === 'deny' || allowed.decision === 'wait')
        throw new Refusal('POLICY', `this site no longer allows this query: ${allowed.reasons.join('; ')}`);
      const live = this.#open(session, end);
      await runSession(
        this.#context(session, query, live, end.signal),
        { session, query },
        live.relay,
        (step, kept) => {
          live.opened.set(step, kept);
          this.#parts.pool.finish(id);
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
      this.#parts.pool.fail(id);
      await this.#fail(
        id,
        asHealthchainError(error, (cause) => new Fault('INTERNAL', 'the session failed', { cause })),
      );
    } finally {
      clearTimeout(deadline);
      this.#working.delete(id);
      this.#early.take(id);
      this.#waiting.wake();
    }
  }

  /**
   * True for a session whose last share this hospital had opened before it was restarted: nothing is left to do but to
   * say so and to hand that share out.
   */
  #resume(id: string, end: AbortController): boolean {
    const session = this.#parts.ledger.session(id);
    const query = session === undefined ? undefined : this.#parts.ledger.query(session.query);
    if (session === undefined || query === undefined || this.#parts.journal.openedIn(query.id) !== id) return false;
    if (!this.#parts.outbox.has(id, query.steps - 1)) return false;
    this.#report(id, this.#open(session, end), query.steps - 1, 'opened');
    return true;
  }

  #open(session: SessionRecord, end: AbortController): LiveSession {
    const from = session.roster.indexOf(this.#parts.member.organisation);
    const transmit = (to: number, payload: Uint8Array): Promise<void> =>
      this.#parts.send({ type: 'relay', session: session.id, from, to, payload });
    const live: LiveSession = {
      relay: new SessionRelay(session.roster, transmit, end.signal),
      end,
      opened: new Map(),
      lastStatus: undefined,
    };
    this.#live.set(session.id, live);
    for (const { from, payload } of this.#early.take(session.id)) live.relay.deliver(from, payload);
    return live;
  }

  #context(
    session: SessionRecord,
    query: QueryRecord,
    live: LiveSession,
    signal: AbortSignal,
  ): Parameters<typeof runSession>[0] {
    const { ledger, member, log } = this.#parts;
    const schema = ledger.schema(query.query.dataset)!;
    const plan = planQuery(query.query, schema);
    return {
      ledger,
      member,
      journal: this.#parts.journal,
      outbox: this.#parts.outbox,
      random: platformRandom,
      log,
      untilLedger: (condition) => this.#waiting.until(condition, signal),
      report: (step, stage) => this.#report(session.id, live, step, stage),
      plan,
      scan: () => this.#parts.scan(query, plan, schema),
      consentEpoch: () => this.#parts.site.consent.require(query)?.epoch,
      stock: (channel, demand) => this.#parts.pool.stock(channel, demand),
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
    this.#parts.log.info({ session, step, stage }, 'session');
    this.#parts.send(live.lastStatus).catch(() => undefined); // sent again when the connection is back
  }

  async #fail(id: string, error: HealthchainError): Promise<void> {
    const { ledger, log, stop } = this.#parts;
    const { code, party, round } = error;
    log.warn({ session: id, code, party, round }, `session failed: ${error.message}`);
    const live = this.#live.get(id);
    if (live !== undefined) this.#report(id, live, 0, 'failed', error);
    if (live?.opened.size === 0) this.#live.delete(id);
    if (ledger.session(id)?.status === 'open' && !stop.aborted) await recordLeaving(this.#parts, id, error);
  }
}
