import type { Metrics } from '../metrics.ts';
import { CLOSE, type Connection } from './connection.ts';

export interface Presence {
  connected(hospital: string): boolean;
  /** Since when it is not connected; the start of this process if it never was. */
  absentSince(hospital: string): number;
}

/** The hospitals that are connected, one connection each. */
export class Connections implements Presence {
  readonly #connections = new Map<string, Connection>();
  readonly #left = new Map<string, number>();
  readonly #started: number;
  readonly #clock: () => number;
  readonly #metrics: Metrics;
  /** Called with each hospital that came (after it was added) or went. */
  onArrival: (hospital: string) => void = () => undefined;
  onDeparture: (connection: Connection) => void = () => undefined;

  constructor(clock: () => number, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#started = clock();
  }

  get(hospital: string): Connection | undefined {
    return this.#connections.get(hospital);
  }
  connected(hospital: string): boolean {
    return this.#connections.has(hospital);
  }
  absentSince(hospital: string): number {
    return this.#left.get(hospital) ?? this.#started;
  }
  all(): Connection[] {
    return [...this.#connections.values()];
  }

  /** A second connection of one hospital replaces the first: it is the one that still works after a network change. */
  add(connection: Connection): void {
    const earlier = this.#connections.get(connection.organisation);
    if (earlier !== undefined) this.drop(earlier, CLOSE.replaced, 'replaced');
    this.#connections.set(connection.organisation, connection);
    this.#metrics.connections.set(this.#connections.size);
    this.onArrival(connection.organisation);
  }

  /** Closes a connection for a named cause and forgets it. */
  drop(connection: Connection, code: number, cause: string): void {
    if (!this.#remove(connection)) return;
    this.#metrics.closed.inc({ cause });
    connection.close(code, cause);
    this.onDeparture(connection);
  }

  /** The peer closed, or its network did; false when the connection was dropped before. */
  ended(connection: Connection): boolean {
    if (!this.#remove(connection)) return false;
    connection.ended();
    this.onDeparture(connection);
    return true;
  }

  #remove(connection: Connection): boolean {
    if (this.#connections.get(connection.organisation) !== connection) return false;
    this.#connections.delete(connection.organisation);
    this.#left.set(connection.organisation, this.#clock());
    this.#metrics.connections.set(this.#connections.size);
    return true;
  }
}
