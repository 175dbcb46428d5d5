import { Refusal } from '../protocol/errors.ts';
import type { QueryRecord } from '../protocol/records.ts';
import type { LedgerView } from './ledger.ts';

/**
 * Why nobody should go on with a query, or with its session over this roster, now: an auditor suspended the query, its
 * researcher, or a hospital. Undefined when all of them are in good standing. The contract refuses what they record; what
 * they do beside the ledger is stopped by whoever asks this before he opens anything.
 */
export function suspensionIn(
  view: Pick<LedgerView, 'organisation'>,
  query: Pick<QueryRecord, 'researcher' | 'suspended'>,
  roster: readonly string[] = [],
): Refusal | undefined {
  if (query.suspended !== undefined) return refusal('the query', query.suspended.by);
  for (const member of [query.researcher, ...roster]) {
    const suspended = view.organisation(member)?.suspended;
    if (suspended !== undefined) return refusal('a member that takes part', suspended.by, member);
  }
  return undefined;
}

const refusal = (what: string, by: string, party?: string): Refusal =>
  new Refusal('SUSPENDED', `${what} is suspended by ${by}`, {
    ...(party === undefined ? {} : { party }),
    hint: 'The record on the ledger has the reason. The query can go on once it is reinstated.',
  });
