import { inspect } from 'node:util';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort, Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { outcomeDigest, type Outcome } from '../../protocol/outcome.ts';
import type { CellVector } from '../cells.ts';
import { addCommitments, commitCells, commitScalars } from '../pedersen.ts';
import type { ShareSum } from '../share-sum.ts';
import { addScalars, SCALAR_BYTES, ScalarVector } from '../scalars.ts';
import { CellSet } from './cell-set.ts';
import { challengeOf, concealedCommitment } from './concealment.ts';
import type { ReceivedShare } from './share-opener.ts';

/** The part of an opening that keeps withheld cells closed and bound (`Concealment`). */
export interface Closed {
  /** What the parties agreed on before they opened. 32 bytes. */
  readonly agreement: Uint8Array;
  readonly released: CellSet;
  /** A_i of each party, in roster order. */
  readonly announcements: readonly Uint8Array[];
  /** X_j + e sum_i a_ij at the withheld cells, zero at the others. */
  readonly responses: ScalarVector;
}

/** The sum as opened, not yet checked against the commitments. */
export class Opening {
  /** Zero where withheld. */
  readonly cells: CellVector;
  readonly blinding: Uint8Array;
  /** Undefined where no rule applied. */
  readonly outcome: Outcome | undefined;
  /** Undefined where every cell opened. */
  readonly closed: Closed | undefined;

  constructor(cells: CellVector, blinding: Uint8Array, outcome?: Outcome, closed?: Closed) {
    this.cells = cells;
    this.blinding = blinding;
    this.outcome = outcome;
    this.closed = closed;
  }

  /** What the result receipt on the ledger holds: digest of session, step, cells, blinding, outcome, and responses. */
  digest(session: string, step: number): string {
    const { cells, blinding, outcome, closed } = this;
    const parts = [fromHex(session, 32), Buffer.from(String(step)), cells.bytes, blinding];
    if (outcome !== undefined) parts.push(fromHex(outcomeDigest(outcome), 32));
    if (closed !== undefined) parts.push(closed.agreement, closed.responses.bytes);
    return toHex(hashBytes(LABEL.result, ...parts));
  }

