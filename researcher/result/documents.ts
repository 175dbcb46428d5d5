import { z } from 'zod';
import type { GroupResult } from '../../analytics/index.ts';
import { CellVector } from '../../mpc/cells.ts';
import { ScalarVector } from '../../mpc/scalars.ts';
import { CellSet } from '../../mpc/sum/cell-set.ts';
import { Opening, type Closed } from '../../mpc/sum/opening.ts';
import type { ReceivedShare } from '../../mpc/sum/share-opener.ts';
import { fromHex, hexOf, toHex } from '../../protocol/bytes.ts';
import { Misuse } from '../../protocol/errors.ts';
import {
  channelName,
  digest,
  organisationId,
  publicKey,
  queryId,
  sessionId,
  signatureHex,
} from '../../protocol/names.ts';
import { outcome } from '../../protocol/outcome.ts';

/** What the hospitals decided on shares: which cells open, and what keeps the others closed and bound. */
const decision = z.strictObject({
  agreement: digest,
  outcome,
  /** 32 bytes for each withheld cell, in order: uniform, they say nothing of the cell (docs/protocol.md §3.5). */
  responses: z.base64(),
  /** Each hospital's signature on step, agreement, and outcome, in the order of `hospitals`. */
  attestations: z
    .array(z.strictObject({ publicKey, signature: signatureHex }))
    .min(2)
    .max(1000),
});

const position = { consortium: digest, size: z.int().min(1), root: digest };

/** What anyone needs, beside a ledger export, to check an answer: the opened sums and their blinding. */
export const receiptDocument = z.strictObject({
  format: z.literal('healthchain-receipt/1'),
  /** The ledger as it stood when the answer was verified. */
  ledger: z.union([
    z.strictObject({ ...position, operatorKey: publicKey }),
    z.strictObject({ ...position, channel: channelName, genesis: digest }),
  ]),
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
        /** The opened sums, one per cell of the plan, as decimal integers; null where withheld. */
        cells: z.array(
          z
            .string()
            .regex(/^(0|-?[1-9][0-9]{0,36})$/)
            .nullable(),
        ),
        /** Left out where no release rule applies. */
        decision: decision.optional(),
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

type ReceiptStep = ReceiptDocument['steps'][number];

export function openingToStep(opening: Opening, result: string, shares: readonly ReceivedShare[]): ReceiptStep {
  const { blinding, outcome, closed } = opening;
  const values = opening.cells.toBigInts();
  const cells = values.map((value, cell) => (closed?.released.has(cell) === false ? null : String(value)));
  const step = { result, blinding: toHex(blinding), cells };
  if (outcome === undefined) return step;
  const withheld = closed === undefined ? [] : closedCells(closed.released);
  const responses = withheld.map((cell) => closed!.responses.bytes.subarray(32 * cell, 32 * cell + 32));
  return {
    ...step,
    decision: {
      agreement: shares[0]!.header.agreement,
      outcome,
      responses: Buffer.concat(responses).toString('base64'),
      attestations: shares.map(({ header: { hello, signature } }) => ({ publicKey: hello.publicKey, signature })),
    },
  };
}

/** Errors: `Misuse MALFORMED` where cells, pattern, and responses do not fit each other. */
export function openingOfStep({ cells, blinding, decision }: ReceiptStep): Opening {
  const values = CellVector.fromBigInts(cells.map((cell) => BigInt(cell ?? 0)));
  const released = CellSet.fromBase64(cells.length, decision?.outcome.released ?? CellSet.all(cells.length).toBase64());
  if (cells.some((cell, i) => (cell === null) === released.has(i))) {
    throw new Misuse('MALFORMED', 'receipt: the withheld cells are not those of the decision');
  }
  if (decision === undefined) return new Opening(values, fromHex(blinding, 32));
  return new Opening(values, fromHex(blinding, 32), decision.outcome, closedBy(decision, released));
}

function closedBy({ agreement, outcome, responses }: z.infer<typeof decision>, released: CellSet): Closed | undefined {
  const given = Buffer.from(responses, 'base64');
  const withheld = closedCells(released);
  if (given.length !== 32 * withheld.length || given.toString('base64') !== responses) {
    throw new Misuse('MALFORMED', 'receipt: another number of responses than withheld cells');
  }
  if (withheld.length === 0) return undefined;
  const scalars = new Uint8Array(32 * released.length);
  withheld.forEach((cell, k) => scalars.set(given.subarray(32 * k, 32 * k + 32), 32 * cell));
  return {
    agreement: fromHex(agreement, 32),
    released,
    announcements: outcome.announcements.map((each) => fromHex(each, 32)),
    responses: ScalarVector.fromBytes(scalars),
  };
}

const closedCells = (released: CellSet): number[] =>
  Array.from({ length: released.length }, (_, cell) => cell).filter((cell) => !released.has(cell));

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
