import type { Modulus } from '../../protocol/session.ts';

/** Between the bench and its party processes. */

export interface Join {
  readonly organisation: string;
  readonly pem: string;
  readonly consortium: string;
  readonly coordinatorUrl: string;
}

export interface Begin {
  readonly session: string;
  readonly roster: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
  readonly ledger: { readonly size: number; readonly root: string };
  readonly answerKey: string;
  readonly cells: number;
  readonly modulus: Modulus;
}

/** What a party says: that it is connected, that its seeds are agreed. */
export type Ready = 'connected' | 'ready';

/** Steps of the session, as the researcher asks for them. */
export const STEP = {
  /** The sealed share, masked and sealed when it is asked for. */
  share: 0,
  /** As many bytes in chunks of the same length, lying ready. */
  raw: 1,
} as const;

/** Cells of a party as 64-bit integers: a fixed pattern, so that the bench can check the sum. */
export function cellsOf(party: number, cells: number): BigUint64Array {
  const values = new BigUint64Array(cells);
  const multiplier = 0x9e37_79b9_7f4a_7c15n + 2n * BigInt(party);
  for (let i = 0; i < cells; i++) values[i] = BigInt.asUintN(62, multiplier * BigInt(i + 1));
  return values;
}
