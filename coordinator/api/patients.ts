import { createRoute, z } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { effectiveEpoch } from '../../ledger/consent.ts';
import { decodeDocument } from '../../protocol/canonical.ts';
import {
  consentStatement,
  accessStatement,
  patientStatement,
  verifyAccess,
  verifyConsent,
  type PatientStatement,
} from '../../protocol/consent.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { digest, publicKey, sessionId, organisationId } from '../../protocol/names.ts';
import { consentRuleOf } from '../../protocol/schema.ts';
import { AddressLimit } from './address-limit.ts';
import type { Api, Context } from './context.ts';
import { unknown } from './reads.ts';
import { failure, json } from './routes.ts';

/** A statement on fifty purposes at a hundred hospitals takes ten thousand. */
const BODY_LIMIT = 16_384;

const month = z.string().openapi({ example: '2026-12' });
const month1 = z.literal([1, 3, 6, 12]);
const everyOr = z.union([z.literal('*'), z.array(z.string()).readonly()]);

const statements = z
  .strictObject({
    consortium: digest,
    hospitals: z.array(z.strictObject({ id: organisationId, name: z.string() })).readonly(),
    epochs: z.array(z.strictObject({ period: month, by: organisationId })).readonly(),
  })
  .openapi('ConsentLedger');
const patient = z
  .strictObject({
    patient: publicKey,
    consents: z
      .array(
        z.strictObject({
          sequence: z.int(),
          decision: z.enum(['grant', 'withdraw']),
          dataset: z.string(),
          purposes: everyOr,
          hospitals: everyOr,
          epoch: month.optional(),
        }),
      )
      .readonly(),
    accesses: z
      .array(
        z.strictObject({
          sequence: z.int(),
          decision: z.enum(['grant', 'revoke']),
          doctor: publicKey,
          hospital: organisationId,
          until: z.string().optional(),
        }),
      )
      .readonly(),
  })
  .openapi('Patient');
const dataset = z
  .strictObject({
    dataset: z.string(),
    version: z.int(),
    description: z.string().optional(),
    consent: z.strictObject({ basis: z.enum(['opt-in', 'opt-out', 'none']), everyMonths: month1 }),
    epoch: month.optional(),
  })
  .openapi('Dataset');
const publication = z
  .strictObject({
    researcher: organisationId,
    ledger: digest,
    session: sessionId,
    receipt: digest,
    result: digest,
    title: z.string(),
    link: z.string().optional(),
  })
  .openapi('Publication');
const statementBody = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('consent'), statement: consentStatement.clone(), signature: z.string() }),
    z.strictObject({
      kind: z.literal('access'),
      statement: z.union(accessStatement.options.map((option) => option.clone())),
      signature: z.string(),
    }),
  ])
  .openapi('PatientStatement');

/**
 * Registers what anyone may read and post of patients: statements and epochs of consent, datasets, published results. A statement
 * carries its patient's signature: the coordinator records it in its own name, and can neither make nor change one.
 */
export function addPatients(api: Api, context: Context): void {
  const { ledger, statements: open, limits, clock } = context;
  const posts = new AddressLimit(limits.statementsPerSecond, clock);

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/consent',
      summary: 'The ledger that patients’ statements are for: its hospitals and the epochs of consent',
      responses: { 200: json('Epochs that stand, oldest first.', statements), default: failure },
    }),
    (c) => {
      const hospitals = open.organisations().filter(({ roles }) => roles.includes('hospital'));
      const named = hospitals.map(({ id, name }) => ({ id, name }));
      const epochs = open.consentEpochs().flatMap(({ period, by, withdrawn }) => (withdrawn ? [] : [{ period, by }]));
      return c.json({ consortium: open.consortium, hospitals: named, epochs }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/consent/patients/{key}',
      summary: 'What a patient’s key has said',
      request: { params: z.object({ key: publicKey.clone().openapi({ param: { name: 'key', in: 'path' } }) }) },
      responses: { 200: json('By rising sequence.', patient), default: failure },
    }),
    (c) => c.json(open.patient(c.req.valid('param').key) ?? unknown('patient’s key'), 200),
  );

  api.use('/v1/consent/statements', bodyLimit({ maxSize: BODY_LIMIT, onError: tooLarge }));
  api.openapi(
    createRoute({
      method: 'post',
      path: '/v1/consent/statements',
      summary: 'Records what a patient signed',
      request: { body: { required: true, content: { 'application/json': { schema: statementBody } } } },
      responses: {
        200: json('It is durable.', z.strictObject({ index: z.int() }).openapi('Recorded')),
        default: failure,
      },
    }),
    async (c) => {
      if (!posts.admits(c.env.incoming.socket.remoteAddress ?? '')) {
        throw new Refusal('TOO_MANY', 'too many statements from this address', { hint: 'Try again in a minute.' });
      }
      const body = await c.req.text();
      const posted = decodeDocument(patientStatement, body, { what: 'statement', limit: BODY_LIMIT });
      requireSigned(posted, open.consortium);
      const { index } = await open.submit(context.member, actionOf(posted));
      return c.json({ index }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/datasets',
      summary: 'Datasets in their newest version: what their use rests on, and the epoch of consent in effect',
      responses: {
        200: json('By name.', z.strictObject({ datasets: z.array(dataset).readonly() })),
        default: failure,
      },
    }),
    (c) => {
      const newest = new Map(ledger.schemas().map((schema) => [schema.dataset, schema] as const));
      const datasets = [...newest.values()].map((schema) => {
        const epoch = effectiveEpoch(open.consentEpochs(), schema);
        return {
          dataset: schema.dataset,
          version: schema.version,
          ...(schema.description === undefined ? {} : { description: schema.description }),
          consent: consentRuleOf(schema),
          ...(epoch === undefined ? {} : { epoch }),
        };
      });
      return c.json({ datasets }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/v1/publications',
      summary: 'Results that researchers made public',
      responses: {
        200: json(
          'Whether the ledger that one names bears it out is for the reader to check.',
          z.strictObject({ publications: z.array(publication).readonly() }),
        ),
        default: failure,
      },
    }),
    (c) => c.json({ publications: open.publications() }, 200),
  );
}

/** Nothing is sent to the ledger for what nobody signed, or signed for another one. */
function requireSigned(posted: PatientStatement, consortium: string): void {
  if (posted.statement.consortium !== consortium) {
    throw new Refusal('UNKNOWN', 'this statement was signed for another ledger', {
      hint: 'GET /v1/consent names the ledger that statements are for.',
    });
  }
  const signed = posted.kind === 'consent' ? verifyConsent(posted) : verifyAccess(posted);
  if (signed) return;
  throw new Refusal('BAD_SIGNATURE', 'the patient’s signature does not verify', {
    hint: 'The statement was changed after signing, or signed with another key than the one it names.',
  });
}

function actionOf(posted: PatientStatement): ActionOf<'recordConsent'> | ActionOf<'recordAccess'> {
  const { signature } = posted;
  return posted.kind === 'consent'
    ? { type: 'recordConsent', statement: posted.statement, signature }
    : { type: 'recordAccess', statement: posted.statement, signature };
}

function tooLarge(): never {
  throw new Refusal('TOO_LARGE', 'the body of this request is too large');
}
