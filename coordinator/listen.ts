import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isIPv6, type AddressInfo } from 'node:net';
import { Fault, Misuse } from '../protocol/errors.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Listening {
  readonly http: Server;
  readonly url: string;
  close(): Promise<void>;
}

/** Opens the port. `Fault PORT_IN_USE`; `Misuse BAD_CONFIG` for an address or TLS key that cannot be used. */
export async function listen(
  config: {
    readonly host: string;
    readonly port: number;
    readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  },
  listener: Listener,
): Promise<Listening> {
  const { host, port, tls } = config;
  const server = serverFor(tls, listener);
  // Bodies are small; a request that trickles in is cut off. Event streams are responses and not concerned.
  server.requestTimeout = 60_000;
  server.headersTimeout = 20_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(whyNot(cause, host, port)));
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    http: server,
    url: `${tls === undefined ? 'http' : 'https'}://${isIPv6(host) ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serverFor(tls: { readonly key: string; readonly cert: string } | undefined, listener: Listener): Server {
  const handle = (request: IncomingMessage, response: ServerResponse): void => void listener(request, response);
  if (tls === undefined) return createServer(handle);
  try {
    return createTlsServer({ key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' }, handle);
  } catch (cause) {
    throw new Misuse('BAD_CONFIG', 'the TLS key and certificate do not fit together, or are not PEM', { cause });
  }
}

function whyNot(cause: NodeJS.ErrnoException, host: string, port: number): Fault | Misuse {
  if (cause.code === 'EADDRINUSE') {
    return new Fault('PORT_IN_USE', `port ${port} on ${host} is in use`, {
      hint: `Another coordinator may be running: choose another port, or look with: ss -ltnp 'sport = :${port}'`,
      cause,
    });
  }
  return new Misuse('BAD_CONFIG', `cannot listen on ${host}:${port} (${cause.code ?? 'unknown'})`, {
    hint: 'Use an address of this machine, and a port above 1023 without special rights.',
    cause,
  });
}
