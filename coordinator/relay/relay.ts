import type { Logger } from 'pino';
import { asHealthchainError, Misuse } from '../../protocol/errors.ts';
import { decodeFrame, type Frame } from '../../protocol/frame.ts';
import type { Metrics } from '../metrics.ts';
import type { CatchUp } from '../ledger-view.ts';
import type { LiveSession } from '../sessions/live.ts';
import type { Preparation, Preparations } from '../sessions/preparations.ts';
import type { SessionTable } from '../sessions/table.ts';
import type { Streams } from '../streams/streams.ts';
import { YoungBuffers } from '../young-buffers.ts';
import { CLOSE, type Connection } from './connection.ts';
import type { Connections } from './connections.ts';

type RelayFrame = Extract<Frame, { type: 'relay' }>;
type StatusFrame = Extract<Frame, { type: 'status' }>;

/**
 * What happens to each message of a hospital: checked by its header against the ledger, then passed on as it is. The
 * payload is sealed end to end and is not looked at. Whoever breaks the rules is disconnected with the reason.
 */
export class Relay {
  readonly #connections: Connections;
  readonly #sessions: SessionTable;
  readonly #preparations: Preparations;
  readonly #streams: Streams;
  readonly #catchUp: CatchUp;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #young = new YoungBuffers();

  constructor(of: {
    connections: Connections;
    sessions: SessionTable;
    preparations: Preparations;
    streams: Streams;
    catchUp: CatchUp;
    metrics: Metrics;
    log: Logger;
    clock: () => number;
  }) {
    this.#connections = of.connections;
    this.#sessions = of.sessions;
    this.#preparations = of.preparations;
    this.#streams = of.streams;
    this.#catchUp = of.catchUp;
    this.#metrics = of.metrics;
    this.#log = of.log;
    this.#clock = of.clock;
  }

  /** Takes one message of an authenticated hospital. Never throws. */
  receive(from: Connection, bytes: Buffer, isBinary: boolean): void {
    if (!from.open) return;
    from.missed = 0;
    if (!isBinary) {
      this.#violation(from, 'text');
      return;
    }
    this.#young.read(bytes.length);
    this.#shape(from, bytes.length);
    if (from.queue !== undefined) from.queue.push(bytes);
    else this.#handle(from, bytes);
  }

  /** A ping costs an answer: it counts as a control frame. */
  receivePing(from: Connection): void {
    this.#chargeControl(from);
  }

