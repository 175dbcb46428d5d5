import { createRoute } from '@hono/zod-openapi';
import { decodeDocument } from '../../protocol/canonical.ts';
import { Refusal } from '../../protocol/errors.ts';
import { signedAction } from '../../protocol/ledger.ts';
import { verifyCaller } from '../../ledger/contract/call.ts';
import { hasActiveKey } from '../ledger-view.ts';
import type { Api, Context } from './context.ts';
import { failure, json } from './routes.ts';
import * as schemas from './schemas.ts';

const BODY_LIMIT = 1 << 20;

/**
 * Registers the way to the ledger for members that reach the coordinator alone. An action carries its caller's own
 * signature: the coordinator can pass it on, hold it back, but neither change nor make one.
 */
export function addActions(api: Api, context: Context): void {
  api.openapi(
    createRoute({
      method: 'post',
      path: '/v1/actions',
      summary: 'Passes a signed action on to the ledger',
      request: { body: { required: true, content: { 'application/json': { schema: schemas.signedActionBody } } } },
      responses: {
        200: json('The action is durable.', schemas.acknowledgement),
        501: json('This coordinator forwards nothing.', schemas.errorBody),
        default: failure,
      },
    }),
    async (c) => {
      if (context.forward === undefined) {
        const refusal = new Refusal('POLICY', 'this coordinator does not forward actions', {
          hint: 'Submit to the ledger directly: configure its URL.',
        });
        return c.json(refusal.toJSON(), 501);
      }
      const body = await c.req.text();
      const signed = decodeDocument(signedAction, body, { what: 'action', limit: BODY_LIMIT });
      if (signed.consortium !== context.ledger.consortium) {
        throw new Refusal('STALE', 'this action was signed for another consortium');
      }
      const { organisation, publicKey } = signed.caller;
      verifyCaller(signed);
      if (!hasActiveKey(context.ledger.organisation(organisation), publicKey)) await context.catchUp.now();
      if (!hasActiveKey(context.ledger.organisation(organisation), publicKey)) {
        throw new Refusal('BAD_SIGNATURE', 'this key is not an active key of the caller', { party: organisation });
      }
      const { index, id } = await context.forward(signed);
      return c.json({ index, id }, 200);
    },
  );
}
