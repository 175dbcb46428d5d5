import { deriveQueryId, deriveSessionId, type Action, type Entry, type SuspensionSubject } from '../protocol/ledger.ts';
import { entryHash } from '../protocol/ledger-text.ts';
import { schemaReference } from '../protocol/schema.ts';
import type { TraceSubject } from './contract/trace-keys.ts';

export type { TraceSubject } from './contract/trace-keys.ts';

/** One entry that concerns a subject: who did what, when. */
export interface TraceStep {
  readonly index: number;
  /** By the clock of whoever orders entries. */
  readonly time: string;
  readonly by: string;
  readonly action: Action['type'];
  /** The same for people. */
  readonly what: string;
  readonly query?: string;
  readonly session?: string;
}

/** What an entry is about, beside who signed it. */
interface Matter {
  readonly what: string;
  readonly query?: string | undefined;
  readonly session?: string | undefined;
  readonly dataset?: string | undefined;
  readonly members?: readonly string[];
}

interface Asked {
  readonly id: string;
  readonly researcher: string;
  readonly dataset: string;
  readonly hospitals: readonly string[];
}

/**
 * Every entry that concerns a query, a dataset, a hospital or a researcher, in order, from first submission to receipt and
 * publication. Of a query: what was done about it. Of a dataset: its schemas and the queries on it. Of a member: what it
 * did, what was done about it, and what others did about queries that it asked or sessions that it was in; not what other
 * hospitals decided on a query that merely asked this one too.
 *
 * Pure. It shows what the entries say: verify them first (`verifyExport`, or a `Ledger`, which has). Empty for what they
 * do not name.
 */
export function trace(entries: readonly Entry[], subject: TraceSubject): TraceStep[] {
  const reader = new Reader(entries[0] === undefined ? '' : entryHash(entries[0]));
  const steps: TraceStep[] = [];
  for (const entry of entries) {
    const matter = reader.read(entry);
    const by = entry.signed.caller.organisation;
    if (!concerns(matter, by, subject)) continue;
    const { what, query, session } = matter;
    steps.push({
      ...{ index: entry.index, time: entry.time, by, action: entry.signed.action.type, what },
      ...(query === undefined ? {} : { query }),
      ...(session === undefined ? {} : { session }),
    });
  }
  return steps;
}

function concerns(matter: Matter, by: string, { kind, id }: TraceSubject): boolean {
  if (kind === 'query') return matter.query === id;
  if (kind === 'dataset') return matter.dataset === id;
  return by === id || matter.members?.includes(id) === true;
}

/** Reads entries in order; later ones name queries and sessions of earlier ones by id alone. */
class Reader {
  readonly #consortium: string;
  readonly #queries = new Map<string, Asked>();
  readonly #sessions = new Map<string, { readonly query: string; readonly roster: readonly string[] }>();

  constructor(consortium: string) {
    this.#consortium = consortium;
  }

