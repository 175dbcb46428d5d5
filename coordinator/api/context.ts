import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { SignedAction } from '../../protocol/ledger.ts';
import type { Acknowledgement, Ledger, Member } from '../../ledger/ledger.ts';
import type { Limits, Page } from '../config.ts';
import type { CatchUp } from '../ledger-view.ts';
import type { Metrics } from '../metrics.ts';
import type { Connections } from '../relay/connections.ts';
import type { Progress } from '../sessions/progress.ts';
import type { SessionTable } from '../sessions/table.ts';
import type { Streams } from '../streams/streams.ts';

/** What the routes answer from. */
export interface Context {
  readonly ledger: Ledger;
  /** Where patients' statements are: the public ledger where there is one. */
  readonly statements: Ledger;
  /** The coordinator itself, in whose name statements are recorded. */
  readonly member: Member;
  readonly pages: readonly Page[];
  readonly catchUp: CatchUp;
  readonly connections: Connections;
  readonly sessions: SessionTable;
  readonly streams: Streams;
  readonly progress: Progress;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly log: Logger;
  readonly clock: () => number;
  readonly forward: ((signed: SignedAction) => Promise<Acknowledgement>) | undefined;
  readonly publicUrl: string | undefined;
  /** Ends when the server closes: event streams end with it. */
  readonly closing: AbortSignal;
}

export interface ApiEnv {
  Bindings: HttpBindings;
}
export type Api = OpenAPIHono<ApiEnv>;
