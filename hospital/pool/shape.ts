import type { StockDemand } from '../../mpc/boolean/stock.ts';

/** What one slice holds: triples, and input masks of each hospital of the roster. Slices are spent as a whole. */
export interface SliceShape {
  readonly triples: number;
  readonly masks: number;
}

/** Fine enough that little is wasted at the end of a demand, coarse enough that few records are read for it. */
export const SLICE_TRIPLES = 4096;
const LANE = 128;
export const MASKS_LIMIT = 16 * SLICE_TRIPLES;

/**
 * Masks of each hospital in a slice, for so many masks to a triple over all hospitals together. A release decision takes
 * between 0.3 and 1.6 (`releaseCost` for 3 to 8 hospitals: six masks of one hospital to ten triples at worst).
 */
export const masksFor = (masksPerTriple: number, hospitals: number): number =>
  Math.min(MASKS_LIMIT, Math.ceil((masksPerTriple * SLICE_TRIPLES) / hospitals / LANE) * LANE);

export const sliceDemand = ({ triples, masks }: SliceShape, roster: readonly string[], slices = 1): StockDemand => ({
  triples: slices * triples,
  random: 0,
  masks: new Map(masks === 0 ? [] : roster.map((party) => [party, slices * masks])),
});

export const NOTHING: StockDemand = { triples: 0, random: 0, masks: new Map() };

export const isNothing = ({ triples, random, masks }: StockDemand): boolean =>
  triples === 0 && random === 0 && [...masks.values()].every((count) => count === 0);
