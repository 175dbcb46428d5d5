import { decidePolicy, type SitePolicy } from '../../hospital/policy.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { Query } from '../../protocol/query.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import { RESEARCHER } from './consortium.ts';

/** Errors: `Refusal POLICY` for a query that needs more hospitals than there are, or that the policy of all of them denies. */
export function requireAnswerable(
  query: Query,
  { policy, schema, hospitals }: { policy: SitePolicy; schema: DatasetSchema; hospitals: number },
): void {
  const wanted = [
    ['the query asks for', query.release],
    ['the site policy requires', policy.release],
    ['the schema requires', schema.release],
  ] as const;
  for (const [who, release] of wanted) {
    const least = release?.minimumHospitals ?? 0;
    if (least > hospitals)
      throw new Refusal('POLICY', `${who} at least ${least} hospitals in an answer, and here are ${hospitals}`, {
        hint: `Give more of them with --hospital, or set release.minimumHospitals to ${hospitals} there (a query that does not say asks for 3).`,
      });
  }
  const { decision, reasons } = decidePolicy(policy, query, schema, RESEARCHER, { approvedQueries: 0 });
  if (decision === 'deny')
    throw new Refusal('POLICY', `the site policy denies this query: ${reasons.join('. ')}`, {
      hint: 'Change the query, or the file that --policy names.',
    });
}
