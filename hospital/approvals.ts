import type { Logger } from 'pino';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { suspensionIn } from '../ledger/standing.ts';
import { Refusal } from '../protocol/errors.ts';
import type { QueryRecord } from '../protocol/records.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import { SiteConsent } from './consent/index.ts';
import { decidePolicy, type PolicyDecision, type SitePolicy } from './policy.ts';
import type { SourceConfig } from './source/index.ts';

/** A query that asks this hospital and that it has not decided on. */
export interface PendingQuery {
  readonly record: QueryRecord;
  readonly schema: DatasetSchema | undefined;
  readonly decision: PolicyDecision;
}

/** Whose decisions these are, and by what he decides. */
export interface Site {
  readonly ledger: Ledger;
  readonly hospital: string;
  readonly policy: SitePolicy | undefined;
  readonly consent: SiteConsent;
}

/** The site as its configuration says. */
export function siteOf(given: {
  readonly ledger: Ledger;
  /** Where patients' statements are, when not on the ledger of queries. */
  readonly publicLedger?: Ledger | undefined;
  readonly hospital: string;
  readonly policy: SitePolicy | undefined;
  readonly datasets: Readonly<Record<string, SourceConfig>>;
}): Site {
  const { ledger, publicLedger, hospital, policy, datasets } = given;
  const consent = new SiteConsent({
    ...{ ledger, hospital, statements: publicLedger ?? ledger },
    mapped: (dataset) => datasets[dataset]?.consent !== undefined,
    now: () => new Date(),
  });
  return { ledger, hospital, policy, consent };
}

/** Queries asked of this hospital, still undecided, with what its policy says of each. */
export function pendingQueries(site: Site): PendingQuery[] {
  const { ledger, hospital } = site;
  const asked = ledger
    .queries()
    .filter((record) => record.status === 'submitted' && record.hospitals.includes(hospital))
    // The contract takes no decision for these; they come back when they are reinstated.
    .filter((record) => suspensionIn(ledger, record, [hospital]) === undefined);
  return asked
    .filter((record) => !record.decisions.some((each) => each.hospital === hospital))
    .map((record) => ({ record, schema: ledger.schema(record.query.dataset), decision: judge(site, record) }));
}

/** What the site says of a query as it stands on the ledger, by its policy and by patients' consent; also asked again when its session opens. */
export function judge({ ledger, hospital, policy, consent }: Site, record: QueryRecord): PolicyDecision {
  const schema = ledger.schema(record.query.dataset);
  if (schema === undefined) return { decision: 'deny', reasons: [`dataset ${record.query.dataset} is not registered`] };
  const approvedBefore = ledger
    .queries()
    .filter((each) => each.id !== record.id && each.researcher === record.researcher)
    .filter((each) =>
      each.decisions.some((decision) => decision.hospital === hospital && decision.decision === 'approved'),
    ).length;
  const decided = decidePolicy(policy, record.query, schema, record.researcher, { approvedQueries: approvedBefore });
  const obstacle = consent.obstacle(record);
  if (obstacle === undefined) return decided;
  const reasons = decided.decision === 'deny' ? decided.reasons : [];
  // What the policy denies stays denied, whatever the ledger may bring.
  return { decision: reasons.length > 0 ? 'deny' : obstacle.decision, reasons: [...reasons, obstacle.reason] };
}

const PASSED: ReadonlySet<string> = new Set(['ALREADY_DONE', 'STALE', 'SUSPENDED']);

/** Approves or denies whatever the policy decides by itself; leaves the rest to a person, or to what is still to come. */
export async function decideByPolicy(site: Site, member: Member, log: Logger): Promise<void> {
  const { ledger } = site;
  for (const { record, decision } of pendingQueries(site)) {
    if (decision.decision === 'wait') {
      log.info({ query: record.id }, `a query waits: ${decision.reasons.join('; ')}`);
      continue;
    }
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
