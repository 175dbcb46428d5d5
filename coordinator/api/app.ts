import { isIPv6 } from 'node:net';
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import type { Context as RequestContext } from 'hono';
import { routePath } from 'hono/route';
import { asHealthchainError, Fault, Misuse, Refusal, type HealthchainError } from '../../protocol/errors.ts';
import { TokenBucket } from '../relay/bucket.ts';
import { addActions } from './actions.ts';
import type { Api, ApiEnv, Context } from './context.ts';
import { retryAfter, statusOf } from './errors.ts';
import { addEvents } from './events.ts';
import { addFetches } from './fetches.ts';
import { addOperations } from './operations.ts';
import { addReads } from './reads.ts';

/** The HTTP API: open reads, signed fetches, progress, operations. Every error leaves as an ErrorRecord. */
export function createApi(context: Context, addresses: AddressLimit): Api {
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const places = result.error.issues
        .slice(0, 3)
        .map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
      throw new Misuse('MALFORMED', `request: ${places.join('; ')}`);
    },
  });
  api.use(async (c, next) => {
    const address = c.env.incoming.socket.remoteAddress ?? '';
    if (!addresses.admits(address)) throw new Refusal('TOO_MANY', 'too many requests from this address');
    c.env.outgoing.setHeader('x-content-type-options', 'nosniff');
    await next();
    context.metrics.requests.inc({ status: c.env.outgoing.headersSent ? c.env.outgoing.statusCode : c.res.status });
  });
  api.onError((error, c) => answerError(error, c, context));
  api.notFound((c) =>
    answerError(new Refusal('UNKNOWN', 'no such endpoint', { hint: 'See GET / for the list.' }), c, context),
  );
  api.use('/v1/actions', bodyLimit({ maxSize: 1 << 20, onError: tooLarge }));
  api.use('/v1/sessions/*', bodyLimit({ maxSize: 450_000, onError: tooLarge }));
  addReads(api, context);
  addEvents(api, context);
  addFetches(api, context);
  addActions(api, context);
  addOperations(api, context);
  return api;
}

function answerError(error: unknown, c: RequestContext<ApiEnv>, context: Context): Response {
  const known = asHealthchainError(error, () => ofFramework(error));
  const status = statusOf(known);
  context.metrics.refused.inc({ code: known.code });
  if (status >= 500) context.log.warn({ code: known.code, party: known.party, route: routePath(c) }, 'request failed');
  const wait = retryAfter(status);
  if (wait !== undefined) c.header('retry-after', wait);
  // The rest of the body is not read: the client must not put its next request behind it.
  if (status === 413) c.header('connection', 'close');
  return c.json(known.toJSON(), status);
}

/** Hono's own exceptions carry a status; their texts, like any foreign error's, may quote the request and are not passed on. */
function ofFramework(error: unknown): HealthchainError {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : 500;
  return typeof status === 'number' && status < 500
    ? new Misuse('MALFORMED', 'the request does not decode')
    : new Fault('INTERNAL', 'the coordinator failed on this request');
}

function tooLarge(): never {
  throw new Refusal('TOO_LARGE', 'the body of this request is too large');
}

/** Requests a second of each address, or of each IPv6 network of a customer (/64). */
export class AddressLimit {
  readonly #perSecond: number;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perSecond: number, clock: () => number) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  admits(address: string): boolean {
    const now = this.#clock();
    if (this.#buckets.size > 10_000) this.#forget(now);
    const key = isIPv6(address) && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = new TokenBucket(this.#perSecond, now)));
    const admitted = bucket.take(1, now) === 0;
    // A refused request costs nothing, or a persistent caller would never come back in.
    if (!admitted) bucket.take(-1, now);
    return admitted;
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.full(now)) this.#buckets.delete(key);
  }
}
