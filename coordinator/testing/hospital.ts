import { WebSocket } from 'ws';
import { toHex } from '../../protocol/bytes.ts';
import { decodeDocument } from '../../protocol/canonical.ts';
import {
  challenge,
  connectBytes,
  decodeFrame,
  encodeFrame,
  welcome,
  type Challenge,
  type Frame,
  type SessionStage,
} from '../../protocol/frame.ts';
import type { ErrorRecord } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Member } from '../../ledger/ledger.ts';

type Welcome = ReturnType<typeof welcome.parse>;

/** A hospital's end of the wire, for tests: real sockets, frames by hand. */
export class TestHospital {
  readonly organisation: string;
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  /** Bytes of binary messages, as they came. */
  received = 0;
  keep = true;
  readonly #watchers = new Set<() => void>();
  #closed: { code: number; reason: string } | undefined;

  constructor(organisation: string, socket: WebSocket) {
    this.organisation = organisation;
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) return;
      this.received += data.length;
      if (this.keep) this.frames.push(decodeFrame(data));
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  static async connect(url: string, member: Member, consortium: string): Promise<TestHospital> {
    const { socket, next } = dial(url);
    const hospital = new TestHospital(member.organisation, socket);
    const asked = decodeDocument(challenge, await next(), { what: 'challenge' });
    if (asked.consortium !== consortium) throw new Error('another consortium');
    socket.send(JSON.stringify(answerTo(asked, member)));
    const answer = decodeDocument(welcome, await next(), { what: 'welcome' });
    if (answer.type === 'refused') throw new Error(answer.error.code);
    return hospital;
  }

  send(frame: Frame): void {
    this.socket.send(encodeFrame(frame));
  }
  sendAll(...frames: readonly Frame[]): void {
    for (const frame of frames) this.send(frame);
  }
  relay(session: string, from: number, to: number, payload: Uint8Array): void {
    this.send({ type: 'relay', session, from, to, payload });
  }
  status(session: string, stage: SessionStage, step = 0, error?: ErrorRecord): void {
    this.send({ type: 'status', status: { session, step, stage, ...(error && { error }) } });
  }

  /** The first frame that fits, now or later. */
  async next<T extends Frame['type']>(
    type: T,
    fits: (frame: Extract<Frame, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Frame, { type: T }>> {
    return await this.#wait(() =>
      this.frames.find((frame): frame is Extract<Frame, { type: T }> => frame.type === type && fits(frame as never)),
    );
  }
  async closed(): Promise<{ code: number; reason: string }> {
    return await this.#wait(() => this.#closed);
  }
  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }
  /** The network goes away: no closing handshake. */
  kill(): void {
    this.socket.terminate();
  }

  #wake(): void {
    for (const watch of [...this.#watchers]) watch();
  }
  #wait<T>(condition: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`${this.organisation} waited in vain`));
      }, 10_000);
      const look = (): void => {
        const value = condition();
        if (value === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(value);
      };
      this.#watchers.add(look);
      look();
    });
  }
}

/** Dials the coordinator; `next` hands out its text messages in order. */
export function dial(url: string): { socket: WebSocket; next: () => Promise<string> } {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/connect`, 'healthchain.1', {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    // What is sent is random or sealed anyway; masking it costs a pass over every byte.
    generateMask: (mask) => void mask.fill(0),
  });
  const texts: string[] = [];
  const waiting: { resolve: (text: string) => void; reject: (error: Error) => void }[] = [];
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return;
    const next = waiting.shift();
    if (next === undefined) texts.push(data.toString());
    else next.resolve(data.toString());
  });
  const fail = (why: string): void => waiting.splice(0).forEach((each) => each.reject(new Error(why)));
  socket.on('error', (error) => fail(error.message));
  socket.on('close', (code, reason) => fail(`closed ${code} ${reason.toString()}`));
  return {
    socket,
    next: () => {
      const text = texts.shift();
      if (text !== undefined) return Promise.resolve(text);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

export function answerTo(asked: Pick<Challenge, 'consortium' | 'nonce'>, member: Member) {
  const { organisation, identity } = member;
  const bytes = connectBytes({ consortium: asked.consortium, nonce: asked.nonce, organisation });
  const signature = toHex(identity.sign(LABEL.connect, bytes));
  return { type: 'connect' as const, organisation, publicKey: identity.publicKey, signature };
}

export type { Welcome };