  read(entry: Entry): Matter {
    const { action, caller } = entry.signed;
    const { organisation: by } = caller;
    switch (action.type) {
      case 'createConsortium':
        return { what: `founded the consortium "${action.name}"`, members: action.organisations.map(({ id }) => id) };
      case 'registerOrganisation': {
        const { id, roles } = action.organisation;
        return { what: `registered ${id} as ${roles.join(', ')}`, members: [id] };
      }
      case 'rotateKey':
        return { what: `replaced its key by ${short(action.publicKey)}` };
      case 'revokeKey': {
        const { organisation, publicKey, reason } = action;
        return { what: `revoked the key ${short(publicKey)} of ${organisation}: ${reason}`, members: [organisation] };
      }
      case 'registerSchema':
        return { what: `registered the schema ${schemaReference(action.schema)}`, dataset: action.schema.dataset };
      case 'submitQuery': {
        const { dataset, purpose, title } = action.query;
        const id = deriveQueryId(this.#consortium, by, action);
        const { hospitals } = action;
        this.#queries.set(id, { id, researcher: by, dataset: dataset.split('@')[0]!, hospitals });
        const named = title === undefined ? 'a query' : `"${title}"`;
        return this.#ofQuery(
          id,
          `submitted ${named} on ${dataset} for ${purpose} to ${hospitals.join(', ')}`,
          hospitals,
        );
      }
      case 'approveQuery':
        return this.#ofQuery(action.query, 'approved the query');
      case 'denyQuery':
        return this.#ofQuery(action.query, `denied the query: ${action.reason}`);
      case 'closeQuery':
        return this.#ofQuery(action.query, `closed the query: ${action.reason}`, this.#asked(action.query));
      case 'openSession': {
        const { query, attempt, roster } = action;
        const session = deriveSessionId(action);
        this.#sessions.set(session, { query, roster });
        return this.#ofSession(session, `opened a session with ${roster.join(', ')} (attempt ${attempt + 1})`, roster);
      }
      case 'recordCommitment': {
        const { session, step, consentEpoch } = action;
        const consent = consentEpoch === undefined ? '' : `, by the consent of ${consentEpoch}`;
        return this.#ofSession(session, `committed to its numbers of step ${step}${consent}`);
      }
      case 'recordReceipt': {
        const { session, step, final, result } = action;
        const what = `recorded the ${final ? 'final ' : ''}receipt of step ${step}: ${short(result)}`;
        return this.#ofSession(session, what, this.#roster(session));
      }
      case 'abortSession': {
        const { session, reason, blame } = action;
        const what = `aborted the session: ${reason}${blame === undefined ? '' : `, naming ${blame}`}`;
        return this.#ofSession(session, what, this.#roster(session));
      }
      case 'suspend':
        return this.#ofSubject(action.subject, `suspended`, action.reason);
      case 'reinstate':
        return this.#ofSubject(action.subject, 'reinstated', action.reason);
      case 'recordConsent': {
        const { patient, decision, hospitals } = action.statement;
        const what = `passed on that the patient ${short(patient)} ${decision === 'grant' ? 'grants' : 'withdraws'} consent`;
        return { what, ...(hospitals === '*' ? {} : { members: hospitals }) };
      }
      case 'recordAccess': {
        const { patient, decision, doctor, hospital } = action.statement;
        const verb = decision === 'grant' ? 'grants' : 'revokes';
        const what = `passed on that the patient ${short(patient)} ${verb} access by ${short(doctor)} at ${hospital}`;
        return { what, members: [hospital] };
      }
      case 'openConsentEpoch':
        return { what: `opened the epoch of consent of ${action.period}` };
      case 'withdrawConsentEpoch':
        return { what: `withdrew the epoch of consent of ${action.period}: ${action.reason}` };
      case 'publishResult':
        return this.#ofSession(action.session, `published the result "${action.title}": ${short(action.result)}`);
    }
  }

  #ofQuery(id: string, what: string, members: readonly string[] = [], session?: string): Matter {
    const asked = this.#queries.get(id);
    // A publication on another ledger than the query's names a session that is not here.
    if (asked === undefined) return { what, session, members };
    return { what, query: id, session, dataset: asked.dataset, members: [asked.researcher, ...members] };
  }
  #ofSession(session: string, what: string, members: readonly string[] = []): Matter {
    return this.#ofQuery(this.#sessions.get(session)?.query ?? '', what, members, session);
  }
  #ofSubject(subject: SuspensionSubject, verb: string, reason: string): Matter {
    if ('query' in subject)
      return this.#ofQuery(subject.query, `${verb} the query: ${reason}`, this.#asked(subject.query));
    return { what: `${verb} ${subject.organisation}: ${reason}`, members: [subject.organisation] };
  }
  #asked(query: string): readonly string[] {
    return this.#queries.get(query)?.hospitals ?? [];
  }
  #roster(session: string): readonly string[] {
    return this.#sessions.get(session)?.roster ?? [];
  }
}

const short = (id: string): string => id.slice(0, 12);
