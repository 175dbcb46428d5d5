import { randomBytes } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { Refusal } from '../../protocol/errors.ts';
import type { Api, Context } from './context.ts';
import { unknown } from './reads.ts';
import { failure } from './routes.ts';
import * as schemas from './schemas.ts';

/** Milliseconds after which a silent stream shows that it lives: proxies cut idle connections. */
const KEEP_ALIVE = 15_000;

/** Registers the progress of one query as server-sent events: what happened so far, then what happens, to the end. */
export function addEvents(api: Api, context: Context): void {
  // Event numbers are this process's own: after a restart a client is told everything again.
  const run = randomBytes(4).toString('hex');
  let listeners = 0;

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/queries/{id}/events',
      summary: 'Progress of one query, live',
      request: { params: schemas.path.id, headers: z.object({ 'last-event-id': z.string().max(40).optional() }) },
      responses: {
        200: {
          description: 'Events named "progress", each a ProgressEvent as JSON. Ends after the stage "finished".',
          content: { 'text/event-stream': { schema: schemas.progress } },
        },
        default: failure,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      if (context.ledger.query(id) === undefined) await context.catchUp.now();
      if (context.ledger.query(id) === undefined) unknown('query');
      if (listeners >= context.limits.listeners) throw new Refusal('TOO_MANY', 'too many progress listeners');
      const after = resumeAfter(c.req.valid('header')['last-event-id'], run);
      c.header('x-accel-buffering', 'no');
      return streamSSE(c, async (stream) => {
        listeners++;
        const gone = new AbortController();
        stream.onAbort(() => gone.abort());
        const keepAlive = setInterval(() => void stream.write(':\n\n'), KEEP_ALIVE);
        try {
          const signal = AbortSignal.any([gone.signal, context.closing]);
          for await (const { id: number, event } of context.progress.listen(id, after, signal)) {
            await stream.writeSSE({ event: 'progress', id: `${run}-${number}`, data: JSON.stringify(event) });
          }
        } finally {
          clearInterval(keepAlive);
          listeners--;
        }
      });
    },
  );
}

function resumeAfter(lastEventId: string | undefined, run: string): number {
  const match = /^([0-9a-f]{8})-([0-9]{1,15})$/.exec(lastEventId ?? '');
  return match?.[1] === run ? Number(match[2]) : 0;
}