  toJSON(): string {
    return `Opening(${this.cells.length} cells, not verified)`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

/**
 * Adds what all parties sent: X = sum t_i, R = sum of blinding shares. All shares must come from one agreement and one
 * outcome. Errors: `Abort EQUIVOCATION` when they differ, naming the party that is not with most others, or
 * nobody where there is no majority; `Abort VERIFICATION_FAILED` when an open cell lies outside the range of sums,
 * which no honest input reaches.
 */
export function combineShares(sum: ShareSum, shares: readonly ReceivedShare[]): Opening {
  const [first, ...rest] = shares;
  if (first === undefined) throw new Misuse('OUT_OF_ORDER', 'there are no shares to combine');
  refuseTwoAgreements(shares);
  const { outcome } = first;
  const blinding = rest.reduce((total, share) => addScalars(total, share.blinding), first.blinding);
  try {
    const released = outcome && CellSet.fromBase64(sum.length, outcome.released);
    if (released === undefined || released.full) return new Opening(sum.cells(), blinding, outcome);
    const { open, closed } = separate(sum.total(), fromHex(first.header.agreement, 32), outcome!, released);
    return new Opening(open.toCells(), blinding, outcome, closed);
  } catch (cause) {
    throw verificationFailed(cause);
  }
}

/** Splits the opened scalars into those that stand for cells and those that keep withheld cells closed. */
function separate(
  total: ScalarVector,
  agreement: Uint8Array,
  outcome: Outcome,
  released: CellSet,
): { open: ScalarVector; closed: Closed } {
  const responses = ScalarVector.zeros(total.length);
  for (let i = 0; i < total.length; i++) {
    if (released.has(i)) continue;
    const [from, to] = [SCALAR_BYTES * i, SCALAR_BYTES * (i + 1)];
    responses.bytes.set(total.bytes.subarray(from, to), from);
    total.bytes.fill(0, from, to);
  }
  const announcements = outcome.announcements.map((each) => fromHex(each, 32));
  return { open: total, closed: { agreement, released, announcements, responses } };
}

/** Honest parties hold one agreement and outcome. Who differs from most others is named; this is a hint, a majority may collude. */
function refuseTwoAgreements(shares: readonly ReceivedShare[]): void {
  const held = Map.groupBy(shares, ({ header }) => `${header.agreement} ${header.outcome?.digest}`);
  if (held.size <= 1) return;
  const majority = [...held.values()].find((group) => 2 * group.length > shares.length);
  const odd = majority && shares.find((share) => !majority.includes(share));
  const who = odd === undefined ? 'the hospitals' : odd.party;
  throw new Abort('EQUIVOCATION', `${who} sent shares for another agreement than the others`, {
    round: 'open',
    ...(odd === undefined ? {} : { party: odd.party }),
  });
}

/** Cells that the commitments on the ledger vouch for. Only `verifyOpening` makes them. */
export class VerifiedCells {
  readonly #cells: CellVector;
  readonly #released: CellSet | undefined;
  private constructor(cells: CellVector, released: CellSet | undefined) {
    this.#cells = cells;
    this.#released = released;
  }

  /**
   * Checks sum_i C_i = sum_j X_j G_j + R H (docs/protocol.md §3.4); where cells are withheld, sum_i C_i + e sum_i A_i on the left,
   * and their responses among the X_j.
   *
   * Proves, under the discrete logarithm assumption in ristretto255, that each open X_j is the sum of the values the hospitals
   * committed to. It does not prove that those values describe their patients, nor that the release rule chose
   * the right cells: that is what the hospitals attest.
   * Errors: `Abort VERIFICATION_FAILED`.
   */
  static verifyOpening(opening: Opening, commitments: readonly Uint8Array[]): VerifiedCells {
    let holds: boolean;
    try {
      holds = matches(opening, addCommitments(commitments));
    } catch (cause) {
      // A commitment that is no element, a blinding that is no scalar: neither comes from an honest party.
      throw verificationFailed(cause);
    }
    if (!holds) throw verificationFailed();
    return new VerifiedCells(opening.cells, opening.closed?.released);
  }

  get length(): number {
    return this.#cells.length;
  }

  /** How many cells opened. */
  get opened(): number {
    return this.#released?.size ?? this.length;
  }

  /** False where withheld. */
  has(index: number): boolean {
    return this.#released?.has(index) ?? true;
  }

  /** Errors: `Misuse OUT_OF_ORDER` for a withheld cell: there is no number to show, least of all zero. */
  at(index: number): bigint {
    if (!this.has(index)) throw new Misuse('OUT_OF_ORDER', 'this cell is withheld');
    return this.#cells.at(index);
  }
}

function matches({ cells, blinding, closed }: Opening, commitment: Uint8Array): boolean {
  if (closed === undefined) return equalBytes(commitment, commitCells(cells, blinding));
  const { agreement, released, announcements, responses } = closed;
  const challenge = challengeOf(agreement, released, announcements);
  const opened = ScalarVector.fromCells(cells);
  opened.addInto(responses);
  return equalBytes(
    concealedCommitment(commitment, addCommitments(announcements), challenge),
    commitScalars(opened, blinding),
  );
}

export const verifyOpening = (opening: Opening, commitments: readonly Uint8Array[]): VerifiedCells =>
  VerifiedCells.verifyOpening(opening, commitments);

const verificationFailed = (cause?: unknown): Abort =>
  new Abort(
    'VERIFICATION_FAILED',
    'the opened cells do not match the commitments on the ledger: some hospital sent another share than it committed to',
    {
      round: 'open',
      hint: 'No result was shown. The hospitals can now find out who it was, without revealing an input (blame).',
      cause,
    },
  );
