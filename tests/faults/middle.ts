import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import WebSocket, { WebSocketServer } from 'ws';
import { decodeFrame } from '../../protocol/frame.ts';

/** A relayed frame on its way from the coordinator to the victim. `place` counts those of one sender in one session. */
export interface Passing {
  readonly session: string;
  readonly from: number;
  readonly place: number;
  readonly bytes: Buffer;
}

/** What the victim gets instead, in this order; none to drop it. */
export type Attack = (passing: Passing) => readonly Buffer[];

/** Where a relay frame's payload begins: type, session, from, to. */
export const PAYLOAD = 1 + 32 + 4 + 4;

/**
 * A man in the middle of one hospital's line, which is what a malicious coordinator is: it sees every message and may
 * change, drop, repeat or reorder what comes to that hospital. Without an attack it passes everything on.
 */
export class Middle {
  attack: Attack | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<WebSocket>();

  private constructor(server: Server, upstream: string) {
    this.#server = server;
    const door = new WebSocketServer({ server, handleProtocols: () => 'healthchain.1', perMessageDeflate: false });
    door.on('connection', (near: WebSocket) => this.#join(near, upstream));
  }

  static async start(upstream: string): Promise<Middle> {
    const server = createServer();
    const middle = new Middle(server, upstream.replace(/^http/, 'ws'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return middle;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #join(near: WebSocket, upstream: string): void {
    const far = new WebSocket(`${upstream}/v1/connect`, 'healthchain.1', { perMessageDeflate: false });
    const places = new Map<string, number>();
    const early: [Buffer, boolean][] = [];
    for (const socket of [near, far]) this.#sockets.add(socket);
    near.on('message', (data: Buffer, binary) => {
      if (far.readyState === WebSocket.OPEN) far.send(data, { binary });
      else early.push([data, binary]);
    });
    far.on('open', () => early.forEach(([data, binary]) => far.send(data, { binary })));
    far.on('message', (data: Buffer, binary) => {
      for (const each of binary ? this.#pass(data, places) : [data]) near.send(each, { binary });
    });
    near.on('close', () => far.close()).on('error', () => far.terminate());
    far.on('close', () => near.close()).on('error', () => near.terminate());
  }

  #pass(bytes: Buffer, places: Map<string, number>): readonly Buffer[] {
    const frame = decodeFrame(bytes);
    if (frame.type !== 'relay' || this.attack === undefined) return [bytes];
    const key = `${frame.session}/${frame.from}`;
    const place = places.get(key) ?? 0;
    places.set(key, place + 1);
    return this.attack({ session: frame.session, from: frame.from, place, bytes });
  }
}
