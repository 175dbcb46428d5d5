import type { Ledger } from '../../ledger/ledger.ts';
import type { Notice } from '../../protocol/frame.ts';
import type { Connections } from '../relay/connections.ts';
import type { ProgressEvent } from './events.ts';

/**
 * Nudges hospitals to read the ledger. A notice says nothing that counts: one that is lost, late or made up costs time
 * at most.
 */
export class Notices {
  readonly #ledger: Ledger;
  readonly #connections: Connections;

  constructor(ledger: Ledger, connections: Connections) {
    this.#ledger = ledger;
    this.#connections = connections;
  }

  /** Tells those concerned by what the ledger just recorded. */
  tell(query: string, session: string | undefined, event: ProgressEvent): void {
    if (event.stage === 'submitted') this.#send(event.hospitals, { kind: 'query', id: query });
    if (session === undefined) return;
    if (event.stage === 'session') this.#send(event.roster, { kind: 'session', id: session });
    if (event.stage === 'aborted') {
      this.#send(this.#ledger.session(session)?.roster ?? [], { kind: 'abort', id: session });
    }
  }

  /** Tells a hospital that just connected what it may have missed: queries to decide, sessions to join. */
  welcome(hospital: string): void {
    for (const query of this.#ledger.queries()) {
      if (query.status !== 'submitted' && query.status !== 'running') continue;
      const last = query.sessions.at(-1);
      const inRoster = last !== undefined && this.#ledger.session(last)?.roster.includes(hospital) === true;
      if (query.status === 'running' && inRoster) this.#send([hospital], { kind: 'session', id: last });
      const decided = query.decisions.some((each) => each.hospital === hospital);
      if (query.hospitals.includes(hospital) && !decided) this.#send([hospital], { kind: 'query', id: query.id });
    }
  }

  #send(hospitals: readonly string[], notice: Notice): void {
    for (const hospital of hospitals) this.#connections.get(hospital)?.send({ type: 'notice', notice });
  }
}
