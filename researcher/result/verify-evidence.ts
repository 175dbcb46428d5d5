import { keysBetween } from '../../ledger/key-times.ts';
import type { VerifiedLedger } from '../../ledger/verify.ts';
import { isProven, type ProvenCheck } from '../../mpc/sum/blame.ts';
import { blameEvidence, evidenceShows, type BlameEvidence } from '../../mpc/sum/evidence.ts';
import { twoSharesEvidence, twoSharesShow, type TwoSharesEvidence } from '../../mpc/sum/two-shares.ts';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { checkDocument, hashDocument } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import { anchorOf, type LedgerAnchor } from '../../protocol/ledger.ts';
import type { SessionRecord } from '../../protocol/records.ts';
import { check, mismatch, replay } from './checks.ts';
import { parseFaithfully } from './documents.ts';

export interface EvidenceReport {
  readonly consortium: string;
  /** Whoever checks must know from elsewhere that this is the consortium's ledger operator, or its channel. */
  readonly anchor: LedgerAnchor;
  readonly query: string;
  readonly session: string;
  readonly step: number;
  readonly blamed: string;
  readonly shown: ProvenCheck | 'TWO_SHARES';
  /** Who recorded on the ledger that this evidence names the hospital. */
  readonly recordedBy: string;
  /** Of the evidence, as it stands on the ledger. */
  readonly digest: string;
}

type Evidence = BlameEvidence | TwoSharesEvidence;

/** True for a text that means to be evidence against a hospital, and not a receipt. */
export const isEvidence = (text: string): boolean => /"healthchain-(blame|two-shares)\//.test(text);

/**
 * Judges evidence against a hospital from files alone: the evidence and a ledger export. Throws `VerificationError`.
 *
 * Proves: the hospital contradicts what it signed itself, in the session named, with a key that was its own on this ledger when the
 * cheat was looked for; and this file is, byte for byte but for white space, the one whose digest was recorded then. Does not prove: that
 * it meant to (a defect looks the same), that nobody else cheated as well, that the operator's key or the channel is the
 * right one. Evidence that fails clears nobody.
 */
export async function verifyEvidence(files: { evidence: string; ledger: string }): Promise<EvidenceReport> {
  const ledger = await replay(files.ledger);
  const evidence = check('evidence', () => readEvidence(files.evidence));
  const session = check('session', () => findSession(ledger, evidence));
  const digest = toHex(hashDocument(LABEL.blameEvidence, evidence));
  check('record', () => verifyRecord(session, evidence, digest));
  const shown = check('proof', () => judgeAgain(ledger, session, evidence));
  return {
    consortium: ledger.consortium,
    anchor: anchorOf(ledger.head()),
    query: session.query,
    session: session.id,
    step: evidence.step,
    blamed: evidence.blamed,
    shown,
    recordedBy: session.abort!.by,
    digest,
  };
}

function readEvidence(text: string): Evidence {
  const document = parseFaithfully(text, 'evidence');
  const two = (document as { format?: unknown } | null)?.format === 'healthchain-two-shares/1';
  const form = { what: 'evidence' };
  return two ? checkDocument(twoSharesEvidence, document, form) : checkDocument(blameEvidence, document, form);
}

function findSession(ledger: VerifiedLedger, { session: id, step, blamed }: Evidence): SessionRecord {
  const session = ledger.session(id);
  if (session === undefined) throw mismatch('the ledger does not hold the session of this evidence');
  if (!session.roster.includes(blamed)) throw mismatch(`${blamed} took no part in the session of this evidence`);
  if (session.roster.some((party) => session.commitments[step]?.[party] === undefined))
    throw mismatch(`the hospitals have not all committed to their numbers of step ${step}, so that nothing opened`);
  return session;
}

/** The digest covers every character that counts, so that an evidence which fits the record is the one that was recorded. */
function verifyRecord({ abort }: SessionRecord, { blamed }: Evidence, digest: string): void {
  if (abort?.evidence === undefined) throw mismatch('no evidence was recorded on the ledger for this session');
  if (abort.evidence !== digest) throw mismatch('this is not the evidence whose digest is recorded on the ledger');
  if (abort.blame !== blamed) throw mismatch('the record on the ledger names another than this evidence');
}

function judgeAgain(ledger: VerifiedLedger, session: SessionRecord, evidence: Evidence): EvidenceReport['shown'] {
  const { blamed, step } = evidence;
  const aborts = ledger.entries.filter(
    ({ signed: { action } }) => action.type === 'abortSession' && action.session === session.id,
  );
  const [first, last] = [aborts.at(0)!.index, aborts.at(-1)!.index];
  const keysOf = (party: string): readonly string[] => keysBetween(ledger, party, first, last);
  if (evidence.format === 'healthchain-two-shares/1') {
    if (twoSharesShow(evidence, keysOf(blamed))) return 'TWO_SHARES';
    throw mismatch(`it does not show two different shares of one step under signatures of ${blamed}`);
  }
  if (!isProven(evidence.check))
    throw mismatch(
      `${evidence.check} convicts nobody: ${blamed} did not answer as it should, or its answers were kept back or altered on their way`,
    );
  const commitments = session.roster.map((party) => fromHex(session.commitments[step]![party]!, 32));
  const view = { roster: session.roster, commitments, identityKeys: keysOf };
  if (evidenceShows(evidence, view)) return evidence.check;
  throw mismatch(`${evidence.check} does not follow from what ${blamed} signed and committed to`);
}
