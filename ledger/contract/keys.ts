/**
 * Where the contract keeps what. On Fabric two transactions that touch one key in the same block exclude each other,
 * so everything that different organisations write at the same time has a key of its own: each decision, each
 * commitment, each identity key. Nothing here counts or lists others' writes on the path of an approval or commitment.
 *
 *   consortium                                       name and id
 *   organisation/<id>                                name and roles
 *   key/<organisation>/<public key>                  status, order
 *   key-owner/<public key>                           who ever registered that key
 *   schema/<dataset>/<version>                       the schema
 *   schema-head/<dataset>                            newest version
 *   query/<id>                                       what was submitted; never written again
 *   query-state/<id>                                 status, sessions, why it was closed
 *   approval/<query>/<hospital>                      one per decision
 *   denial/<query>/<hospital>                        one per decision
 *   session/<id>                                     roster; never written again
 *   session-state/<id>                               status, abort
 *   commitment/<session>/<step>/<hospital>           one per commitment
 *   receipt/<session>/<step>                         one per step
 *   credit/<session>/<hospital>                      what a completed session credited
 *   budget/<researcher>/<dataset>                    queries debited
 *   suspension/organisation/<id>                     whether a member is suspended, by whom and why
 *   suspension/query/<id>                            the same of a query
 *   epoch/<period>                                   who opened an epoch of consent, and who withdrew it
 *   epoch-head/<months>                              newest epoch whose month lies on the grid of so many months
 *   consent-head/<patient>                           newest sequence
 *   consent/<patient>/<sequence>                     one per statement, with the epoch open when it was recorded
 *   access-head/<patient>                            newest sequence
 *   access/<patient>/<sequence>                      one per statement
 *   publication/<session>/<researcher>               a result made public
 *   query-of/<dataset|hospital|researcher>/<id>/<query>   which queries concern a subject, for tracing (trace-keys.ts)
 *   action/<digest>                                  actions that took effect, so that none does twice
 *
 * Read by many and written seldom: `organisation`, `suspension`, `schema`, `schema-head`, `epoch-head`. Of what is written
 * often, `consent-head` and `access-head` are one patient's, `budget` one researcher's on one dataset.
 */
const padded = (value: number, width: number): string => String(value).padStart(width, '0');

/** What else than a query can be traced. */
export type TracedKind = 'dataset' | 'hospital' | 'researcher';

export const KEY = {
  consortium: 'consortium',
  organisations: 'organisation/',
  organisation: (id: string) => `organisation/${id}`,
  keysOf: (organisation: string) => `key/${organisation}/`,
  key: (organisation: string, publicKey: string) => `key/${organisation}/${publicKey}`,
  keyOwner: (publicKey: string) => `key-owner/${publicKey}`,
  schemas: 'schema/',
  schema: (dataset: string, version: number) => `schema/${dataset}/${padded(version, 6)}`,
  schemaHead: (dataset: string) => `schema-head/${dataset}`,
  queries: 'query/',
  query: (id: string) => `query/${id}`,
  queryState: (id: string) => `query-state/${id}`,
  approvals: (query: string) => `approval/${query}/`,
  approval: (query: string, hospital: string) => `approval/${query}/${hospital}`,
  denials: (query: string) => `denial/${query}/`,
  denial: (query: string, hospital: string) => `denial/${query}/${hospital}`,
  session: (id: string) => `session/${id}`,
  sessionState: (id: string) => `session-state/${id}`,
  commitments: (session: string) => `commitment/${session}/`,
  commitment: (session: string, step: number, hospital: string) =>
    `commitment/${session}/${padded(step, 3)}/${hospital}`,
  receipts: (session: string) => `receipt/${session}/`,
  receipt: (session: string, step: number) => `receipt/${session}/${padded(step, 3)}`,
  credit: (session: string, hospital: string) => `credit/${session}/${hospital}`,
  budgets: (researcher: string) => `budget/${researcher}/`,
  budget: (researcher: string, dataset: string) => `budget/${researcher}/${dataset}`,
  suspension: (kind: 'organisation' | 'query', id: string) => `suspension/${kind}/${id}`,
  epochs: 'epoch/',
  epoch: (period: string) => `epoch/${period}`,
  epochHead: (everyMonths: number) => `epoch-head/${everyMonths}`,
  consentHead: (patient: string) => `consent-head/${patient}`,
  consents: (patient: string) => `consent/${patient}/`,
  consent: (patient: string, sequence: number) => `consent/${patient}/${padded(sequence, 16)}`,
  accessHead: (patient: string) => `access-head/${patient}`,
  accesses: (patient: string) => `access/${patient}/`,
  access: (patient: string, sequence: number) => `access/${patient}/${padded(sequence, 16)}`,
  publications: (session: string) => `publication/${session}/`,
  publication: (session: string, researcher: string) => `publication/${session}/${researcher}`,
  queriesOf: (kind: TracedKind, id: string) => `query-of/${kind}/${id}/`,
  queryOf: (kind: TracedKind, id: string, query: string) => `query-of/${kind}/${id}/${query}`,
  action: (digest: string) => `action/${digest}`,
} as const;

/** The last part of a key: the hospital of a decision, the step of a receipt. */
export const lastPart = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
