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
 *   action/<digest>                                  actions that took effect, so that none does twice
 */
const padded = (value: number, width: number): string => String(value).padStart(width, '0');

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
  action: (digest: string) => `action/${digest}`,
} as const;

/** The last part of a key: the hospital of a decision, the step of a receipt. */
export const lastPart = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
