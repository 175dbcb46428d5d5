import type { Logger } from 'pino';
import { asHealthchainError, Fault } from '../../protocol/errors.ts';
import type { CloseReason, Entry } from '../../protocol/ledger.ts';
import type { Ledger, Member } from '../../ledger/ledger.ts';
import { suspensionIn } from '../../ledger/standing.ts';
import type { Deadlines } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Connections } from '../relay/connections.ts';
import { happeningOf, type Happening } from './chronicle.ts';
import { approvalsUntil, decide, poolOf, type Decision, type Facts, type GivenUp } from './decide.ts';
import { follow } from './follow.ts';
import type { Notices } from './notices.ts';
import { freshlyPending, learnFromAbort, type Pending } from './pending.ts';
import type { Progress } from './progress.ts';
import type { SessionTable } from './table.ts';

const CLOSE_REASON: Readonly<Record<GivenUp, CloseReason>> = {
  attempts: 'TOO_MANY_ATTEMPTS',
  opened: 'ALREADY_OPENED',
  minimum: 'TOO_FEW_HOSPITALS',
};

const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Forms sessions from what the ledger says and who is connected, and gives up on those that cannot end. All it knows can be
 * read from the ledger again: it may be killed at any moment.
 */
export class Former {
  readonly #ledger: Ledger;
  readonly #member: Member;
  readonly #connections: Connections;
  readonly #sessions: SessionTable;
  readonly #progress: Progress;
  readonly #notices: Notices;
  readonly #deadlines: Deadlines;
  readonly #attempts: number;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #stop = new AbortController();
  readonly #pending = new Map<string, Pending>();
  /** Queries whose end may have been read, but not yet told: only the newest state can be asked for. */
  readonly #touched = new Set<string>();
  #live = false;
  /** Called when keys changed on the ledger. */
  onKeyChange: () => void = () => undefined;

  constructor(of: {
    ledger: Ledger;
    member: Member;
    connections: Connections;
    sessions: SessionTable;
    progress: Progress;
    notices: Notices;
    deadlines: Deadlines;
    attempts: number;
    metrics: Metrics;
    log: Logger;
    clock: () => number;
  }) {
    this.#ledger = of.ledger;
    this.#member = of.member;
    this.#connections = of.connections;
    this.#sessions = of.sessions;
    this.#progress = of.progress;
    this.#notices = of.notices;
    this.#deadlines = of.deadlines;
    this.#attempts = of.attempts;
    this.#metrics = of.metrics;
    this.#log = of.log;
    this.#clock = of.clock;
  }

  /** Reads the ledger's history, then follows it. Resolves when the history is read. */
  async start(): Promise<void> {
    await follow({
      ledger: this.#ledger,
      onEntry: (entry) => this.#onEntry(entry),
      signal: this.#stop.signal,
      retry: this.#deadlines.retry,
      log: this.#log,
    });
    this.#sessions.startsHere();
    this.#live = true;
    this.reconsider();
  }

