import { inspect } from 'node:util';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort, Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { CellVector } from '../cells.ts';
import { addCommitments, commitCells } from '../pedersen.ts';
import { addScalars, type ShareSum } from '../scalars.ts';
import type { ReceivedShare } from './share.ts';

/** The sum as opened, not yet checked against the commitments. */
export class Opening {
  readonly cells: CellVector;
  readonly blinding: Uint8Array;

  constructor(cells: CellVector, blinding: Uint8Array) {
    this.cells = cells;
    this.blinding = blinding;
  }

  /** What the result receipt on the ledger holds: digest of session, step, cells and blinding. */
  digest(session: string, step: number): string {
    return toHex(
      hashBytes(LABEL.result, fromHex(session, 32), Buffer.from(String(step)), this.cells.bytes, this.blinding),
    );
  }

  toJSON(): string {
    return `Opening(${this.cells.length} cells, not verified)`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

/**
 * Adds what all parties sent: X = sum t_i, R = sum of blinding shares. All shares must come from one agreement.
 * Errors: `Abort EQUIVOCATION` when agreements differ, naming the party whose agreement is not that of most others, or
 * nobody where no agreement has a majority; `Abort VERIFICATION_FAILED` when a cell lies outside the range of sums,
 * which no honest input reaches.
 */
export function combineShares(sum: ShareSum, shares: readonly ReceivedShare[]): Opening {
  const [first, ...rest] = shares;
  if (first === undefined) throw new Misuse('OUT_OF_ORDER', 'there are no shares to combine');
  refuseTwoAgreements(shares);
  const blinding = rest.reduce((total, share) => addScalars(total, share.blinding), first.blinding);
  let cells: CellVector;
  try {
    cells = sum.total().toCells();
  } catch (cause) {
    throw verificationFailed(cause);
  }
  return new Opening(cells, blinding);
}

/** Honest parties hold one agreement. Who differs from most others is named; this is a hint, a majority may collude. */
function refuseTwoAgreements(shares: readonly ReceivedShare[]): void {
  const held = Map.groupBy(shares, (share) => share.header.agreement);
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
  private constructor(cells: CellVector) {
    this.#cells = cells;
  }

  /**
   * Checks sum_i C_i = sum_j X_j G_j + R H (docs/protocol.md §3.4).
   *
   * Proves, under the discrete logarithm assumption in ristretto255, that X is the sum of the vectors the hospitals
   * committed to. It does not prove that those vectors describe their patients.
   * Errors: `Abort VERIFICATION_FAILED`.
   */
  static verifyOpening(opening: Opening, commitments: readonly Uint8Array[]): VerifiedCells {
    let holds: boolean;
    try {
      holds = equalBytes(addCommitments(commitments), commitCells(opening.cells, opening.blinding));
    } catch (cause) {
      // A commitment that is no element, a blinding that is no scalar: neither comes from an honest party.
      throw verificationFailed(cause);
    }
    if (!holds) throw verificationFailed();
    return new VerifiedCells(opening.cells);
  }

  get length(): number {
    return this.#cells.length;
  }
  at(index: number): bigint {
    return this.#cells.at(index);
  }
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
