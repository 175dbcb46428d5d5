import { readFileSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { HttpsProxyAgent } from 'https-proxy-agent';
import WebSocket from 'ws';
import type { Logger } from 'pino';
import { concatBytes, discard, toHex } from '../../protocol/bytes.ts';
import { decodeDocument } from '../../protocol/canonical.ts';
import { Fault, Misuse, asHealthchainError } from '../../protocol/errors.ts';
import {
  MAX_FRAME,
  challenge,
  connectBytes,
  decodeFrame,
  encodeFrame,
  errorOf,
  welcome,
  type Frame,
} from '../../protocol/frame.ts';
import type { Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';

export interface ConnectionOptions {
  /** ws:// or wss:// or http(s):// address of the coordinator. */
  readonly url: string;
  readonly organisation: string;
  readonly identity: Identity;
  readonly consortium: string;
  readonly log: Logger;
  /** http://host:port of a proxy between this hospital and the world. */
  readonly proxy?: string | undefined;
  /** PEM file of the authority that signed the coordinator's certificate, where it is a private one. */
  readonly caFile?: string | undefined;
  readonly heartbeatMs?: number;
}

interface ConnectionEvents {
  frame: [Frame];
  open: [];
  close: [];
}

const BACKOFF_MS = [200, 500, 1000, 2000, 5000, 10_000];
/** Bytes waiting in the socket above which senders wait. */
const BACKLOG = 2 * 1024 * 1024;
const HANDSHAKE_MS = 15_000;

/**
 * The hospital's one line to the world: dials out, proves its identity, stays up. Reconnects with backoff for ever,
 * unless the coordinator refuses this identity, which is tried again at the slowest pace.
 */
export class Connection extends EventEmitter<ConnectionEvents> {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | undefined;
  /** Under the WebSocket. */
  #line: Writable | undefined;
  #gathering = false;
  #attempt = 0;
  #closed = false;
  #ready = false;
  #retry: NodeJS.Timeout | undefined;
  /** Why the last attempt failed, for `doctor` and for the log. */
  lastError: Error | undefined;

  constructor(options: ConnectionOptions) {
    super();
    this.#options = options;
  }

  get connected(): boolean {
    return this.#ready;
  }

  start(): void {
    this.#dial();
  }

  /** Resolves when the bytes are handed to the socket and its backlog is small; rejects with `Fault COORDINATOR_DOWN`. */
  async send(frame: Frame): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || !this.#ready) throw coordinatorDown();
    // A chunk is large, and the sooner it leaves the sooner the next one's work overlaps with its transfer.
    if (frame.type !== 'chunk') this.#gather();
    await new Promise<void>((resolve, reject) => {
      const bytes = encodeFrame(frame);
      socket.send(bytes, { binary: true }, (error) => {
        discard(bytes);
        if (error) reject(coordinatorDown(error));
        else resolve();
      });
      if (socket.bufferedAmount <= BACKLOG) resolve();
    });
  }

  /** Frames of one turn, as those of a round to all peers, leave in one write. */
  #gather(): void {
    const line = this.#line;
    if (line === undefined || this.#gathering) return;
    this.#gathering = true;
    line.cork();
    setImmediate(() => {
      this.#gathering = false;
      line.uncork();
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
    this.#socket?.terminate();
  }

  #dial(): void {
    if (this.#closed) return;
    const { proxy, caFile } = this.#options;
    const url = `${this.#options.url.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/connect`;
    let socket: WebSocket;
    try {
      const ca = caFile === undefined ? undefined : readFileSync(caFile);
      socket = new WebSocket(url, 'healthchain.1', {
        maxPayload: MAX_FRAME,
        perMessageDeflate: false,
        handshakeTimeout: HANDSHAKE_MS,
        // Masking guards careless proxies against chosen plaintext (RFC 6455 §10.3). What we send is ciphertext, so the
        // all-zero mask gives up nothing, and `ws` then skips a pass over every byte in JavaScript.
        generateMask: (mask) => void mask.fill(0),
        ...(ca === undefined ? {} : { ca }),
        ...(proxy === undefined ? {} : { agent: new HttpsProxyAgent(proxy, ca === undefined ? {} : { ca }) }),
      });
    } catch (cause) {
      this.lastError = new Misuse(
        'BAD_CONFIG',
        `cannot dial the coordinator at ${url}: bad address, proxy or CA file`,
        { cause },
      );
      this.#options.log.error({ code: 'BAD_CONFIG' }, this.lastError.message);
      this.#later();
      return;
    }
    this.#socket = socket;
    this.#serve(socket);
  }

  #serve(socket: WebSocket): void {
    const { log } = this.#options;
    const heartbeat = this.#options.heartbeatMs ?? 10_000;
    let heard = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - heard > 3 * heartbeat) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, heartbeat);
    const alive = (): void => void (heard = Date.now());
    socket.on('upgrade', (response) => (this.#line = response.socket));
    socket.on('ping', alive).on('pong', alive);
    socket.on('message', (data: Buffer, binary) => {
      alive();
      try {
        if (binary) this.#receive(data);
        else this.#greet(socket, data);
      } catch (error) {
        const known = asHealthchainError(error, (cause) => new Fault('INTERNAL', 'cannot handle a frame', { cause }));
        this.lastError = known;
        log.warn({ code: known.code }, `connection to the coordinator: ${known.message}`);
        socket.close(1008);
      }
    });
    socket.on('error', (error) => {
      this.lastError = coordinatorDown(error);
      log.warn({ code: 'COORDINATOR_DOWN', reason: errorCode(error) }, 'cannot reach the coordinator');
    });
    socket.on('close', () => {
      clearInterval(watch);
      const wasReady = this.#ready;
      this.#ready = false;
      if (wasReady) this.emit('close');
      this.#later();
    });
  }

  #greet(socket: WebSocket, data: Buffer): void {
    if (this.#ready) throw new Misuse('MALFORMED', 'text message after the welcome');
    const message = JSON.parse(data.toString('utf8')) as { type?: unknown };
    const { organisation, identity, consortium } = this.#options;
    if (message.type === 'challenge') {
      const asked = decodeDocument(challenge, data, { what: 'challenge' });
      if (asked.consortium !== consortium) {
        throw new Fault('COORDINATOR_DOWN', 'this coordinator serves another consortium', {
          hint: 'Check coordinator.url and ledger.consortium in the configuration.',
        });
      }
      const signature = toHex(
        identity.sign(LABEL.connect, connectBytes({ consortium, nonce: asked.nonce, organisation })),
      );
      socket.send(JSON.stringify({ type: 'connect', organisation, publicKey: identity.publicKey, signature }));
      return;
    }
    const answer = decodeDocument(welcome, data, { what: 'welcome' });
    if (answer.type === 'refused') {
      this.#attempt = BACKOFF_MS.length;
      throw errorOf(answer.error);
    }
    this.#ready = true;
    this.#attempt = 0;
    this.lastError = undefined;
    this.#options.log.info({ url: this.#options.url }, 'connected to the coordinator');
    this.emit('open');
  }

  #receive(data: Buffer): void {
    if (!this.#ready) throw new Misuse('MALFORMED', 'binary frame before the welcome');
    const frame = decodeFrame(data);
    if (frame.type !== 'relay') {
      this.emit('frame', frame);
      return;
    }
    // Memory of its own, so that whoever opens the payload can give it back.
    const payload = concatBytes(frame.payload);
    discard(data);
    this.emit('frame', { ...frame, payload });
  }

  #later(): void {
    if (this.#closed) return;
    const wait = BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)]!;
    clearTimeout(this.#retry);
    // Jitter keeps a hundred hospitals from knocking in step after the coordinator restarts.
    this.#retry = setTimeout(() => this.#dial(), wait * (0.75 + Math.random() / 2));
  }
}

const coordinatorDown = (cause?: unknown): Fault =>
  new Fault('COORDINATOR_DOWN', 'no connection to the coordinator', {
    hint: 'It is tried again by itself. Check address, proxy and CA with: healthchain doctor.',
    cause,
  });

const errorCode = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
