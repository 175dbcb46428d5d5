import { z } from '@hono/zod-openapi';
import { period } from '../../protocol/consent.ts';
import { errorRecord, pullRequest } from '../../protocol/frame.ts';
import { abortReason, closeReason, ledgerHead, role } from '../../protocol/ledger.ts';
import {
  datasetReference,
  digest,
  organisationId,
  point,
  publicKey,
  queryId,
  sessionId,
} from '../../protocol/names.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import type { Query } from '../../protocol/query.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import { progressEvent } from '../sessions/events.ts';

/**
 * The documents of the HTTP API. The OpenAPI document is made of these. Types of the protocol are cloned: what was made
 * before the OpenAPI extension was loaded lacks its methods.
 */

/** Defined by recursion, which the generator cannot follow: its JSON Schema is put into the document by name. */
const byName = <T>(name: string) =>
  z.custom<T>((value) => typeof value === 'object' && value !== null).openapi(name, { type: 'object' });
const query = byName<Query>('Query');
export const signedActionBody = byName<SignedAction>('SignedAction');

export const errorBody = errorRecord.clone().openapi('Error');

const queryStatus = z.enum(['submitted', 'running', 'completed', 'failed', 'denied']);
const suspended = z.strictObject({ by: organisationId, reason: z.string() }).optional();
const organisationRecord = z
  .strictObject({
    id: organisationId,
    name: z.string(),
    roles: z.array(role).readonly(),
    msp: z.string().optional(),
    keys: z.array(z.strictObject({ publicKey, status: z.enum(['active', 'revoked']) })).readonly(),
    suspended,
  })
  .openapi('Organisation');

export const consortium = z
  .strictObject({ id: digest, organisations: z.array(organisationRecord).readonly() })
  .openapi('Consortium');

export const schema = datasetSchema.clone().openapi('DatasetSchema');
export const schemas = z.strictObject({ schemas: z.array(schema).readonly() });

const decision = z.discriminatedUnion('decision', [
  z.strictObject({ hospital: organisationId, decision: z.literal('approved') }),
  z.strictObject({ hospital: organisationId, decision: z.literal('denied'), reason: z.string() }),
]);

export const querySummary = z
  .strictObject({
    id: queryId,
    researcher: organisationId,
    dataset: datasetReference,
    purpose: z.string(),
    title: z.string().optional(),
    status: queryStatus,
    hospitals: z.int(),
    approved: z.int(),
    denied: z.int(),
    sessions: z.int(),
  })
  .openapi('QuerySummary');
export const queries = z.strictObject({ queries: z.array(querySummary) });

export const queryRecord = z
  .strictObject({
    id: queryId,
    researcher: organisationId,
    query,
    answerKey: publicKey,
    hospitals: z.array(organisationId).readonly(),
    steps: z.int(),
    status: queryStatus,
    decisions: z.array(decision).readonly(),
    sessions: z.array(sessionId).readonly(),
    closed: z.strictObject({ by: organisationId, reason: closeReason }).optional(),
    consentEpoch: period.optional(),
    suspended,
  })
  .openapi('QueryRecord');

const commitments = z.array(z.record(organisationId, point)).readonly();

export const sessionRecord = z
  .strictObject({
    id: sessionId,
    query: queryId,
    attempt: z.int(),
    roster: z.array(organisationId).readonly(),
    status: z.enum(['open', 'completed', 'aborted']),
    commitments,
    receipts: z.array(digest).readonly(),
    credits: z.record(organisationId, z.int()).optional(),
    abort: z
      .strictObject({
        by: organisationId,
        reason: abortReason,
        blame: organisationId.optional(),
        round: z.string().optional(),
        evidence: digest.optional(),
      })
      .optional(),
  })
  .openapi('SessionRecord');

export const receipt = z
  .strictObject({
    session: sessionId,
    query: queryId,
    final: z.boolean(),
    roster: z.array(organisationId).readonly(),
    commitments,
    receipts: z.array(digest).readonly(),
  })
  .openapi('Receipt');

export const head = ledgerHead.clone().openapi('LedgerHead');
export const progress = progressEvent.clone().openapi('ProgressEvent');
export const acknowledgement = z.strictObject({ index: z.int(), id: z.string() }).openapi('Acknowledgement');
export const pull = pullRequest.clone().openapi('PullRequest');
export const health = z
  .strictObject({
    status: z.enum(['ok', 'degraded']),
    ledger: z.enum(['reachable', 'unreachable']),
    hospitals: z.array(z.strictObject({ id: organisationId, connected: z.boolean() })),
  })
  .openapi('Health');

export const path = {
  id: z.object({ id: digest }),
  session: z.object({ session: digest }),
  reference: z.object({ reference: datasetReference }),
  share: z.object({ id: digest, hospital: organisationId }),
};
