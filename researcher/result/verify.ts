import { isDeepStrictEqual } from 'node:util';
import { computesOnShares, decode, planQuery, shareModulus, type Plan } from '../../analytics/index.ts';
import type { VerifiedLedger } from '../../ledger/verify.ts';
import { verifyCommittee } from '../../mpc/committee/committee.ts';
import { finishGenerators } from '../../mpc/kernels/ahead.ts';
import { verifyOpening, type VerifiedCells } from '../../mpc/sum/opening.ts';
import { verifyAttestation } from '../../mpc/sum/share.ts';
import { fromHex } from '../../protocol/bytes.ts';
import { checkDocument } from '../../protocol/canonical.ts';
import { anchorOf, type LedgerAnchor } from '../../protocol/ledger.ts';
import type { QueryRecord, SessionRecord } from '../../protocol/records.ts';
import { outcomeDigest, type Outcome } from '../../protocol/outcome.ts';
import { needsDecision } from '../../protocol/release.ts';
import { consentRuleOf } from '../../protocol/schema.ts';
import { check, mismatch, replay } from './checks.ts';
import {
  makeResult,
  openingOfStep,
  parseFaithfully,
  receiptDocument,
  type ReceiptDocument,
  type ResultDocument,
} from './documents.ts';

export interface VerificationReport {
  readonly consortium: string;
  /** Whoever checks must know from elsewhere that this is the consortium's ledger operator, or its channel. */
  readonly anchor: LedgerAnchor;
  readonly query: string;
  readonly session: string;
  readonly hospitals: readonly string[];
  /** Where the dataset rests on consent: on which, and as of which epoch every hospital says to have left patients out. */
  readonly consent?: { readonly basis: 'opt-in' | 'opt-out'; readonly epoch: string };
  readonly groups: number;
  readonly cells: number;
  /** Of the cells, those that opened. */
  readonly opened: number;
  /** Whether a release rule applied. */
  readonly decided: boolean;
  /** Numbers found on shares, which the hospitals attest, and which no commitment vouches for. */
  readonly searched: number;
  readonly resultChecked: boolean;
}

/**
 * Checks an answer from files alone: receipt and ledger export, and the result where one is given. Recomputes every
 * shown statistic from the verified sums. Throws `VerificationError`.
 *
 * Proves: these numbers follow from the sum of exactly the vectors that the listed hospitals committed to on this
 * ledger, for a query each of them approved there. Quantiles, extremes, and distinct counts follow from what all of
 * them signed to have found on shares: who trusts one of them trusts these. Does not prove: that the records were true, that the operator's key
 * or the channel is the right one, or that the ledger shows all its members the same history.
 */
export async function verifyAnswer(files: {
  receipt: string;
  ledger: string;
  result?: string | undefined;
}): Promise<VerificationReport> {
  const ledger = await replay(files.ledger);
  const receipt = check('receipt', () => readReceipt(files.receipt, ledger));
  const { session, query } = check('authorization', () => findSession(ledger, receipt));
  const plan = check('authorization', () => planQuery(query.query, ledger.schema(query.query.dataset)!));
  check('decision', () => receipt.steps.forEach((each, at) => verifyDecision(ledger, session, plan, each, at)));
  const openings = check('receipt', () => receipt.steps.map(openingOfStep));
  check('record', () =>
    receipt.steps.forEach(({ result }, at) => verifyRecord(session, at, result, openings[at]!.digest(session.id, at))),
  );
  await finishGenerators();
  const verified = check('commitments', () =>
    openings.map((opening, at) => verifyOpening(opening, commitmentsOf(session, at))),
  );
  const answers = openings.at(-1)!.outcome?.answers ?? [];
  const groups = check('result', () => decodeVerified(plan, verified.at(-1)!, answers));
  if (files.result !== undefined) check('result', () => compareResult(files.result!, makeResult(groups, receipt)));
  return {
    consortium: ledger.consortium,
    anchor: anchorOf(ledger.head()),
    query: query.id,
    session: session.id,
    hospitals: session.roster,
    ...consentUsed(ledger, query),
    groups: groups.length,
    cells: plan.cells,
    opened: verified.at(-1)!.opened,
    decided: needsDecision(plan.rule),
    searched: answers.flat().filter((answer) => answer >= 0).length,
    resultChecked: files.result !== undefined,
  };
}

