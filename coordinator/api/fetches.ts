import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { createRoute, z } from '@hono/zod-openapi';
import { Misuse, Refusal } from '../../protocol/errors.ts';
import type { PullRequest } from '../../protocol/frame.ts';
import { PROOF_HEADER } from '../../protocol/request.ts';
import { suspensionIn } from '../../ledger/standing.ts';
import { SHARE_TYPE } from '../streams/pull.ts';
import type { Api, ApiEnv, Context } from './context.ts';
import { Gate } from './proof.ts';
import { unknown } from './reads.ts';
import { failure } from './routes.ts';
import * as schemas from './schemas.ts';

const headers = z.object({
  [PROOF_HEADER]: z.string().optional().openapi({
    description:
      'organisation, key, time, nonce and Ed25519 signature over the request (docs/protocol.md, signed requests)',
  }),
});

const stream = {
  200: {
    description:
      'Chunks, each with its length (uint32, big-endian) before it; a length of zero ends the stream. A body without that ' +
      'end was cut off.',
    content: { [SHARE_TYPE]: { schema: z.string().openapi({ format: 'binary' }) } },
  },
  default: failure,
};

/** Registers what the researcher who submitted a query fetches from its hospitals, through this relay: shares are sealed to it, the rest is signed. */
export function addFetches(api: Api, context: Context): void {
  const gate = new Gate(context);

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/sessions/{id}/shares/{hospital}',
      summary: "A hospital's sealed summed share (signed, by the query's researcher)",
      request: {
        params: schemas.path.share,
        query: z.object({ step: z.coerce.number().int().min(0).max(999).default(0) }),
        headers,
      },
      responses: stream,
    }),
    async (c) => {
      const { id, hospital } = c.req.valid('param');
      const request: PullRequest = { kind: 'share', session: id, step: c.req.valid('query').step };
      return await fetchFrom(c.env, c.req.raw.headers, new Uint8Array(), hospital, request);
    },
  );

  api.openapi(
    createRoute({
      method: 'post',
      path: '/v1/sessions/{id}/pull/{hospital}',
      summary:
        "A hospital's part in finding a cheat: its statement, its overflow, or a seed (signed, by the query's researcher)",
      request: {
        params: schemas.path.share,
        headers,
        body: { required: true, content: { 'application/json': { schema: schemas.pull } } },
      },
      responses: stream,
    }),
    async (c) => {
      const { id, hospital } = c.req.valid('param');
      const request = c.req.valid('json');
      if (request.session !== id) throw new Misuse('MALFORMED', 'the request names another session than its path');
      if (request.kind === 'share') throw new Misuse('MALFORMED', 'shares are fetched with GET');
      const body = new Uint8Array(await c.req.arrayBuffer());
      return await fetchFrom(c.env, c.req.raw.headers, body, hospital, request);
    },
  );

  async function fetchFrom(
    env: ApiEnv['Bindings'],
    requestHeaders: Headers,
    body: Uint8Array,
    hospital: string,
    request: PullRequest,
  ): Promise<Response> {
    const { method = '', url: target = '' } = env.incoming;
    const researcher = await gate.admit({ method, target, headers: requestHeaders, body }, 'researcher');
    requireOwnSession(context, researcher, request.session, hospital);
    const response = env.outgoing;
    const pull = context.streams.open({ hospital, researcher, request, response });
    context.log.info({ session: request.session, hospital, kind: request.kind }, 'stream opened');
    await pull.begun;
    return RESPONSE_ALREADY_SENT;
  }
}

/** Only who asked the question fetches the answer. It could be read by nobody else, but streams cost. */
function requireOwnSession(context: Context, researcher: string, session: string, hospital: string): void {
  const record = context.ledger.session(session) ?? unknown('session');
  const query = context.ledger.query(record.query);
  if (query?.researcher !== researcher) {
    throw new Refusal('NOT_AUTHORIZED', 'the query of this session was submitted by another researcher');
  }
  const suspended = suspensionIn(context.ledger, query);
  if (suspended !== undefined) throw suspended;
  if (!record.roster.includes(hospital)) {
    throw new Refusal('UNKNOWN', 'this hospital is not in the roster of the session', { party: hospital });
  }
}
