import { getRequestListener } from '@hono/node-server';
import { Misuse } from '../protocol/errors.ts';
import { AddressLimit } from './api/address-limit.ts';
import { createApi } from './api/app.ts';
import { withDefaults, type CoordinatorConfig } from './config.ts';
import { CatchUp, holderOf } from './ledger-view.ts';
import { listen } from './listen.ts';
import { Metrics } from './metrics.ts';
import { Connections } from './relay/connections.ts';
import { acceptHospitals } from './relay/door.ts';
import { startHeartbeat } from './relay/heartbeat.ts';
import { Relay } from './relay/relay.ts';
import { Former } from './sessions/former.ts';
import { Notices } from './sessions/notices.ts';
import { Preparations } from './sessions/preparations.ts';
import { Progress } from './sessions/progress.ts';
import { reportTo } from './sessions/reports.ts';
import { SessionTable } from './sessions/table.ts';
import { Streams } from './streams/streams.ts';

export interface Coordinator {
  /** Where it listens, as http://127.0.0.1:8080. */
  readonly url: string;
  /** Stops at once and writes nothing to the ledger: as far as sessions go, the same as being killed. */
  close(): Promise<void>;
}

/**
 * Starts the relay, the forming of sessions and the HTTP API on one port. It is trusted for availability alone: it sees
 * no share and no answer, and hospitals believe the ledger, not it.
 *
 * Errors: `Misuse BAD_CONFIG` (limits, address, or a member that is no coordinator on the ledger), `Fault PORT_IN_USE`,
 * `Fault LEDGER_DOWN` when the ledger does not answer at the start; later it waits for a ledger that is away.
 */
export async function startCoordinator(config: CoordinatorConfig): Promise<Coordinator> {
  const { limits, deadlines } = withDefaults(config);
  const { ledger, member, log } = config;
  const clock = config.clock ?? Date.now;
  const catchUp = new CatchUp(ledger);
  await catchUp.now();
  requireCoordinator(config);

  const closing = new AbortController();
  const metrics = new Metrics();
  const connections = new Connections(clock, metrics);
  const sessions = new SessionTable(ledger, clock);
  const progress = new Progress();
  const notices = new Notices(ledger, connections);
  const streams = new Streams({ connections, limits, deadline: deadlines.stream, metrics });
  const preparations = new Preparations({ ledger, connections, deadline: deadlines.preparation, metrics, log });
  const relay = new Relay({ connections, sessions, preparations, streams, catchUp, metrics, log, clock });
  const former = new Former({
    ...{ ledger, member, connections, sessions, progress, notices, deadlines, metrics, log, clock },
    attempts: limits.attempts,
  });

  sessions.onChange = (session, told) => {
    if (told !== undefined) reportTo(progress, session, told);
    former.consider(session.query);
  };
  connections.onArrival = (hospital) => {
    notices.welcome(hospital);
    former.reconsider();
  };
  connections.onDeparture = (connection) => {
    streams.lost(connection);
    sessions.lost(connection.organisation);
    preparations.lost(connection.organisation);
    former.reconsider();
  };

  const { forward, publicUrl } = config;
  const addresses = new AddressLimit(limits.requestsPerSecond, clock);
  const api = createApi(
    {
      ...{ ledger, catchUp, connections, sessions, streams, progress, metrics, limits, log, clock },
      ...{ forward, publicUrl, closing: closing.signal },
      ...{ statements: config.publicLedger ?? ledger, member, pages: config.pages ?? [] },
    },
    addresses,
  );
  const stop = (): void => {
    closing.abort();
    former.close();
    preparations.close();
    metrics.close();
  };
  try {
    await former.start();
    const server = await listen(config, getRequestListener(api.fetch, { overrideGlobalObjects: false }));
    const door = acceptHospitals(server.http, {
      ...{ ledger, catchUp, connections, relay, addresses, metrics, limits, log, clock },
      deadline: deadlines.handshake,
    });
    former.onKeyChange = () => door.recheckKeys();
    const { heartbeat: interval, stuck } = deadlines;
    const stopHeartbeat = startHeartbeat({ connections, interval, stuck, clock });
    log.info({ url: server.url }, 'coordinator listens');
    return {
      url: server.url,
      close: async () => {
        stop();
        stopHeartbeat();
        door.close();
        await server.close();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

function requireCoordinator({ ledger, member }: CoordinatorConfig): void {
  const { organisation, identity } = member;
  const { publicKey } = identity;
  if (holderOf(ledger, { organisation, publicKey, role: 'coordinator' }) !== undefined) return;
  throw new Misuse('BAD_CONFIG', `${organisation} is not a coordinator on the ledger, or not with this key`, {
    hint: 'An admin registers it with role coordinator; compare the key with the ledger.',
    party: organisation,
  });
}
