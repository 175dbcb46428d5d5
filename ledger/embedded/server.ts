import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { Fault, Misuse } from '../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { openEngine, type FolderOptions } from './open.ts';
import { RateLimit, type Rate } from './rate-limit.ts';
import { ledgerRoutes } from './routes.ts';

export interface LedgerServerOptions extends FolderOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** PEM files; without them plain HTTP, for a local machine or behind a proxy that ends TLS. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Per remote address; default 200 requests a second, 2000 at once. */
  readonly rate?: Rate | undefined;
}

export interface LedgerServer {
  readonly url: string;
  readonly consortium: string;
  /** The key that signs tree heads, for members to pin. */
  readonly operatorPublicKey: string;
  /** Finishes what was submitted, ends streams, frees port and folder. */
  close(): Promise<void>;
}

const DEFAULT_RATE: Rate = { perSecond: 200, burst: 2000 };

/**
 * Opens or founds the ledger of a folder and serves it over HTTP (routes.ts).
 * Errors: as `openEngine`; `Fault PORT_IN_USE`; `Fault NETWORK` for an address that cannot be had; `Misuse BAD_CONFIG` for TLS files.
 */
export async function startLedgerServer(options: LedgerServerOptions): Promise<LedgerServer> {
  const tls = options.tls && (await readTls(options.tls));
  const engine = await openEngine(options);
  try {
    const app = ledgerRoutes(engine, new RateLimit(options.rate ?? DEFAULT_RATE, () => performance.now()));
    const server = tls
      ? createAdaptorServer({ fetch: app.fetch, createServer: createHttpsServer, serverOptions: tls })
      : createAdaptorServer({ fetch: app.fetch, createServer: createHttpServer });
    const { port } = await listen(server, options);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return {
      url: `${tls ? 'https' : 'http'}://${host}:${port}`,
      consortium: engine.consortium,
      operatorPublicKey: engine.operator,
      close: () => close(server, engine),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function readTls(files: { key: string; cert: string }): Promise<{ key: Buffer; cert: Buffer }> {
  try {
    return { key: await readFile(files.key), cert: await readFile(files.cert) };
  } catch (cause) {
    throw new Misuse('BAD_CONFIG', 'cannot read the TLS key or certificate file of the ledger', {
      hint: 'Check the two paths and that this user may read them.',
      cause,
    });
  }
}

function listen(server: ServerType, { host, port }: LedgerServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): Fault {
  if (cause.code === 'EADDRINUSE') {
    return new Fault('PORT_IN_USE', `port ${port} of ${host} is in use`, {
      hint: 'Stop the process that holds it, or choose another port.',
      cause,
    });
  }
  return new Fault('NETWORK', `cannot listen at ${host} port ${port} (${cause.code ?? 'unknown'})`, {
    hint: 'Check the address and that this user may use the port.',
    cause,
  });
}

async function close(server: ServerType, engine: Engine): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Submissions in flight are answered before connections are cut.
  await engine.close();
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const cut = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), 500);
  await closed;
  clearTimeout(cut);
}
