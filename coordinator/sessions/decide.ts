import type { ErrorRecord } from '../../protocol/errors.ts';
import type { AbortReason } from '../../protocol/ledger.ts';
import type { QueryRecord, SessionRecord } from '../../protocol/records.ts';
import type { Deadlines } from '../config.ts';
import type { Presence } from '../relay/connections.ts';
import type { LiveSession } from './live.ts';

/** Why a query does not go on, for people. */
export type WaitingFor = 'decision' | 'connection' | 'minimum' | 'return' | 'suspension';
export type GivenUp = 'attempts' | 'opened' | 'minimum';

/** What the coordinator does next about one query; `until` is when to look again, if nothing happens before. */
export type Decision =
  | { readonly do: 'rest'; readonly until?: number }
  | { readonly do: 'wait'; readonly why: WaitingFor; readonly hospitals: readonly string[]; readonly until?: number }
  | { readonly do: 'open'; readonly attempt: number; readonly roster: readonly string[] }
  | { readonly do: 'abort'; readonly session: string; readonly reason: AbortReason }
  | { readonly do: 'giveUp'; readonly why: GivenUp };

export interface Facts {
  readonly now: number;
  readonly query: QueryRecord;
  readonly last: SessionRecord | undefined;
  /** What was seen of the last session, while it is open. */
  readonly live: LiveSession | undefined;
  /** When hospitals are no longer waited for to decide: all did, or the deadline is past. */
  readonly approvalsUntil: number;
  /** Since when enough hospitals are present to form a session, while they are. */
  readonly enoughSince: number | undefined;
  readonly presence: Presence;
  /** Hospitals that an earlier session of this query ended for. */
  readonly excluded: ReadonlySet<string>;
  /** The query or its researcher is suspended: no session is formed for it. */
  readonly halted: boolean;
  /** Hospitals that are suspended: no session is formed with them. */
  readonly suspended: ReadonlySet<string>;
  /** A share of an earlier session opened. */
  readonly opened: boolean;
  readonly deadlines: Deadlines;
  readonly attempts: number;
}

/** Pure: ledger state, what was seen, and the time, to the next act. */
export function decide(facts: Facts): Decision {
  const { query, last, live } = facts;
  if (query.status === 'running') return last?.status === 'open' && live ? watch(facts, last, live) : { do: 'rest' };
  return query.status === 'submitted' ? form(facts) : { do: 'rest' };
}

/** Until when hospitals are waited for to decide; the past, once all have. */
export const approvalsUntil = (query: QueryRecord, submittedAt: number, deadline: number): number =>
  query.decisions.length >= query.hospitals.length ? -Infinity : submittedAt + deadline;

/**
 * Who may be in the next session. The contract lets rosters only shrink: who was left out of one stays out.
 */
export const poolOf = (query: QueryRecord, last: SessionRecord | undefined, excluded: ReadonlySet<string>): string[] =>
  (last?.roster ?? approved(query)).filter((hospital) => !excluded.has(hospital));

function form(facts: Facts): Decision {
  const { query, last, now, presence, deadlines } = facts;
  const minimum = query.query.release.minimumHospitals;
  if (facts.opened) return { do: 'giveUp', why: 'opened' };
  if (query.sessions.length >= facts.attempts) return { do: 'giveUp', why: 'attempts' };
  if (last === undefined && now < facts.approvalsUntil) {
    return { do: 'wait', why: 'decision', hospitals: undecided(query), until: facts.approvalsUntil };
  }
  if (facts.halted) return { do: 'wait', why: 'suspension', hospitals: [] };
  const able = poolOf(query, last, facts.excluded);
  const pool = able.filter((hospital) => !facts.suspended.has(hospital));
  if (pool.length < minimum && able.length >= minimum) {
    return { do: 'wait', why: 'suspension', hospitals: able.filter((hospital) => facts.suspended.has(hospital)) };
  }
  if (pool.length < minimum) {
    return last === undefined
      ? { do: 'wait', why: 'minimum', hospitals: undecided(query) }
      : { do: 'giveUp', why: 'minimum' };
  }
  const roster = pool.filter((hospital) => presence.connected(hospital));
  const absent = pool.filter((hospital) => !presence.connected(hospital));
  if (roster.length < minimum) return { do: 'wait', why: 'connection', hospitals: absent };
  const enoughSince = facts.enoughSince ?? now;
  const graces = absent.map((hospital) => Math.max(presence.absentSince(hospital), enoughSince) + deadlines.join);
  const grace = Math.max(...graces);
  if (grace > now) return { do: 'wait', why: 'connection', hospitals: absent, until: grace };
  return { do: 'open', attempt: query.sessions.length, roster: roster.toSorted() };
}

