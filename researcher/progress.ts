import type { Ledger } from '../ledger/ledger.ts';
import type { QueryRecord, SessionRecord } from '../protocol/records.ts';

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
  | { readonly stage: 'aborted'; readonly reason: string; readonly blame?: string; readonly evidence?: string }
  | { readonly stage: 'verified'; readonly cells: number; readonly opened: number };

/** Turns ledger records into progress events, each told once. */
export class ProgressReader {
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
      if (abort !== undefined) this.#once({ stage: 'aborted', ...whyAborted(abort) }, id);
    }
  }

  #once(event: Progress, scope = ''): void {
    const key = `${scope}/${JSON.stringify(event)}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#tell(event);
  }
}

const whyAborted = ({ reason, blame, evidence }: NonNullable<SessionRecord['abort']>) => ({
  reason,
  ...(blame === undefined ? {} : { blame }),
  ...(evidence === undefined ? {} : { evidence }),
});
