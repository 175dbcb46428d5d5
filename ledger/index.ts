/** The consortium's ledger: the interface, its two ends of the embedded one, and what checks a copy offline. */
export type { Acknowledgement, Ledger, LedgerView, Member } from './ledger.ts';
export {
  accessGranted,
  accessOf,
  consentAt,
  consentsAt,
  effectiveEpoch,
  monthOf,
  overtaking,
  type Use,
} from './consent.ts';
export { creditsOf, creditTotals, type Credit, type CreditTotal } from './credits.ts';
export { publicationHolds } from './publications.ts';
export { suspensionIn } from './standing.ts';
export { trace, type TraceStep, type TraceSubject } from './trace.ts';
export { found, rotation, signAction } from './sign.ts';
export type { Pins } from './heads.ts';
export { verifyExport, type VerifiedLedger } from './verify.ts';
export { RemoteLedger, type RemoteLedgerOptions } from './embedded/client.ts';
export { startLedgerServer, type LedgerServer, type LedgerServerOptions } from './embedded/server.ts';