/** An open session: is it still worth waiting for? */
function watch(facts: Facts, last: SessionRecord, live: LiveSession): Decision {
  const { now, deadlines, presence } = facts;
  const absent = live.roster.filter((hospital) => !presence.connected(hospital));
  const limits: { at: number; reason: AbortReason }[] = [];
  if (!live.opened && (facts.halted || live.roster.some((hospital) => facts.suspended.has(hospital)))) {
    return { do: 'abort', session: live.id, reason: 'SUSPENDED' };
  }
  if (live.failedAt !== undefined) {
    // A hospital that failed records the abort itself; this is for one that could not.
    limits.push({ at: live.failedAt + deadlines.dropOut, reason: reasonOf(live) });
  }
  if (live.opened) {
    // Nothing can replace this session any more. While all agreed, the answer keeps until the researcher fetches it.
    const patience = live.quiet ? deadlines.answer : deadlines.session;
    limits.push({ at: live.lastProgress + patience, reason: 'DEADLINE' });
  } else {
    limits.push({ at: live.since + deadlines.session, reason: 'DEADLINE' });
    const lostAt = dropOutAt(facts, last, live, absent);
    if (lostAt !== undefined) limits.push({ at: lostAt, reason: 'DROP_OUT' });
  }
  const first = limits.toSorted((a, b) => a.at - b.at)[0]!;
  if (first.at <= now) return { do: 'abort', session: live.id, reason: first.reason };
  if (absent.length > 0) return { do: 'wait', why: 'return', hospitals: absent, until: first.at };
  return { do: 'rest', until: first.at };
}

/** When a session that has not opened counts as dropped out of, unless something changes. */
function dropOutAt(
  facts: Facts,
  last: SessionRecord,
  live: LiveSession,
  absent: readonly string[],
): number | undefined {
  const { deadlines, presence } = facts;
  if (live.inherited && live.torn) {
    if (live.allReported) return live.lastProgress + deadlines.join;
    // Nobody opens before all commitments are on the ledger. After that somebody may have, and not be back to say so.
    return live.since + (mayHaveOpened(last) ? deadlines.session : deadlines.join);
  }
  const losses = absent.map((hospital) => Math.max(presence.absentSince(hospital), live.since));
  if (live.tornAt !== undefined) losses.push(live.tornAt);
  return losses.length === 0 ? undefined : Math.min(...losses) + deadlines.dropOut;
}

const mayHaveOpened = (last: SessionRecord): boolean =>
  last.roster.every((hospital) => last.commitments[0]?.[hospital] !== undefined);

/** Hospitals that the next session does better without, from an abort and what was seen before it. */
export function culprits(ended: SessionRecord, live: LiveSession | undefined): readonly string[] {
  const { abort, roster } = ended;
  if (abort === undefined) return [];
  if (abort.blame !== undefined) return [abort.blame];
  if (abort.reason === 'DEADLINE') return live?.laggards ?? uncommitted(ended);
  if (abort.reason !== 'DATA' && abort.reason !== 'INTERNAL') return [];
  if (roster.includes(abort.by)) return [abort.by];
  return roster.filter((hospital) => isOwnFailure(live?.failed.get(hospital)));
}

/** A hospital that failed because of others would be missed without need. */
function isOwnFailure(error: ErrorRecord | undefined): boolean {
  return error !== undefined && error.kind !== 'Abort' && !OF_OTHERS.has(error.code);
}
const OF_OTHERS: ReadonlySet<string> = new Set([
  'PEER_GONE',
  'DEADLINE',
  'NETWORK',
  'LEDGER_DOWN',
  'COORDINATOR_DOWN',
  'STALE',
]);

/** After a restart the commitments alone tell who was behind; when none came, nobody was behind the others. */
function uncommitted(ended: SessionRecord): readonly string[] {
  const committed = ended.commitments.at(-1) ?? {};
  const late = ended.roster.filter((hospital) => committed[hospital] === undefined);
  return late.length < ended.roster.length ? late : [];
}

function reasonOf(live: LiveSession): AbortReason {
  const errors = [...live.failed.values()];
  return errors.some((error) => error.code === 'DATA') ? 'DATA' : 'INTERNAL';
}

const approved = (query: QueryRecord): string[] =>
  query.decisions.filter((each) => each.decision === 'approved').map((each) => each.hospital);

const undecided = (query: QueryRecord): string[] => {
  const decided = new Set(query.decisions.map((each) => each.hospital));
  return query.hospitals.filter((hospital) => !decided.has(hospital));
};
