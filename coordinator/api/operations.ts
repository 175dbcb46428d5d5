import { createRoute, z } from '@hono/zod-openapi';
import { html, raw } from 'hono/html';
import type { LiveSession } from '../sessions/live.ts';
import type { Api, Context } from './context.ts';
import { apiDocument } from './document.ts';
import { failure, json } from './routes.ts';
import * as schemas from './schemas.ts';

/** How long a ledger may take to answer before it counts as unreachable, and how long an answer is believed. */
const PATIENCE = 3000;
const BELIEVED = 5000;

/** Registers what the operator looks at: health, metrics, the OpenAPI document and a page that lists the endpoints. */
export function addOperations(api: Api, context: Context): void {
  const reachable = ledgerProbe(context);

  api.openapi(
    createRoute({
      method: 'get',
      path: '/health',
      summary: 'Is the ledger reachable, who is connected',
      responses: {
        200: json('In order.', schemas.health),
        503: json('The ledger is unreachable: running sessions go on, new ones wait.', schemas.health),
        default: failure,
      },
    }),
    async (c) => {
      const ok = await reachable();
      const hospitals = context.ledger
        .organisations()
        .filter((each) => each.roles.includes('hospital'))
        .map(({ id }) => ({ id, connected: context.connections.connected(id) }));
      return ok
        ? c.json({ status: 'ok' as const, ledger: 'reachable' as const, hospitals }, 200)
        : c.json({ status: 'degraded' as const, ledger: 'unreachable' as const, hospitals }, 503);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/metrics',
      summary: 'Prometheus metrics',
      responses: { 200: { description: 'Prometheus text format.', content: { 'text/plain': { schema: z.string() } } } },
    }),
    async (c) => {
      const text = await context.metrics.text((metrics) => {
        metrics.sessions.reset();
        for (const session of context.sessions.all()) metrics.sessions.inc({ stage: stageOf(session) });
      });
      return c.text(text, 200, { 'content-type': context.metrics.registry.contentType });
    },
  );

  api.get('/openapi.json', (c) => c.json(apiDocument(api, context.publicUrl)));
  api.get('/', (c) => c.html(page(apiDocument(api, context.publicUrl))));
}

const stageOf = (session: LiveSession): string => (session.torn ? 'torn' : session.stage);

/** Asks the ledger at most once in five seconds, however often it is called. */
function ledgerProbe(context: Context): () => Promise<boolean> {
  let at = -Infinity;
  let answer: Promise<boolean> = Promise.resolve(true);
  return () => {
    const now = context.clock();
    if (Math.abs(now - at) < BELIEVED) return answer;
    at = now;
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), PATIENCE).unref());
    const asked = context.catchUp.now().then(
      () => true,
      () => false,
    );
    answer = Promise.race([asked, late]);
    return answer;
  };
}

function page(document: ReturnType<typeof apiDocument>) {
  const rows = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { summary?: string }>).map(
      ([method, route]) =>
        html`<tr>
          <td>${method.toUpperCase()}</td>
          <td><code>${path}</code></td>
          <td>${route.summary ?? ''}</td>
        </tr>`,
    ),
  );
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>healthchain coordinator</title>
      <style>
        ${raw('body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td{padding:.2rem 1rem .2rem 0;vertical-align:top}')}
      </style>
      <h1>healthchain coordinator</h1>
      <p>
        Relays what hospitals seal for each other and for the researcher. It can read none of it. Hospitals connect to
        <code>/v1/connect</code> (WebSocket, healthchain.1). The API as a document:
        <a href="openapi.json">openapi.json</a>.
      </p>
      <table>
        ${rows}
      </table>
    </html>`;
}
