import { z } from 'zod';
import { fromHex, toHex } from './bytes.ts';
import { canonicalBytes } from './canonical.ts';
import { verifySignature, type Identity } from './identity.ts';
import { LABEL } from './labels.ts';
import { datasetName, digest, organisationId, publicKey, purposeCode, signatureHex } from './names.ts';

/**
 * What patients say on the ledger: consent to uses of their records, and grants of reading to doctors. A patient is a
 * public key that nobody but the patient, and the hospitals it was told to, can put a name to. Nothing else of a person
 * is in a statement: no identifier and no hash of one.
 */

/** A calendar month, which is also the name of the epoch that was opened for it. As text, later months sort behind. */
export const period = z.string().regex(/^2[0-9]{3}-(0[1-9]|1[0-2])$/, 'expected a calendar month, as 2026-12');

const ofPatient = {
  /** The ledger it is meant for: a statement says nothing on another. */
  consortium: digest,
  patient: publicKey,
  /**
   * Higher than in any earlier statement of this key and kind, so that an old one cannot be played again over a newer one.
   * Need not be consecutive: milliseconds since 1970 serve.
   */
  sequence: z.int().min(1),
};
const everyOr = <T extends z.ZodType>(item: T, most: number) =>
  z.union([z.literal('*'), z.array(item).min(1).max(most)]);

/** Of all statements of a patient that cover a use, the one with the highest sequence decides. */
export const consentStatement = z.strictObject({
  ...ofPatient,
  decision: z.enum(['grant', 'withdraw']),
  dataset: z.union([z.literal('*'), datasetName]),
  purposes: everyOr(purposeCode, 50),
  hospitals: everyOr(organisationId, 100),
});
export type ConsentStatement = z.infer<typeof consentStatement>;

const ofAccess = { ...ofPatient, /** The doctor's Ed25519 key. */ doctor: publicKey, hospital: organisationId };

/** Lets one doctor read at one hospital, up to and with a day; or no longer. */
export const accessStatement = z.discriminatedUnion('decision', [
  z.strictObject({ ...ofAccess, decision: z.literal('grant'), until: z.iso.date() }),
  z.strictObject({ ...ofAccess, decision: z.literal('revoke') }),
]);
export type AccessStatement = z.infer<typeof accessStatement>;

const signed = { signature: signatureHex };
export const signedConsent = z.strictObject({ statement: consentStatement, ...signed });
export const signedAccess = z.strictObject({ statement: accessStatement, ...signed });
export type SignedConsent = z.infer<typeof signedConsent>;
export type SignedAccess = z.infer<typeof signedAccess>;

/** A signed statement as a file or a message: what a patient hands to whoever relays it. */
export const patientStatement = z.discriminatedUnion('kind', [
  signedConsent.extend({ kind: z.literal('consent') }),
  signedAccess.extend({ kind: z.literal('access') }),
]);
export type PatientStatement = z.infer<typeof patientStatement>;

/** Signs as the patient that the statement names. Deterministic. */
export const signConsent = (patient: Identity, statement: ConsentStatement): SignedConsent => ({
  statement,
  signature: toHex(patient.sign(LABEL.consent, canonicalBytes(statement))),
});
export const signAccess = (patient: Identity, statement: AccessStatement): SignedAccess => ({
  statement,
  signature: toHex(patient.sign(LABEL.access, canonicalBytes(statement))),
});

/** True when the patient's key signed. Not that the statement is the newest of its patient. */
export const verifyConsent = ({ statement, signature }: SignedConsent): boolean =>
  verifySignature(statement.patient, LABEL.consent, canonicalBytes(statement), fromHex(signature, 64));
export const verifyAccess = ({ statement, signature }: SignedAccess): boolean =>
  verifySignature(statement.patient, LABEL.access, canonicalBytes(statement), fromHex(signature, 64));

/** A consent statement as the ledger keeps it. */
export interface ConsentRecord {
  readonly sequence: number;
  readonly decision: 'grant' | 'withdraw';
  readonly dataset: string;
  readonly purposes: '*' | readonly string[];
  readonly hospitals: '*' | readonly string[];
  /**
   * The epoch that was open when it was recorded, none if there was none; the one before it where that was withdrawn. It takes
   * effect with later ones.
   */
  readonly epoch?: string;
}

export interface AccessRecord {
  readonly sequence: number;
  readonly decision: 'grant' | 'revoke';
  readonly doctor: string;
  readonly hospital: string;
  /** Last day of a grant, as 2027-01-31. */
  readonly until?: string;
}

/** Everything that one patient's key has said, by rising sequence. */
export interface PatientRecord {
  readonly patient: string;
  readonly consents: readonly ConsentRecord[];
  readonly accesses: readonly AccessRecord[];
}

export interface ConsentEpoch {
  readonly period: string;
  /** Who opened it. */
  readonly by: string;
  /** Set where it was taken back: no query uses it, and it is never opened again. */
  readonly withdrawn?: { readonly by: string; readonly reason: string };
}

/** How often, in months, the epoch that queries on a dataset use may move. */
export const everyMonths = z.union([z.literal(1), z.literal(3), z.literal(6), z.literal(12)]);
export type EveryMonths = z.infer<typeof everyMonths>;
export const EVERY_MONTHS: readonly EveryMonths[] = [1, 3, 6, 12];

/** Whether a month is one in which such a dataset's epoch may move: of every 3 January, April, July and October. */
export const onGrid = (month: string, every: EveryMonths): boolean => (Number(month.slice(5)) - 1) % every === 0;

/**
 * The basis on which a dataset's records are used, as its schema registers it. `opt-in`: only records of patients who
 * granted; `opt-out`: all but those of patients who withdrew; `none`: consent is not what the use rests on.
 */
export const consentRule = z.strictObject({
  basis: z.enum(['opt-in', 'opt-out', 'none']),
  /** 1 unless it is given. No default is filled in: documents are signed as they were written. */
  everyMonths: everyMonths.optional(),
});
export type ConsentRule = z.infer<typeof consentRule>;
