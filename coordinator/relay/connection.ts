import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { discard } from '../../protocol/bytes.ts';
import { encodeFrame, type Frame } from '../../protocol/frame.ts';
import { TokenBucket } from './bucket.ts';

/** Close codes (RFC 6455 §7.4.1); REPLACED is ours. */
export const CLOSE = { goingAway: 1001, violation: 1008, tryAgainLater: 1013, replaced: 4000 } as const;

export interface ConnectionLimits {
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly controlPerSecond: number;
  readonly backlog: number;
}

/**
 * One authenticated hospital's WebSocket: sending with a known backlog, and reading that can be held for several
 * reasons at once (a slow receiver, the rate, a look at the ledger).
 */
export class Connection {
  readonly organisation: string;
  readonly publicKey: string;
  readonly socket: WebSocket;
  /** Under the WebSocket: held back while frames gather, so that many leave in one write. */
  readonly #line: Writable;
  #gathering = false;
  /** Pings that were not answered. */
  missed = 0;
  /** When the backlog passed its limit, until it has drained. */
  backloggedSince: number | undefined;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;
  readonly control: TokenBucket;
  readonly #limit: number;
  readonly #clock: () => number;
  readonly #holds = new Set<unknown>();
  /** Senders that are not read until this receiver has drained. */
  readonly #held = new Set<Connection>();
  /** Frames that were parsed already when reading was put off for a look at the ledger: order is kept. */
  queue: Buffer[] | undefined;
  #closed = false;

  constructor(of: {
    organisation: string;
    publicKey: string;
    socket: WebSocket;
    line: Writable;
    limits: ConnectionLimits;
    clock: () => number;
  }) {
    this.organisation = of.organisation;
    this.publicKey = of.publicKey;
    this.socket = of.socket;
    this.#line = of.line;
    this.#limit = of.limits.backlog;
    this.#clock = of.clock;
    const now = of.clock();
    this.frames = new TokenBucket(of.limits.framesPerSecond, now);
    this.bytes = new TokenBucket(of.limits.bytesPerSecond, now);
    this.control = new TokenBucket(of.limits.controlPerSecond, now);
  }

  get open(): boolean {
    return !this.#closed && this.socket.readyState === this.socket.OPEN;
  }
  get queueing(): boolean {
    return this.queue !== undefined;
  }
  get held(): boolean {
    return this.#holds.size > 0;
  }

  /** Stops reading for `reason`; true when this reason is new. */
  hold(reason: unknown): boolean {
    if (this.#holds.has(reason)) return false;
    this.#holds.add(reason);
    if (this.#holds.size === 1) this.socket.pause();
    return true;
  }

  release(reason: unknown): void {
    if (this.#holds.delete(reason) && this.#holds.size === 0) this.socket.resume();
  }

  send(frame: Frame): void {
    this.forward(encodeFrame(frame));
  }

  /** Sends the very bytes that came in: nothing is copied or encoded again. Their memory goes once they are sent. */
  forward(bytes: Uint8Array): void {
    if (!this.open) return;
    if (bytes.length < GATHER_BYTES) this.#gather();
    this.socket.send(bytes, BINARY, () => {
      discard(bytes);
      this.#flushed();
    });
  }

  /** Forwards and, when too much waits for this receiver, stops reading the sender. True when it did so just now. */
  forwardFrom(sender: Connection, bytes: Uint8Array): boolean {
    this.forward(bytes);
    if (this.socket.bufferedAmount <= this.#limit) return false;
    this.backloggedSince ??= this.#clock();
    this.#held.add(sender);
    return sender.hold(this);
  }

  /** Forgets the connection at once, whatever the peer does; safe to call again. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.ended();
    this.socket.close(code, reason);
    // A violator, or a peer that is gone, need not answer the closing handshake.
    setTimeout(() => this.socket.terminate(), 1000).unref();
  }

  /** The socket is closed: whoever waited for this receiver waits in vain. */
  ended(): void {
    this.#closed = true;
    this.queue = undefined;
    this.#holds.clear();
    // A paused socket would never notice the peer's closing frame.
    this.socket.resume();
    this.#releaseSenders();
  }

  /** What is sent until the event loop has read all that came in leaves together: a round of a session meets here. */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#line.cork();
    setImmediate(() => {
      this.#gathering = false;
      this.#line.uncork();
    });
  }

  #flushed(): void {
    if (this.backloggedSince === undefined || this.socket.bufferedAmount > this.#limit / 4) return;
    this.backloggedSince = undefined;
    this.#releaseSenders();
  }

  #releaseSenders(): void {
    for (const sender of this.#held) sender.release(this);
    this.#held.clear();
  }
}

const BINARY = { binary: true } as const;
/** A write of its own costs a longer frame little, and back-pressure works on each. */
const GATHER_BYTES = 16 * 1024;
