import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { canonicalText } from '../../protocol/canonical.ts';
import { HealthchainError } from '../../protocol/errors.ts';
import { MAX_FRAME } from '../../protocol/frame.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Limits } from '../config.ts';
import { hasActiveKey, type CatchUp } from '../ledger-view.ts';
import type { Metrics } from '../metrics.ts';
import { CLOSE, Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { shakeHands } from './handshake.ts';
import type { Relay } from './relay.ts';

export const CONNECT_PATH = '/v1/connect';
export const SUBPROTOCOL = 'healthchain.1';

export interface Door {
  /** Keys changed on the ledger: whoever came in with one that is no longer active is shown out. */
  recheckKeys(): void;
  close(): void;
}

/** Lets hospitals in: upgrades to WebSocket, checks who it is, and hands every message to the relay. */
export function acceptHospitals(
  server: Server,
  of: {
    ledger: Ledger;
    catchUp: CatchUp;
    connections: Connections;
    relay: Relay;
    addresses: { admits(address: string): boolean };
    metrics: Metrics;
    limits: Limits;
    log: Logger;
    clock: () => number;
    deadline: number;
  },
): Door {
  const { connections, relay, metrics, log } = of;
  // Frames are sealed and do not compress; a deflating peer could make one small message grow without bound.
  const upgrader = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  const greeting = new Set<WebSocket>();

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refusal = refuseUpgrade(request, greeting.size, of);
    if (refusal !== undefined) {
      metrics.refused.inc({ code: refusal });
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrader.handleUpgrade(request, socket, head, (webSocket) => void greet(webSocket, socket));
  });

  async function greet(socket: WebSocket, line: Duplex): Promise<void> {
    greeting.add(socket);
    // The library closes the socket after an error by itself, with 1009 for a message over maxPayload.
    socket.on('error', (error: Error & { code?: string }) => {
      metrics.closed.inc({ cause: error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'oversize' : 'websocket' });
    });
    let messages = 0;
    // The first message answers the challenge; the next may come after the welcome.
    let receive: (data: Buffer, isBinary: boolean) => void = () => {
      if (++messages > 1) socket.close(CLOSE.violation, 'frame before the welcome');
    };
    socket.on('message', (data: Buffer, isBinary: boolean) => receive(data, isBinary));

    const peer = await shakeHands(socket, of);
    greeting.delete(socket);
    if (peer instanceof HealthchainError) {
      metrics.refused.inc({ code: peer.code });
      log.info({ hospital: peer.party, code: peer.code }, 'connection refused');
      return;
    }
    if (socket.readyState !== socket.OPEN) return;
    const welcomed = new Connection({ ...peer, socket, line, limits: of.limits, clock: of.clock });
    socket.on('ping', () => relay.receivePing(welcomed));
    socket.on('pong', () => (welcomed.missed = 0));
    socket.on('close', (code) => {
      if (connections.ended(welcomed)) log.info({ hospital: peer.organisation, code }, 'hospital went');
    });
    socket.send(canonicalText({ type: 'welcome' }));
    log.info({ hospital: peer.organisation }, 'hospital connected');
    receive = (data, isBinary) => relay.receive(welcomed, data, isBinary);
    connections.add(welcomed);
    socket.resume();
  }

  return {
    recheckKeys: () => {
      for (const connection of connections.all()) {
        if (hasActiveKey(of.ledger.organisation(connection.organisation), connection.publicKey)) continue;
        log.warn({ hospital: connection.organisation }, 'connection closed: its key is no longer active');
        connections.drop(connection, CLOSE.violation, 'key revoked');
      }
    },
    close: () => {
      for (const socket of greeting) socket.terminate();
      for (const connection of connections.all()) {
        connection.close(CLOSE.goingAway, 'the coordinator stops');
        connection.socket.terminate();
      }
      upgrader.close();
    },
  };
}

/** An HTTP status line for a request that cannot become a hospital's connection. */
function refuseUpgrade(
  request: IncomingMessage,
  greeting: number,
  of: { addresses: { admits(address: string): boolean }; limits: Limits },
): string | undefined {
  if (new URL(request.url ?? '/', 'http://localhost').pathname !== CONNECT_PATH) return '404 Not Found';
  if (!of.addresses.admits(request.socket.remoteAddress ?? '')) return '429 Too Many Requests';
  if (greeting >= of.limits.handshakes) return '503 Service Unavailable';
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  return offered.includes(SUBPROTOCOL) ? undefined : '400 Bad Request';
}
