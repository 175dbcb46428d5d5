import { createRoute, z } from '@hono/zod-openapi';
import { Refusal } from '../../protocol/errors.ts';
import type { QueryRecord } from '../../protocol/records.ts';
import type { Api, Context } from './context.ts';
import { failure, json } from './routes.ts';
import * as schemas from './schemas.ts';

/** Registers the open reads: what is on the ledger, for those without a view of their own. They prove nothing; a verifier does. */
export function addReads(api: Api, context: Context): void {
  const { ledger } = context;

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/consortium',
      summary: 'Consortium and members',
      responses: { 200: json('Identifier and organisations with their keys.', schemas.consortium), default: failure },
    }),
    (c) => c.json({ id: ledger.consortium, organisations: ledger.organisations() }, 200),
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/schemas',
      summary: 'Dataset schemas, all versions',
      responses: { 200: json('Schemas.', schemas.schemas), default: failure },
    }),
    (c) => c.json({ schemas: ledger.schemas() }, 200),
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/schemas/{reference}',
      summary: 'One dataset schema, as heart@1',
      request: { params: schemas.path.reference },
      responses: { 200: json('The schema.', schemas.schema), default: failure },
    }),
    (c) => {
      const { reference } = c.req.valid('param');
      return c.json(ledger.schema(reference) ?? unknown('dataset version'), 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/queries',
      summary: 'Queries and where they stand',
      request: { query: z.object({ status: schemas.queryRecord.shape.status.optional() }) },
      responses: { 200: json('Newest last; answers are never here.', schemas.queries), default: failure },
    }),
    (c) => {
      const { status } = c.req.valid('query');
      const found = ledger.queries().filter((query) => status === undefined || query.status === status);
      return c.json({ queries: found.map(summary) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/queries/{id}',
      summary: 'One query with its decisions and sessions',
      request: { params: schemas.path.id },
      responses: { 200: json('The query.', schemas.queryRecord), default: failure },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      if (ledger.query(id) === undefined) await context.catchUp.now();
      return c.json(ledger.query(id) ?? unknown('query'), 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/sessions/{id}',
      summary: 'One session with its commitments',
      request: { params: schemas.path.id },
      responses: { 200: json('The session.', schemas.sessionRecord), default: failure },
    }),
    (c) => c.json(ledger.session(c.req.valid('param').id) ?? unknown('session'), 200),
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/receipts/{session}',
      summary: 'What is needed to check an answer: commitments and result digests',
      request: { params: schemas.path.session },
      responses: { 200: json('The receipt.', schemas.receipt), default: failure },
    }),
    (c) => {
      const session = ledger.session(c.req.valid('param').session) ?? unknown('session');
      if (session.receipts.length === 0) unknown('receipt of this session');
      const { id, query, roster, commitments, receipts, status } = session;
      return c.json({ session: id, query, final: status === 'completed', roster, commitments, receipts }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/ledger/head',
      summary: 'The newest head this coordinator has verified',
      responses: {
        200: json(
          'Signed by the operator of an embedded ledger, or with the block of a Fabric channel that it follows from.',
          schemas.head,
        ),
        default: failure,
      },
    }),
    (c) => c.json(ledger.head(), 200),
  );
}

export function unknown(what: string): never {
  throw new Refusal('UNKNOWN', `no such ${what} on the ledger`, { hint: 'It may be too new: try again in a moment.' });
}

function summary(record: QueryRecord): z.infer<typeof schemas.querySummary> {
  const { id, researcher, query, status } = record;
  const approved = record.decisions.filter((each) => each.decision === 'approved').length;
  return {
    id,
    researcher,
    dataset: query.dataset,
    purpose: query.purpose,
    ...(query.title === undefined ? {} : { title: query.title }),
    status,
    hospitals: record.hospitals.length,
    approved,
    denied: record.decisions.length - approved,
    sessions: record.sessions.length,
  };
}
