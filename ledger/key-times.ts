import type { VerifiedLedger } from './verify.ts';

/**
 * The keys that an organisation had at some time between two entries, both included. Not one that was revoked before, which
 * may have been stolen, nor one that was new afterwards.
 */
export function keysBetween(
  ledger: Pick<VerifiedLedger, 'entries' | 'organisation'>,
  organisation: string,
  first: number,
  last: number,
): readonly string[] {
  const outside = new Set<string>();
  for (const { index, signed } of ledger.entries) {
    const { action, caller } = signed;
    const own = caller.organisation === organisation;
    if (index < first) {
      if (action.type === 'rotateKey' && own) outside.add(caller.publicKey);
      if (action.type === 'revokeKey' && action.organisation === organisation) outside.add(action.publicKey);
    } else if (index > last && action.type === 'rotateKey' && own) outside.add(action.publicKey);
  }
  const keys = ledger.organisation(organisation)?.keys ?? [];
  return keys.map(({ publicKey }) => publicKey).filter((key) => !outside.has(key));
}
