import type { Logger } from 'pino';
import { Misuse } from '../protocol/errors.ts';
import type { SignedAction } from '../protocol/ledger.ts';
import type { Acknowledgement, Ledger, Member } from '../ledger/ledger.ts';

/** What one member or address may use at most. Generous: they bound memory and stop floods, not work. */
export interface Limits {
  /** Frames a second that are read of one hospital; faster ones wait in its own socket. */
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Status, credit and cancel frames and pings a second; a hospital above it is disconnected. */
  readonly controlPerSecond: number;
  /** Bytes waiting to be sent to one hospital above which its senders are no longer read. */
  readonly backlog: number;
  /** Connections that have not yet proved who they are. */
  readonly handshakes: number;
  /** HTTP requests a second of one address (of one /64 for IPv6). */
  readonly requestsPerSecond: number;
  /** Patients' statements a second of one address: a person signs one now and then. */
  readonly statementsPerSecond: number;
  /** Answer streams in parallel: of one researcher, and of all together. */
  readonly streamsPerResearcher: number;
  readonly streams: number;
  /** Progress listeners (server-sent events) of all together. */
  readonly listeners: number;
  /** Chunks of one stream that may be on their way to a slow HTTP reader. */
  readonly window: number;
  /** Sessions tried for one query. */
  readonly attempts: number;
}

/** All in milliseconds. */
export interface Deadlines {
  /** For the hospitals' approvals, from the query's submission. Then those who approved go on alone. */
  readonly approval: number;
  /** How long an approved hospital that is not connected is waited for. */
  readonly join: number;
  /** After a connection is lost in a session, until the session is aborted. */
  readonly dropOut: number;
  /** From the opening of a session until its first share opens. */
  readonly session: number;
  /** From the last sign of progress of a session that has opened, until the researcher's receipt. */
  readonly answer: number;
  /** For hospitals that make stock together. */
  readonly preparation: number;
  readonly handshake: number;
  readonly heartbeat: number;
  /** A hospital that does not take what waits for it for so long is disconnected. */
  readonly stuck: number;
  /** For the next chunk of a stream, and for an HTTP reader to take one. */
  readonly stream: number;
  /** Between attempts to reach a ledger that is down. */
  readonly retry: number;
}

/** A file that the coordinator hands to browsers as it is. */
export interface Page {
  /** As /patient. */
  readonly path: string;
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface CoordinatorConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly ledger: Ledger;
  /** Where patients' statements and published results are, when not on the ledger of queries. */
  readonly publicLedger?: Ledger | undefined;
  /** What browsers may load: the patient's page. */
  readonly pages?: readonly Page[] | undefined;
  /** The coordinator's own organisation and key: it opens and aborts sessions on the ledger. */
  readonly member: Member;
  readonly log: Logger;
  readonly limits?: Partial<Limits> | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
  /** PEM texts. Without them the server speaks plain HTTP, for loopback and behind a TLS proxy. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Where members reach this server, when a proxy stands in between: named in the OpenAPI document. */
  readonly publicUrl?: string | undefined;
  /** Passes a signed action on to the ledger. Without it POST /v1/actions answers 501. */
  readonly forward?: ((signed: SignedAction) => Promise<Acknowledgement>) | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: (() => number) | undefined;
}

export const DEFAULT_LIMITS: Limits = {
  framesPerSecond: 50_000,
  bytesPerSecond: 1024 * 1024 * 1024,
  controlPerSecond: 500,
  backlog: 4 * 1024 * 1024,
  handshakes: 512,
  requestsPerSecond: 500,
  statementsPerSecond: 5,
  streamsPerResearcher: 128,
  streams: 512,
  listeners: 1000,
  window: 8,
  attempts: 5,
};

export const DEFAULT_DEADLINES: Deadlines = {
  // People decide in days; where policies decide by themselves, all have decided in a second.
  approval: 7 * 24 * 3600_000,
  join: 10_000,
  dropOut: 2000,
  session: 15 * 60_000,
  answer: 24 * 3600_000,
  preparation: 15 * 60_000,
  handshake: 10_000,
  heartbeat: 10_000,
  stuck: 60_000,
  stream: 60_000,
  retry: 1000,
};

/** Fills in defaults. `Misuse BAD_CONFIG` for a limit or deadline that is not a positive number. */
export function withDefaults(config: CoordinatorConfig): { limits: Limits; deadlines: Deadlines } {
  const limits = { ...DEFAULT_LIMITS, ...given(config.limits) };
  const deadlines = { ...DEFAULT_DEADLINES, ...given(config.deadlines) };
  for (const [name, value] of Object.entries({ ...limits, ...deadlines })) {
    if (!Number.isFinite(value) || value <= 0) {
      throw new Misuse('BAD_CONFIG', `coordinator: ${name} must be a positive number`);
    }
  }
  return { limits, deadlines };
}

const given = <T extends object>(values: T | undefined): Partial<T> =>
  Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
