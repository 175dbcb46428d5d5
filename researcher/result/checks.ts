import { verifyExport, type VerifiedLedger } from '../../ledger/verify.ts';
import { checkDocument } from '../../protocol/canonical.ts';
import { Abort, HealthchainError, Misuse } from '../../protocol/errors.ts';
import { ledgerExport } from '../../protocol/ledger.ts';
import { parseFaithfully } from './documents.ts';

/** The checks of an answer, in the order in which they are made. */
export type AnswerCheck = 'ledger' | 'receipt' | 'authorization' | 'decision' | 'record' | 'commitments' | 'result';
/** Those of evidence against a hospital. */
export type EvidenceCheck = 'ledger' | 'evidence' | 'session' | 'record' | 'proof';
export type Check = AnswerCheck | EvidenceCheck;

/** A check that did not hold: which one, and why. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
  readonly check: Check;
  constructor(check: Check, cause: HealthchainError) {
    super(`${check}: ${cause.message}`, { cause });
    this.check = check;
  }
}

/** Runs one check. Whatever it throws becomes a `VerificationError` that names the check. */
export function check<T>(name: Check, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw failedCheck(name, error);
  }
}

function failedCheck(name: Check, error: unknown): VerificationError {
  if (error instanceof HealthchainError) return new VerificationError(name, error);
  const form = 'the file does not have the form that it must have';
  return new VerificationError(name, new Misuse('MALFORMED', form, { cause: error }));
}

/** The ledger of an export, every entry of it verified. Throws `VerificationError`. */
export async function replay(text: string): Promise<VerifiedLedger> {
  const document = check('ledger', () =>
    checkDocument(ledgerExport, parseFaithfully(text, 'ledger export'), { what: 'ledger export' }),
  );
  return verifyExport(document).catch((error: unknown) => {
    throw failedCheck('ledger', error);
  });
}

export const mismatch = (message: string): Abort => new Abort('VERIFICATION_FAILED', message);
