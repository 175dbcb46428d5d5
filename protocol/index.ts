/** Documents, identities and errors that every role shares. */
export { Abort, Fault, HealthchainError, Misuse, Refusal, type ErrorRecord } from './errors.ts';
export { Identity, keyFingerprint } from './identity.ts';
export { datasetSchema, type DatasetSchema } from './schema.ts';
export { queryInput, type Query, type QueryInput } from './query.ts';
export type { LedgerExport, Organisation, Role } from './ledger.ts';
export type { QueryRecord, SessionRecord } from './records.ts';
