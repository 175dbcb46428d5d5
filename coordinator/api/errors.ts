import type { ErrorRecord } from '../../protocol/errors.ts';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  NOT_AUTHORIZED: 403,
  NOT_APPROVED: 403,
  POLICY: 403,
  POLICY_MISSING: 403,
  ALREADY_OPENED: 409,
  ALREADY_DONE: 409,
  STALE: 409,
  UNKNOWN: 404,
  BAD_SIGNATURE: 401,
  REPLAY: 401,
  TOO_LARGE: 413,
  TOO_MANY: 429,
  PEER_GONE: 503,
  LEDGER_DOWN: 503,
  COORDINATOR_DOWN: 503,
  DEADLINE: 504,
  NETWORK: 502,
  DATA: 502,
  DISK: 502,
};

/** The HTTP status for an error, whichever process it comes from. */
export function statusOf(error: Pick<ErrorRecord, 'kind' | 'code'>): ContentfulStatusCode {
  if (error.kind === 'Misuse') return 400;
  if (error.kind === 'Abort') return 409;
  return STATUS[error.code] ?? 500;
}

/** Seconds after which trying again makes sense, where it does. */
export const retryAfter = (status: number): string | undefined =>
  status === 429 ? '1' : status === 503 ? '5' : undefined;
