import { z } from 'zod';
import type { GroupResult } from '../../analytics/index.ts';
import { CellVector } from '../../mpc/cells.ts';
import { Opening } from '../../mpc/sum/opening.ts';
import { fromHex, hexOf, toHex } from '../../protocol/bytes.ts';
import { Misuse } from '../../protocol/errors.ts';
import { digest, organisationId, publicKey, queryId, sessionId } from '../../protocol/names.ts';

/** What anyone needs, beside a ledger export, to check an answer: the opened sums and their blinding. */
export const receiptDocument = z.strictObject({
  format: z.literal('healthchain-receipt/1'),
  /** The ledger as it stood when the answer was verified. */
  ledger: z.strictObject({ consortium: digest, operatorKey: publicKey, size: z.int().min(1), root: digest }),
  query: queryId,
  session: sessionId,
  hospitals: z.array(organisationId).min(2).max(1000),
  steps: z
    .array(
      z.strictObject({
        /** Digest of cells and blinding, as recorded on the ledger. */
        result: digest,
        /** Sum of the hospitals' blindings: lets the commitments be checked, hides each hospital's own. */
        blinding: hexOf(32),
        /** The opened sums, one per cell of the plan, as decimal integers. */
        cells: z.array(z.string().regex(/^(0|-?[1-9][0-9]{0,36})$/)),
      }),
    )
    .min(1)
    .max(1000),
});
export type ReceiptDocument = z.infer<typeof receiptDocument>;

/** What the result says of its proof. */
export interface ReceiptSummary {
  readonly consortium: string;
  readonly query: string;
  readonly session: string;
  readonly result: string;
}

export interface ResultDocument {
  readonly groups: readonly GroupResult[];
  readonly hospitals: readonly string[];
  readonly receipt: ReceiptSummary;
}

export function makeResult(groups: readonly GroupResult[], receipt: ReceiptDocument): ResultDocument {
  const { query, session, ledger, hospitals, steps } = receipt;
  return {
    groups,
    hospitals,
    receipt: { consortium: ledger.consortium, query, session, result: steps.at(-1)!.result },
  };
}

export function openingToStep(opening: Opening, result: string): ReceiptDocument['steps'][number] {
  return { result, blinding: toHex(opening.blinding), cells: opening.cells.toBigInts().map(String) };
}

export function openingOfStep(step: ReceiptDocument['steps'][number]): Opening {
  return new Opening(CellVector.fromBigInts(step.cells.map(BigInt)), fromHex(step.blinding, 32));
}

/** Files are written for people too: indented, groups one to a line where they are short. */
export const renderDocument = (document: unknown): string => JSON.stringify(document, undefined, 2) + '\n';

/**
 * Parses a document of which every character but white space must count: a number in another notation, a repeated
 * key or a second form of the same text is refused, so that no two different files mean the same.
 */
export function parseFaithfully(text: string, what: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Misuse('MALFORMED', `${what}: not JSON`);
  }
  // Most files are as `renderDocument` wrote them, which is the faster comparison.
  if (renderDocument(document) !== text && JSON.stringify(document) !== withoutSpace(text)) {
    throw new Misuse(
      'NOT_CANONICAL',
      `${what}: a value is not written in its one canonical form, so the file was changed after it was made`,
    );
  }
  return document;
}

/** Drops white space between tokens; strings stay as they are. */
const withoutSpace = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? '');
