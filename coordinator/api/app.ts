import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import type { Context as RequestContext } from 'hono';
import { routePath } from 'hono/route';
import { asHealthchainError, Fault, Misuse, Refusal, type HealthchainError } from '../../protocol/errors.ts';
import { addActions } from './actions.ts';
import type { AddressLimit } from './address-limit.ts';
import type { Api, ApiEnv, Context } from './context.ts';
import { retryAfter, statusOf } from './errors.ts';
import { addEvents } from './events.ts';
import { addFetches } from './fetches.ts';
import { addOperations } from './operations.ts';
import { addPages } from './pages.ts';
import { addPatients } from './patients.ts';
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
  addPatients(api, context);
  addPages(api, context.pages);
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