function readReceipt(text: string, ledger: VerifiedLedger): ReceiptDocument {
  const receipt = checkDocument(receiptDocument, parseFaithfully(text, 'receipt'), { what: 'receipt' });
  const { consortium, size, root, ...anchor } = receipt.ledger;
  const head = ledger.head();
  if (consortium !== ledger.consortium || !isDeepStrictEqual(anchor, anchorOf(head)))
    throw mismatch('the receipt belongs to another ledger');
  if (size > head.size || ledger.rootAt(size) !== root)
    throw mismatch('the receipt was made on a ledger with another history');
  return receipt;
}

function findSession(ledger: VerifiedLedger, receipt: ReceiptDocument): { session: SessionRecord; query: QueryRecord } {
  const session = ledger.session(receipt.session);
  const query = ledger.query(receipt.query);
  if (session === undefined || query === undefined || session.query !== query.id)
    throw mismatch('the ledger does not hold the session of this receipt');
  if (session.status !== 'completed') throw mismatch('the session of this receipt did not complete');
  if (session.roster.join() !== receipt.hospitals.join())
    throw mismatch('the receipt names other hospitals than the session');
  if (session.receipts.length !== receipt.steps.length)
    throw mismatch('the receipt has another number of steps than the session');
  return { session, query };
}

/** The contract, replayed, took no commitment that names another epoch than the query. */
function consentUsed(ledger: VerifiedLedger, query: QueryRecord): Pick<VerificationReport, 'consent'> {
  const { basis } = consentRuleOf(ledger.schema(query.query.dataset)!);
  const epoch = query.consentEpoch;
  return basis === 'none' || epoch === undefined ? {} : { consent: { basis, epoch } };
}

/** Where anything was computed on shares, every hospital of the session has signed what came of it. */
function verifyDecision(
  ledger: VerifiedLedger,
  session: SessionRecord,
  plan: Plan,
  { decision, cells }: ReceiptDocument['steps'][number],
  at: number,
): void {
  if (computesOnShares(plan) !== (decision !== undefined))
    throw mismatch('cells were opened without the decision that the query asks for');
  if (decision === undefined) return;
  verifyCommittee(decision.outcome, session.id, session.roster);
  const { agreement, attestations } = decision;
  const statement = {
    session: session.id,
    step: at,
    agreement,
    outcome: outcomeDigest(decision.outcome),
    cells: cells.length,
    modulus: shareModulus(plan),
  };
  session.roster.forEach((party, place) => {
    const attestation = attestations[place];
    const keys = ledger.organisation(party)?.keys ?? [];
    const attested =
      attestation !== undefined &&
      keys.some((key) => key.publicKey === attestation.publicKey) &&
      verifyAttestation(statement, attestation.publicKey, attestation.signature);
    if (!attested) throw mismatch(`${party} has not signed which cells may open and what was found on shares`);
  });
  if (attestations.length !== session.roster.length)
    throw mismatch('the receipt holds signatures of others than the hospitals');
}

function verifyRecord(session: SessionRecord, at: number, claimed: string, computed: string): void {
  if (claimed !== computed) throw mismatch('the digest in the receipt is not that of its sums');
  if (session.receipts[at] !== computed) throw mismatch('the sums in the receipt are not those recorded on the ledger');
}

const commitmentsOf = (session: SessionRecord, at: number): Uint8Array[] =>
  session.roster.map((party) => fromHex(session.commitments[at]![party]!, 32));

function decodeVerified(plan: Plan, cells: VerifiedCells, answers: Outcome['answers']): ReturnType<typeof decode> {
  if (cells.length !== plan.cells) throw mismatch('the receipt holds another number of cells than the query has');
  return decode(
    plan,
    (index) => cells.at(index),
    (index) => cells.has(index),
    answers,
  );
}

function compareResult(text: string, expected: ResultDocument): void {
  const found = parseFaithfully(text, 'result');
  const expectedText = JSON.stringify(expected);
  if (JSON.stringify(found) === expectedText) return;
  const place = firstDifference(found, JSON.parse(expectedText) as unknown, '');
  if (place !== undefined) throw mismatch(`${place || 'the file'} is not what the verified sums give`);
}

/** Path of the first difference between two JSON values; undefined if there is none. */
function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (
    typeof a !== 'object' ||
    typeof b !== 'object' ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  )
    return path;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const place = path === '' ? key : `${path}.${key}`;
    if (!(key in left) || !(key in right)) return place;
    const found = firstDifference(left[key], right[key], place);
    if (found !== undefined) return found;
  }
  return undefined;
}
