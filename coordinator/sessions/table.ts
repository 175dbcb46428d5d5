import type { SessionStatus } from '../../protocol/frame.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { LiveSession } from './live.ts';

/** The sessions that are open on the ledger, with what this process has seen of each. */
export class SessionTable {
  readonly #ledger: Ledger;
  readonly #clock: () => number;
  readonly #live = new Map<string, LiveSession>();
  readonly #started: number;
  /** False until the history was read: sessions found open until then are inherited. */
  #following = false;
  /** Called when a session's live state changed. */
  onChange: (session: LiveSession, told?: { hospital: string; status: SessionStatus }) => void = () => undefined;

  constructor(ledger: Ledger, clock: () => number) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#started = clock();
  }

  /** From now on sessions are new: their frames have all passed through this process. */
  startsHere(): void {
    for (const query of this.#ledger.queries()) if (query.status === 'running') this.find(query.sessions.at(-1)!);
    this.#following = true;
  }

  /** The live session; `over` when the ledger says that it ended; `unknown` when this view of the ledger has no such session. */
  find(id: string): LiveSession | 'over' | 'unknown' {
    const known = this.#live.get(id);
    if (known !== undefined) return known;
    const record = this.#ledger.session(id);
    if (record === undefined) return 'unknown';
    if (record.status !== 'open') return 'over';
    const inherited = !this.#following;
    const since = inherited ? this.#started : this.#clock();
    const { query, attempt, roster } = record;
    const session = new LiveSession({ id, query, attempt, roster, since, inherited });
    this.#live.set(id, session);
    return session;
  }

  all(): readonly LiveSession[] {
    return [...this.#live.values()];
  }

  report(session: LiveSession, hospital: string, status: SessionStatus): void {
    if (session.report(hospital, status, this.#clock())) this.onChange(session, { hospital, status });
  }

  tear(session: LiveSession, hospital: string): void {
    if (session.torn) return;
    session.tear(hospital, this.#clock());
    this.onChange(session);
  }

  /** A hospital's connection ended. */
  lost(hospital: string): void {
    for (const session of this.#live.values()) {
      if (!session.roster.includes(hospital)) continue;
      session.lost(hospital, this.#clock());
      this.onChange(session);
    }
  }

  /** The ledger says that it ended. Returns what was seen of it. */
  remove(id: string): LiveSession | undefined {
    const session = this.#live.get(id);
    this.#live.delete(id);
    return session;
  }
}
