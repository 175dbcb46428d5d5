import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { asHealthchainError, Fault, Misuse, Refusal, type HealthchainError } from '../../protocol/errors.ts';
import { signedAction, type SignedAction } from '../../protocol/ledger.ts';
import { Broadcast, pageOf } from './broadcast.ts';
import type { Engine } from './engine.ts';
import type { RateLimit } from './rate-limit.ts';
import { streamEntries } from './stream.ts';
import { ACTION_LIMIT, httpStatus, PAGE_ENTRIES } from './wire.ts';

/**
 * The HTTP interface of the embedded ledger. Open to read for whoever reaches it, since it holds nothing personal;
 * what may be written is the contract's business alone. Answers are JSON, errors `ErrorRecord`s.
 *
 *   POST /v1/actions                        a SignedAction; 201 {index, id, head} once it is durable
 *   GET  /v1/entries?from=&limit=           {entries}
 *   GET  /v1/head                           TreeHead
 *   GET  /v1/stream?from=                   server-sent events: `batch` {entries, head}; `heartbeat`
 *   GET  /v1/proof/inclusion?index=&size=   {proof}
 *   GET  /v1/proof/consistency?from=&to=    {proof}
 *   GET  /v1/export                         LedgerExport
 *   GET  /health                            {status, size}
 */
export function ledgerRoutes(engine: Engine, limit: RateLimit): Hono {
  const app = new Hono();
  const broadcast = new Broadcast(engine);
  app.use(async (context, next) => {
    const { address } = getConnInfo(context).remote;
    if (!limit.admit(address ?? 'unknown')) {
      throw new Refusal('TOO_MANY', 'too many requests from this address', { hint: 'Slow down and try again.' });
    }
    context.header('cache-control', 'no-store');
    await next();
  });
  app.onError((error, context) => answerError(context, asTyped(error)));
  app.notFound((context) => answerError(context, new Misuse('MALFORMED', 'there is nothing at this path'), 404));

  const onError = (): never => {
    throw new Refusal('TOO_LARGE', `an action of more than ${ACTION_LIMIT} bytes`);
  };
  app.post('/v1/actions', bodyLimit({ maxSize: ACTION_LIMIT, onError }), async (context) => {
    const signed = decodeAction(new Uint8Array(await context.req.arrayBuffer()));
    return answer(context, await engine.submit(signed), 201);
  });
  app.get('/v1/entries', (context) => {
    const { from, limit: count } = numbers(context, { from: 0, limit: PAGE_ENTRIES });
    return answer(context, { entries: pageOf(engine.entries, from, Math.min(count, PAGE_ENTRIES)) });
  });
  app.get('/v1/head', (context) => answer(context, engine.head()));
  app.get('/v1/stream', (context) => streamEntries(context, engine, broadcast, numbers(context, { from: 0 }).from));
  app.get('/v1/proof/inclusion', (context) => {
    const { index, size } = numbers(context, { index: undefined, size: undefined });
    return answer(context, { proof: engine.tree.inclusionProof(index, size).map(toHex) });
  });
  app.get('/v1/proof/consistency', (context) => {
    const { from, to } = numbers(context, { from: undefined, to: undefined });
    return answer(context, { proof: engine.tree.consistencyProof(from, to).map(toHex) });
  });
  app.get('/v1/export', (context) => answer(context, engine.export()));
  app.get('/health', (context) => answer(context, { status: 'ok', size: engine.head().size }));
  return app;
}

/** Errors: `Misuse MALFORMED`. */
function decodeAction(body: Uint8Array): SignedAction {
  try {
    return decodeDocument(signedAction, body, { what: 'signed action', limit: ACTION_LIMIT });
  } catch (error) {
    // Predicates nest without bound in the type: a document made to exhaust the stack ends here.
    throw asHealthchainError(error, () => new Misuse('MALFORMED', 'signed action: nested too deeply'));
  }
}

const count = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,14})$/)
  .transform(Number);

/** Reads counts from the query string; a name without a default must be there. */
function numbers<K extends string>(context: Context, defaults: Record<K, number | undefined>): Record<K, number> {
  const read = (name: string, fallback: number | undefined): number => {
    const text = context.req.query(name);
    if (text === undefined && fallback !== undefined) return fallback;
    const parsed = count.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new Misuse('MALFORMED', `the parameter ${name} must be a whole number of at least 0`);
  };
  const entries = Object.entries<number | undefined>(defaults).map(([name, fallback]) => [name, read(name, fallback)]);
  return Object.fromEntries(entries) as Record<K, number>;
}

const JSON_TYPE = { 'content-type': 'application/json' };

const answer = (context: Context, document: unknown, status: 200 | 201 = 200): Response =>
  context.body(canonicalText(document), status, JSON_TYPE);

const answerError = (context: Context, error: HealthchainError, status?: 404): Response =>
  context.body(canonicalText(error.toJSON()), status ?? httpStatus(error), JSON_TYPE);

/** What is not ours is a bug: the caller learns that much and no more. */
const asTyped = (error: unknown): HealthchainError =>
  asHealthchainError(error, (cause) => new Fault('INTERNAL', 'the ledger failed inside', { cause }));
