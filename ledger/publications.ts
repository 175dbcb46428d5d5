import type { PublicationRecord } from '../protocol/records.ts';
import type { LedgerView } from './ledger.ts';

/**
 * Whether a ledger bears out a publication: it is the ledger that the publication names, the session there is completed
 * with this last receipt, and its query is the publisher's. Anyone may write to the public ledger what is not so. It
 * does not prove that the result file fits the receipt: `healthchain verify` does, for who holds the file.
 */
export function publicationHolds(
  publication: PublicationRecord,
  ledger: Pick<LedgerView, 'consortium' | 'session' | 'query'>,
): boolean {
  const session = ledger.session(publication.session);
  return (
    publication.ledger === ledger.consortium &&
    session?.status === 'completed' &&
    session.receipts.at(-1) === publication.receipt &&
    ledger.query(session.query)?.researcher === publication.researcher
  );
}
