/** Between the bench of computing on shares and its party processes. */

/** One thing that all parties do together; each answers with what it took. */
export type Task =
  /** Base transfers and key check, once per roster. */
  | { readonly kind: 'setUp' }
  | { readonly kind: 'triples'; readonly count: number }
  /** Layers of ANDs on random bits, from stock made before; answers when all parties have it. */
  | { readonly kind: 'makeAnds'; readonly lanes: number; readonly layers: number }
  | { readonly kind: 'ands' }
  /** Makes what the next release takes. */
  | { readonly kind: 'makeStock'; readonly cells: number; readonly coalition: number }
  /** Decides on counts; from stock if it was made, else makes its own first. */
  | { readonly kind: 'release'; readonly cells: number; readonly coalition: number }
  | { readonly kind: 'medians'; readonly groups: number; readonly gridSize: number };

export interface Done {
  /** Bytes sent to the coordinator during the task. */
  readonly bytes: number;
  /** Frames sent during the task. */
  readonly frames: number;
  /** A digest of the public result, the same at all parties. */
  readonly result: string;
}

/** Counts of a party: small and large ones, so that some cells pass and some do not. */
export const countOf = (party: number, cell: number): number => (cell * (7 + 4 * party)) % 17;
