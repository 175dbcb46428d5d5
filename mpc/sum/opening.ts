import { inspect } from 'node:util';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
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

  [inspect.custom](): string {
    return `Opening(${this.cells.length} cells, not verified)`;
  }
}

/**
 * Adds what all parties sent: X = sum t_i, R = sum of blinding shares. All shares must come from one agreement.
 * Errors: `Abort EQUIVOCATION` naming the first party whose agreement differs; `Abort VERIFICATION_FAILED` when a
 * cell lies outside the range of sums, which no honest input reaches.
 */
export function combineShares(sum: ShareSum, shares: readonly ReceivedShare[]): Opening {
  const [first, ...rest] = shares;
  if (first === undefined) throw new RangeError('no shares');
  for (const share of rest) {
    if (share.header.agreement !== first.header.agreement) {
      throw new Abort('EQUIVOCATION', `${share.party} sent its share for another agreement than ${first.party}`, {
        party: share.party,
        round: 'open',
      });
    }
  }
  const blinding = rest.reduce((total, share) => addScalars(total, share.blinding), first.blinding);
  let cells: CellVector;
  try {
    cells = sum.total().toCells();
  } catch (cause) {
    throw verificationFailed(cause);
  }
  return new Opening(cells, blinding);
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
    if (!equalBytes(addCommitments([...commitments]), commitCells(opening.cells, opening.blinding)))
      throw verificationFailed();
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