  close(): void {
    this.#stop.abort();
    for (const pending of this.#pending.values()) clearTimeout(pending.timer);
    this.#pending.clear();
  }

  /** Looks at every query that has not ended: somebody came or went. */
  reconsider(): void {
    for (const query of this.#pending.keys()) this.consider(query);
  }

  /** Looks at one query and does what is due. Never throws. */
  consider(query: string): void {
    const pending = this.#pending.get(query);
    if (pending === undefined || pending.busy || !this.#live || this.#stop.signal.aborted) return;
    clearTimeout(pending.timer);
    const facts = this.#facts(query, pending);
    if (facts !== undefined) this.#act(query, pending, decide(facts));
  }

  #onEntry(entry: Entry): void {
    const { type } = entry.signed.action;
    if (type === 'revokeKey' || type === 'rotateKey') this.onKeyChange();
    // Whom and what it concerns shows in the records: every query that has not ended is looked at.
    if (type === 'suspend' || type === 'reinstate') for (const query of this.#pending.keys()) this.#touched.add(query);
    const happening = happeningOf(entry, this.#ledger);
    if (happening !== undefined) this.#onHappening(entry, happening);
    if (entry.index + 1 < this.#ledger.head().size) return;
    for (const query of this.#touched) this.#settle(query);
    this.#touched.clear();
  }

  #onHappening(entry: Entry, { query, session, event }: Happening): void {
    if (event.stage === 'submitted') this.#pending.set(query, freshlyPending(entry, this.#clock()));
    this.#progress.add(query, event);
    if (event.stage === 'session') this.#sessions.find(event.session);
    if (event.stage === 'aborted') this.#onAbort(query, event.session);
    if (event.stage === 'receipt' && event.final) this.#sessions.remove(event.session);
    if (this.#live) this.#notices.tell(query, session, event);
    this.#touched.add(query);
  }

  #onAbort(query: string, session: string): void {
    const live = this.#sessions.remove(session);
    const record = this.#ledger.session(session);
    if (record?.abort === undefined) return;
    if (this.#live) {
      const { reason, by } = record.abort;
      this.#metrics.aborts.inc({ reason });
      this.#log.info({ query, session, reason, by }, 'session aborted');
    }
    const pending = this.#pending.get(query);
    if (pending !== undefined) learnFromAbort(pending, record, live);
  }

  /** The newest entries are read: a query that has ended is told so and forgotten, others are looked at. */
  #settle(query: string): void {
    const status = this.#ledger.query(query)?.status;
    if (status === 'completed' || status === 'failed' || status === 'denied') {
      clearTimeout(this.#pending.get(query)?.timer);
      this.#pending.delete(query);
      this.#progress.add(query, { stage: 'finished', status });
    } else this.consider(query);
  }

  #facts(id: string, pending: Pending): Facts | undefined {
    const query = this.#ledger.query(id);
    if (query === undefined) return undefined;
    const now = this.#clock();
    const last = query.sessions.length === 0 ? undefined : this.#ledger.session(query.sessions.at(-1)!);
    const found = last === undefined ? undefined : this.#sessions.find(last.id);
    const until = approvalsUntil(query, pending.submittedAt, this.#deadlines.approval);
    const suspended = new Set(
      query.hospitals.filter((each) => this.#ledger.organisation(each)?.suspended !== undefined),
    );
    const present = poolOf(query, last, pending.excluded).filter(
      (each) => this.#connections.connected(each) && !suspended.has(each),
    );
    if (now < until || present.length < query.query.release.minimumHospitals) pending.enoughSince = undefined;
    else pending.enoughSince ??= now;
    return {
      now,
      query,
      last,
      live: typeof found === 'object' ? found : undefined,
      approvalsUntil: until,
      enoughSince: pending.enoughSince,
      presence: this.#connections,
      excluded: pending.excluded,
      halted: suspensionIn(this.#ledger, query) !== undefined,
      suspended,
      opened: pending.opened,
      deadlines: this.#deadlines,
      attempts: this.#attempts,
    };
  }

  #act(query: string, pending: Pending, decision: Decision): void {
    switch (decision.do) {
      case 'wait':
        this.#progress.add(query, { stage: 'waiting', why: decision.why, hospitals: [...decision.hospitals] });
        this.#later(query, pending, decision.until);
        return;
      case 'rest':
        this.#later(query, pending, decision.until);
        return;
      case 'giveUp':
        this.#progress.add(query, { stage: 'givenUp', why: decision.why });
        this.#submit(query, pending, async () => {
          await this.#ledger.submit(this.#member, { type: 'closeQuery', query, reason: CLOSE_REASON[decision.why] });
          this.#log.info({ query, why: decision.why }, 'query given up');
        });
        return;
      case 'open':
        this.#submit(query, pending, async () => {
          const { attempt, roster } = decision;
          const { id } = await this.#ledger.submit(this.#member, {
            type: 'openSession',
            query,
            attempt,
            roster: [...roster],
          });
          this.#metrics.opened.inc();
          this.#log.info({ query, session: id, attempt, hospitals: roster.length }, 'session opened');
        });
        return;
      case 'abort':
        this.#submit(query, pending, async () => {
          const { session, reason } = decision;
          await this.#ledger.submit(this.#member, { type: 'abortSession', session, reason });
        });
    }
  }

  #later(query: string, pending: Pending, until: number | undefined): void {
    if (until === undefined || this.#stop.signal.aborted) return;
    const wait = Math.min(Math.max(until - this.#clock(), 1), LONGEST_TIMER);
    pending.timer = setTimeout(() => this.consider(query), wait);
  }

  /** Acts on the ledger, one act at a time for each query; whatever comes of it, looks at the new state. */
  #submit(query: string, pending: Pending, act: () => Promise<void>): void {
    pending.busy = true;
    const done = (pause: number): void => {
      pending.busy = false;
      this.#later(query, pending, this.#clock() + pause);
    };
    act()
      .then(() => this.#ledger.refresh())
      .then(() => done(0))
      .catch((error: unknown) => {
        const { code } = asHealthchainError(error, () => new Fault('INTERNAL', 'the ledger did not take an action'));
        this.#log.warn({ query, code }, 'the ledger did not take an action; looking again');
        done(this.#deadlines.retry);
      });
  }
}
