import { z } from 'zod';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { accessStatement, consentStatement, period } from '../../protocol/consent.ts';
import { abortReason, closeReason, organisation, tier } from '../../protocol/ledger.ts';
import { digest, organisationId, point, publicKey } from '../../protocol/names.ts';
import { query } from '../../protocol/query.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import type { State } from './state.ts';

/** The values behind the keys of `keys.ts`. */

export const ROW = {
  consortium: z.strictObject({ id: digest, name: z.string(), tier: tier.optional() }),
  organisation: organisation.omit({ publicKey: true }),
  key: z.strictObject({ order: z.int(), status: z.enum(['active', 'revoked']) }),
  keyOwner: organisationId,
  schema: datasetSchema,
  schemaHead: z.int(),
  query: z.strictObject({
    id: digest,
    researcher: organisationId,
    query,
    answerKey: publicKey,
    hospitals: z.array(organisationId),
    steps: z.int(),
    consentEpoch: period.optional(),
  }),
  queryState: z.strictObject({
    status: z.enum(['submitted', 'running', 'completed', 'failed', 'denied']),
    sessions: z.array(digest),
    closed: z.strictObject({ by: organisationId, reason: closeReason }).optional(),
  }),
  approval: z.literal('approved'),
  denial: z.string(),
  session: z.strictObject({ id: digest, query: digest, attempt: z.int(), roster: z.array(organisationId) }),
  sessionState: z.strictObject({
    status: z.enum(['open', 'completed', 'aborted']),
    abort: z
      .strictObject({
        by: organisationId,
        reason: abortReason,
        blame: organisationId.optional(),
        round: z.string().optional(),
        evidence: digest.optional(),
      })
      .optional(),
  }),
  commitment: point,
  receipt: digest,
  credit: z.int(),
  /** Queries debited. */
  budget: z.int(),
  suspension: z.strictObject({ status: z.enum(['suspended', 'reinstated']), by: organisationId, reason: z.string() }),
  epoch: z.strictObject({
    by: organisationId,
    /** `previous`: the epoch that was the newest again. */
    withdrawn: z.strictObject({ by: organisationId, reason: z.string(), previous: period.optional() }).optional(),
  }),
  /** No value is ever removed, as not every store can: `none` once the first epoch was withdrawn. */
  epochHead: z.union([period, z.literal('none')]),
  sequence: z.int(),
  consent: z.strictObject({ statement: consentStatement, epoch: period.optional() }),
  access: accessStatement,
  publication: z.strictObject({
    ledger: digest,
    receipt: digest,
    result: digest,
    title: z.string(),
    link: z.string().optional(),
  }),
  queryOf: z.literal('asked'),
  /** What the action made. */
  action: z.string(),
} as const;

export type Row<K extends keyof typeof ROW> = z.infer<(typeof ROW)[K]>;

/** Decoded rows of one type by their text. Rows are read far more often than they change. */
const decoded = new Map<z.ZodType, Map<string, unknown>>();
const REMEMBERED = 4096;

/**
 * Decodes a stored value; callers must not change what they get. `Misuse MALFORMED` says that something else than this
 * contract wrote the state. Remembering is safe: the same text always decodes to the same value.
 */
export function decodeRow<T>(type: z.ZodType<T>, value: string): T {
  const known = decoded.get(type);
  if (known?.has(value)) return known.get(value) as T;
  const row = decodeDocument(type, value, { what: 'a value of the ledger state', limit: 4 << 20 });
  remember(type, value, row);
  return row;
}

function remember(type: z.ZodType, value: string, row: unknown): void {
  let known = decoded.get(type);
  if (known === undefined) decoded.set(type, (known = new Map<string, unknown>()));
  if (known.size >= REMEMBERED) known.clear();
  known.set(value, row);
}

export async function readRow<T>(state: State, key: string, type: z.ZodType<T>): Promise<T | undefined> {
  const value = await state.get(key);
  return value === undefined ? undefined : decodeRow(type, value);
}

export function writeRow<T>(state: State, key: string, type: z.ZodType<T>, row: NoInfer<T>): Promise<void> {
  const value = canonicalText(row);
  // A text comes back as it is: what was just checked to be written, as every commitment, need not be decoded to be read.
  if (typeof row === 'string') remember(type, value, row);
  return state.put(key, value);
}

export const isPresent = async (state: State, key: string): Promise<boolean> => (await state.get(key)) !== undefined;