  /** Faster than its rate, a hospital is not cut off but read later: its own socket fills, and it slows down. */
  #shape(from: Connection, length: number): void {
    const now = this.#clock();
    const wait = Math.max(from.frames.take(1, now), from.bytes.take(length, now));
    if (wait === 0 || !from.hold('rate')) return;
    this.#metrics.paused.inc({ cause: 'rate' });
    this.#releaseLater(from, wait);
  }

  /** What was in the parser already went on and added to the debt: it is paid before reading goes on. */
  #releaseLater(from: Connection, wait: number): void {
    setTimeout(() => {
      const now = this.#clock();
      const left = Math.max(from.frames.take(0, now), from.bytes.take(0, now));
      if (left > 0 && from.open) this.#releaseLater(from, left);
      else from.release('rate');
    }, wait).unref();
  }

  #handle(from: Connection, bytes: Buffer): void {
    let frame: Frame;
    try {
      frame = decodeFrame(bytes);
    } catch (error) {
      this.#violation(from, 'malformed', asHealthchainError(error, () => new Misuse('MALFORMED', '')).code);
      return;
    }
    this.#metrics.frames.inc({ type: frame.type });
    switch (frame.type) {
      case 'relay':
      case 'status':
        this.#ofSession(from, frame, bytes);
        return;
      case 'chunk':
      case 'end':
      case 'cancel': {
        if (frame.type === 'cancel') this.#chargeControl(from);
        const fault = this.#streams.receive(from, frame, bytes);
        if (fault !== undefined) this.#violation(from, fault);
        return;
      }
      case 'prepare':
      case 'over': {
        this.#chargeControl(from);
        if (!from.open) return;
        const fault =
          frame.type === 'prepare'
            ? this.#preparations.ask(from, frame.request)
            : this.#preparations.end(from, frame.over);
        if (fault !== undefined) this.#violation(from, fault);
        return;
      }
      default:
        // Notices, pulls and credit go from the coordinator to hospitals, never the other way.
        this.#violation(from, 'direction');
    }
  }

  #ofSession(from: Connection, frame: RelayFrame | StatusFrame, bytes: Buffer): void {
    const id = frame.type === 'relay' ? frame.session : frame.status.session;
    const preparation = this.#preparations.find(id);
    if (preparation !== undefined) {
      this.#ofPreparation(from, preparation, frame, bytes);
      return;
    }
    const session = this.#sessions.find(id);
    if (session === 'unknown') this.#lookUp(from, id, bytes);
    else this.#route(from, session, frame, bytes);
  }

  /**
   * A hospital reads the ledger itself and may be ahead of this view: before calling a session unknown, look. What else
   * it sent waits meanwhile, in order.
   */
  #lookUp(from: Connection, id: string, bytes: Buffer): void {
    from.hold('ledger');
    from.queue = [];
    const queue = from.queue;
    void this.#catchUp.now().then(
      () => this.#resume(from, id, bytes, queue),
      // Not its fault: it may come back once the ledger does.
      () => this.#connections.drop(from, CLOSE.tryAgainLater, 'ledger unreachable'),
    );
  }

  #resume(from: Connection, id: string, bytes: Buffer, queue: readonly Buffer[]): void {
    if (!from.open) return;
    if (this.#sessions.find(id) === 'unknown') {
      this.#violation(from, 'unknown session');
      return;
    }
    from.queue = undefined;
    this.#handle(from, bytes);
    this.#replay(from, queue);
    if (!from.queueing) from.release('ledger');
  }

  /** The queue itself may name another unknown session: what follows it goes to the new queue. */
  #replay(from: Connection, queue: readonly Buffer[]): void {
    for (const each of queue) {
      if (!from.open) return;
      if (from.queue !== undefined) from.queue.push(each);
      else this.#handle(from, each);
    }
  }

  #route(from: Connection, session: LiveSession | 'over', frame: RelayFrame | StatusFrame, bytes: Buffer): void {
    if (frame.type === 'status') this.#chargeControl(from);
    // Frames may cross the abort or the receipt on their way: no fault of the sender.
    if (session === 'over') this.#metrics.dropped.inc({ cause: 'session over' });
    else if (frame.type === 'relay') this.#forward(from, session, frame, bytes);
    else if (!session.roster.includes(from.organisation)) this.#violation(from, 'not in the roster');
    else this.#sessions.report(session, from.organisation, frame.status);
  }

  #forward(from: Connection, session: LiveSession, frame: RelayFrame, bytes: Buffer): void {
    const receiver = this.#receiverOf(from, session.roster, frame);
    if (receiver === undefined) return;
    const to = this.#connections.get(receiver);
    if (to === undefined) this.#sessions.tear(session, receiver);
    if (to === undefined || session.torn) {
      this.#metrics.dropped.inc({ cause: 'torn' });
      return;
    }
    session.carry(frame.from, frame.to);
    this.#pass(from, to, bytes);
  }

  /** A preparation ends when a connection of it does, so that whoever is in one that goes on is connected. */
  #ofPreparation(
    from: Connection,
    preparation: Preparation | 'over',
    frame: RelayFrame | StatusFrame,
    bytes: Buffer,
  ): void {
    if (frame.type === 'status') {
      this.#violation(from, 'status of a preparation');
      return;
    }
    const receiver = preparation === 'over' ? undefined : this.#receiverOf(from, preparation.roster, frame);
    const to = receiver === undefined ? undefined : this.#connections.get(receiver);
    if (to === undefined) this.#metrics.dropped.inc({ cause: 'session over' });
    else this.#pass(from, to, bytes);
  }

  /** Undefined for a frame whose sender is cut off for it. */
  #receiverOf(from: Connection, roster: readonly string[], frame: RelayFrame): string | undefined {
    if (roster[frame.from] !== from.organisation) {
      this.#violation(from, 'wrong sender');
      return undefined;
    }
    const receiver = roster[frame.to];
    if (receiver !== undefined && frame.to !== frame.from) return receiver;
    this.#violation(from, 'wrong receiver');
    return undefined;
  }

  #pass(from: Connection, to: Connection, bytes: Buffer): void {
    this.#metrics.relayedBytes.inc(bytes.length);
    if (to.forwardFrom(from, bytes)) this.#metrics.paused.inc({ cause: 'slow receiver' });
  }

  #chargeControl(from: Connection): void {
    if (from.control.take(1, this.#clock()) > 0) this.#violation(from, 'rate');
  }

  #violation(from: Connection, cause: string, code?: string): void {
    if (!from.open) return;
    this.#log.warn({ hospital: from.organisation, cause, code }, 'connection closed for a violation');
    this.#connections.drop(from, CLOSE.violation, cause);
  }
}
