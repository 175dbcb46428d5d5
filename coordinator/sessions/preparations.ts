import type { Logger } from 'pino';
import { derivePreparationId, inOrder, type PreparationOver, type PreparationRequest } from '../../protocol/frame.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Metrics } from '../metrics.ts';
import type { Connection } from '../relay/connection.ts';
import type { Connections } from '../relay/connections.ts';

/** Hospitals that make stock together, for queries to come. Not on the ledger: it opens nothing, and may fail. */
export interface Preparation {
  readonly id: string;
  readonly roster: readonly string[];
  /** Who has all it needs: the last frames of the others may still be on their way. */
  readonly complete: Set<string>;
  readonly deadline: NodeJS.Timeout;
}

/** Ended ones that are remembered, so that a late frame is no fault of its sender. */
const REMEMBERED = 4096;

/** The preparations that are under way: at most one for each hospital. What they send is relayed and not looked at. */
export class Preparations {
  readonly #ledger: Ledger;
  readonly #connections: Connections;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #deadline: number;
  readonly #live = new Map<string, Preparation>();
  readonly #over = new Set<string>();

  constructor(of: { ledger: Ledger; connections: Connections; deadline: number; metrics: Metrics; log: Logger }) {
    this.#ledger = of.ledger;
    this.#connections = of.connections;
    this.#metrics = of.metrics;
    this.#log = of.log;
    this.#deadline = of.deadline;
  }

  find(id: string): Preparation | 'over' | undefined {
    return this.#live.get(id) ?? (this.#over.has(id) ? 'over' : undefined);
  }

  /** Begins one, or declines. Returns what the sender did wrong, if it did. */
  ask(from: Connection, request: PreparationRequest): string | undefined {
    const { roster } = request;
    if (!roster.includes(from.organisation) || !inOrder(roster)) return 'not in the roster';
    const id = derivePreparationId(request);
    if (this.find(id) !== undefined || !this.#possible(request)) {
      this.#metrics.preparations.inc({ outcome: 'declined' });
      from.send({ type: 'over', over: { session: id, outcome: 'declined' } });
      return undefined;
    }
    const deadline = setTimeout(() => this.#finish(preparation, 'failed'), this.#deadline);
    deadline.unref();
    const preparation: Preparation = { id, roster, complete: new Set(), deadline };
    this.#live.set(id, preparation);
    this.#log.info({ session: id, roster }, 'preparation begins');
    for (const hospital of roster) {
      this.#connections.get(hospital)?.send({ type: 'notice', notice: { kind: 'preparation', id, request } });
    }
    return undefined;
  }

  /** A hospital says that it is done, or does not take part (any more). */
  end(from: Connection, { session, outcome }: PreparationOver): string | undefined {
    const preparation = this.#live.get(session);
    // It may cross the end that somebody else made.
    if (preparation === undefined) return undefined;
    if (!preparation.roster.includes(from.organisation)) return 'not in the roster';
    if (outcome !== 'complete') {
      this.#finish(preparation, outcome);
      return undefined;
    }
    preparation.complete.add(from.organisation);
    if (preparation.complete.size === preparation.roster.length) this.#finish(preparation, 'complete');
    return undefined;
  }

  /** A hospital's connection ended: frames may be lost. */
  lost(hospital: string): void {
    for (const preparation of [...this.#live.values()]) {
      if (preparation.roster.includes(hospital)) this.#finish(preparation, 'failed');
    }
  }

  close(): void {
    for (const { deadline } of this.#live.values()) clearTimeout(deadline);
    this.#live.clear();
  }

  #possible({ roster, size }: PreparationRequest): boolean {
    const busy = new Set([...this.#live.values()].flatMap((each) => each.roster));
    return (
      size <= this.#ledger.head().size &&
      roster.every(
        (hospital) =>
          this.#ledger.organisation(hospital)?.roles.includes('hospital') === true &&
          this.#ledger.organisation(hospital)?.suspended === undefined &&
          this.#connections.connected(hospital) &&
          !busy.has(hospital),
      )
    );
  }

  #finish(preparation: Preparation, outcome: PreparationOver['outcome']): void {
    if (!this.#live.delete(preparation.id)) return;
    clearTimeout(preparation.deadline);
    this.#remember(preparation.id);
    this.#metrics.preparations.inc({ outcome });
    this.#log.info({ session: preparation.id, outcome }, 'preparation over');
    if (outcome === 'complete') return;
    for (const hospital of preparation.roster) {
      this.#connections.get(hospital)?.send({ type: 'over', over: { session: preparation.id, outcome } });
    }
  }

  #remember(id: string): void {
    this.#over.add(id);
    const [oldest] = this.#over;
    if (this.#over.size > REMEMBERED) this.#over.delete(oldest!);
  }
}
