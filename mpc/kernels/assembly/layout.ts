/**
 * Where things lie in memory after the static data: two blocks for scalars on their way in and out, the segment of
 * a commitment being computed, its buckets, the table of H, and, last and growing, the generators.
 */
const START: usize = (__heap_base + 15) & ~15;

/** Scalars of a block: 64 KiB, so that a block and its operand stay in the second-level cache. */
export const BLOCK: usize = 2048;
export const ACCUMULATOR: usize = START;
export const OPERAND: usize = ACCUMULATOR + BLOCK * 32;

/** Cells of one multi-scalar multiplication. */
export const SEGMENT: usize = 16384;
export const SCALARS: usize = OPERAND + BLOCK * 32;
/** The same cells as they come in, 16 bytes each. */
export const CELLS: usize = SCALARS + SEGMENT * 32;

export const MAX_WINDOW: usize = 13;
/** Bucket j at BUCKETS + 160 j, 0 <= j <= 2^12 (0 unused); a byte each tells whether it is filled. */
export const BUCKETS: usize = CELLS + SEGMENT * 16;
export const FILLED: usize = BUCKETS + 4097 * 160;

/** Where vectors of elements are worked on, in the buckets' memory: two operands of a batch, and multiples of points. */
export const POINTS: usize = BUCKETS;
export const ADDENDS: usize = POINTS + 256 * 160;
export const MULTIPLES: usize = ADDENDS + 256 * 160;

/** j 16^w H, 1 <= j <= 8, 0 <= w < 64, at 160 (8 w + j - 1). */
export const H_TABLE: usize = FILLED + 4112;
/** G_j at GENERATORS + 160 j. */
export const GENERATORS: usize = H_TABLE + 512 * 160;
