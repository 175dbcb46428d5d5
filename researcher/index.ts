/** The researcher's SDK: submit, wait, verify, decode; and the offline check of an answer, or of evidence of a cheat. */
export { Researcher, type Answer, type ResearcherOptions } from './client.ts';
export type { Progress } from './progress.ts';
export { CoordinatorClient } from './coordinator.ts';
export { AnswerKeys } from './answers.ts';
export { verifyAnswer, type VerificationReport } from './result/verify.ts';
export { verifyEvidence, type EvidenceReport } from './result/verify-evidence.ts';
export { VerificationError, type AnswerCheck, type Check, type EvidenceCheck } from './result/checks.ts';
export { renderDocument, type ReceiptDocument, type ReceiptSummary, type ResultDocument } from './result/documents.ts';
export { resultToArrow } from './result/arrow.ts';
export { resultToCsv, type AnswerTable } from './result/csv.ts';
