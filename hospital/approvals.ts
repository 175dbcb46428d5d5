import type { Logger } from 'pino';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { suspensionIn } from '../ledger/standing.ts';
import { Refusal } from '../protocol/errors.ts';
import type { QueryRecord } from '../protocol/ledger.ts';
import { consentRuleOf, type DatasetSchema } from '../protocol/schema.ts';
import { decidePolicy, type PolicyDecision, type SitePolicy } from './policy.ts';

/** A query that asks this hospital and that it has not decided on. */
export interface PendingQuery {
  readonly record: QueryRecord;
  readonly schema: DatasetSchema | undefined;
  readonly decision: PolicyDecision;
}

/** Queries asked of this hospital, still undecided, with what its policy says of each. */
export function pendingQueries(ledger: Ledger, hospital: string, policy: SitePolicy | undefined): PendingQuery[] {
  const asked = ledger
    .queries()
    .filter((record) => record.status === 'submitted' && record.hospitals.includes(hospital))
    // The contract takes no decision for these; they come back when they are reinstated.
    .filter((record) => suspensionIn(ledger, record, [hospital]) === undefined);
  return asked
    .filter((record) => !record.decisions.some((each) => each.hospital === hospital))
    .map((record) => ({
      record,
      schema: ledger.schema(record.query.dataset),
      decision: judge(ledger, hospital, policy, record),
    }));
}

/** What the site's policy says of a query as it stands on the ledger; also asked again when its session opens. */
export function judge(
  ledger: Ledger,
  hospital: string,
  policy: SitePolicy | undefined,
  record: QueryRecord,
): PolicyDecision {
  const schema = ledger.schema(record.query.dataset);
  if (schema === undefined) return { decision: 'deny', reasons: [`dataset ${record.query.dataset} is not registered`] };
  if (consentRuleOf(schema).basis !== 'none') {
    return {
      decision: 'deny',
      reasons: ['consent: the dataset asks for consent, and this node knows of no patient’s'],
    };
  }
  const approvedBefore = ledger
    .queries()
    .filter((each) => each.id !== record.id && each.researcher === record.researcher)
    .filter((each) =>
      each.decisions.some((decision) => decision.hospital === hospital && decision.decision === 'approved'),
    ).length;
  return decidePolicy(policy, record.query, schema, record.researcher, { approvedQueries: approvedBefore });
}

const PASSED: ReadonlySet<string> = new Set(['ALREADY_DONE', 'STALE', 'SUSPENDED']);

/** Approves or denies whatever the policy decides by itself; leaves the rest to a person. */
export async function decideByPolicy(
  ledger: Ledger,
  member: Member,
  policy: SitePolicy | undefined,
  log: Logger,
): Promise<void> {
  for (const { record, decision } of pendingQueries(ledger, member.organisation, policy)) {
    if (decision.decision === 'ask') {
      log.info({ query: record.id }, 'a query waits for a person: healthchain hospital pending');
      continue;
    }
    const approve = decision.decision === 'approve';
    const reason = decision.reasons.join('; ').slice(0, 500) || 'denied by site policy';
    try {
      await ledger.submit(
        member,
        approve ? { type: 'approveQuery', query: record.id } : { type: 'denyQuery', query: record.id, reason },
      );
      log.info({ query: record.id, decision: decision.decision }, 'decided by site policy');
    } catch (error) {
      // Another process of this hospital, or a person, was faster, or the query ended or was suspended.
      if (error instanceof Refusal && PASSED.has(error.code)) continue;
      throw error;
    }
  }
}
