/** The researcher's SDK: submit, wait, verify, decode; and the offline check of an answer. */
export { Researcher, type Answer, type ResearcherOptions } from './client.ts';
export type { Progress } from './progress.ts';
export { CoordinatorClient } from './coordinator.ts';
export { AnswerKeys } from './answers.ts';
export { verifyAnswer, VerificationError, type Check, type VerificationReport } from './result/verify.ts';
export { renderDocument, type ReceiptDocument, type ReceiptSummary, type ResultDocument } from './result/documents.ts';
export { resultToArrow } from './result/arrow.ts';
export { resultToCsv, type AnswerTable } from './result/csv.ts';
