import { z } from 'zod';
import { errorRecord } from '../../protocol/frame.ts';
import { abortReason } from '../../protocol/ledger.ts';
import { digest, organisationId } from '../../protocol/names.ts';

const hospital = organisationId;
const session = digest;
const step = z.int();

/**
 * One step of a query on its way, as the event stream tells it. What the ledger says comes from the ledger; the stages in
 * between are the hospitals' own word, with the kind and code of an error but not its text.
 */
export const progressEvent = z.discriminatedUnion('stage', [
  z.strictObject({ stage: z.literal('submitted'), hospitals: z.array(hospital) }),
  z.strictObject({ stage: z.literal('approved'), hospital }),
  z.strictObject({ stage: z.literal('denied'), hospital, reason: z.string() }),
  /** Why nothing happens now, and whom it depends on. */
  z.strictObject({
    stage: z.literal('waiting'),
    why: z.enum(['decision', 'connection', 'minimum', 'return', 'suspension']),
    hospitals: z.array(hospital),
  }),
  z.strictObject({ stage: z.literal('session'), session, attempt: z.int(), roster: z.array(hospital) }),
  z.strictObject({
    stage: z.enum(['joined', 'scanning', 'committed', 'deciding', 'agreed', 'opened']),
    session,
    hospital,
    step,
  }),
  z.strictObject({
    stage: z.literal('failed'),
    session,
    hospital,
    step,
    error: errorRecord.pick({ kind: true, code: true }),
  }),
  z.strictObject({ stage: z.literal('receipt'), session, step, final: z.boolean() }),
  z.strictObject({
    stage: z.literal('aborted'),
    session,
    reason: abortReason,
    by: organisationId,
    blame: organisationId.optional(),
  }),
  /** The coordinator opens no further session; the query may be submitted anew. */
  z.strictObject({ stage: z.literal('givenUp'), why: z.enum(['attempts', 'opened', 'minimum']) }),
  /** The last event of every query. */
  z.strictObject({ stage: z.literal('finished'), status: z.enum(['completed', 'failed', 'denied']) }),
]);
export type ProgressEvent = z.infer<typeof progressEvent>;
