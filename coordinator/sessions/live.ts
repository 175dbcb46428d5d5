import type { ErrorRecord } from '../../protocol/errors.ts';
import type { SessionStage, SessionStatus } from '../../protocol/frame.ts';

type Reached = Exclude<SessionStage, 'failed'>;
const ORDER: readonly Reached[] = ['joined', 'scanning', 'committed', 'deciding', 'agreed', 'opened'];
const AGREED = ORDER.indexOf('agreed');

/** How far a hospital says it is; steps count first. */
export interface Reach {
  readonly step: number;
  readonly stage: Reached;
}

const rank = (reach: Reach): number => reach.step * ORDER.length + ORDER.indexOf(reach.stage);

/**
 * What this process has seen of a session that is open on the ledger. Nothing here counts as truth: it decides when to give up waiting.
 *
 * A frame that was lost with a connection cannot be told from one that the sender or the relay withheld, and every later
 * frame of that pair would look forged. So a session is `torn` from the first frame that may be lost: nothing more of it is
 * relayed, and it is aborted as a drop-out unless all hospitals turn out to need no further frame.
 */
export class LiveSession {
  readonly id: string;
  readonly query: string;
  readonly attempt: number;
  readonly roster: readonly string[];
  /** When it was opened; when this process started, for a session that it found open. */
  readonly since: number;
  /** Found open at the start: what earlier connections carried is not known. */
  readonly inherited: boolean;
  /** Hospitals that said they failed, with their reasons. */
  readonly failed = new Map<string, ErrorRecord>();
  readonly #reached = new Map<string, Reach>();
  /** Places in the roster that frames went to or from. */
  readonly #carried = new Set<number>();
  #opened = false;
  #tornAt: number | undefined;
  #tornBy: string | undefined;
  lastProgress: number;
  failedAt: number | undefined;

  constructor(of: {
    id: string;
    query: string;
    attempt: number;
    roster: readonly string[];
    since: number;
    inherited: boolean;
  }) {
    this.id = of.id;
    this.query = of.query;
    this.attempt = of.attempt;
    this.roster = of.roster;
    this.since = of.since;
    this.inherited = of.inherited;
    this.lastProgress = of.since;
    if (of.inherited) this.#tornAt = of.since;
  }

  /** Takes a hospital's word on how far it is; false when that is nothing new. */
  report(hospital: string, status: SessionStatus, now: number): boolean {
    const { step, stage } = status;
    if (stage === 'failed') {
      if (this.failed.has(hospital)) return false;
      this.failedAt ??= now;
      this.failed.set(hospital, status.error ?? { kind: 'Fault', code: 'INTERNAL', message: 'failed' });
      return true;
    }
    const before = this.#reached.get(hospital);
    if (before !== undefined && rank(before) >= rank({ step, stage })) return false;
    this.#reached.set(hospital, { step, stage });
    this.lastProgress = now;
    if (stage === 'opened') this.#opened = true;
    if (this.quiet) this.#mend();
    return true;
  }

  /** Notes that a frame passes between two places of the roster. */
  carry(from: number, to: number): void {
    this.#carried.add(from).add(to);
  }

  /** A hospital's connection ended: what it had sent or was to get may be lost. */
  lost(hospital: string, now: number): void {
    if (this.#carried.has(this.roster.indexOf(hospital)) && !this.quiet) this.tear(hospital, now);
  }
  tear(hospital: string, now: number): void {
    this.#tornAt ??= now;
    this.#tornBy ??= hospital;
  }
  #mend(): void {
    this.#tornAt = undefined;
    this.#tornBy = undefined;
    this.#carried.clear();
  }

  get torn(): boolean {
    return this.#tornAt !== undefined;
  }
  get tornAt(): number | undefined {
    return this.#tornAt;
  }
  get tornBy(): string | undefined {
    return this.#tornBy;
  }

  /** True once any hospital reported a share of any step as opened: then no other session of the query is of use. */
  get opened(): boolean {
    return this.#opened;
  }

  /** True while all have agreed on everything about the same step, its outcome included, so that no frame is on its way. */
  get quiet(): boolean {
    const reached = this.roster.map((hospital) => this.#reached.get(hospital));
    const step = reached[0]?.step;
    return reached.every((each) => each !== undefined && each.step === step && ORDER.indexOf(each.stage) >= AGREED);
  }

  get allReported(): boolean {
    return this.roster.every((hospital) => this.#reached.has(hospital) || this.failed.has(hospital));
  }

  /** The furthest stage any hospital reached, for metrics. */
  get stage(): SessionStage | 'silent' {
    if (this.failed.size > 0) return 'failed';
    const ranked = [...this.#reached.values()].sort((a, b) => rank(b) - rank(a));
    return ranked[0]?.stage ?? 'silent';
  }

  /** Those whom the others wait for: at the least stage, when not all are at the same. */
  get laggards(): readonly string[] {
    const ranks = this.roster.map((hospital) => {
      const reach = this.#reached.get(hospital);
      return reach === undefined ? -1 : rank(reach);
    });
    const least = Math.min(...ranks);
    return least === Math.max(...ranks) ? [] : this.roster.filter((_, place) => ranks[place] === least);
  }
}
