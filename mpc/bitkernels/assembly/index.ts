/** What the host sees of the kernels. Addresses and lengths are in bytes, counts in rows; the host lays out the memory. */
export { addInto, addTimes, expandHolder, expandKeeper, transpose } from './columns';
export { addElement, addSelected, addTweaks, lowBits, mixHashes, shiftKeys } from './rows';
export { countUp, fileTriples, foldPartners, openPartners, readProducts, shuffle, startBuckets } from './triples';

/** The first address that is free for the host's layout. */
export const START: usize = (__heap_base + 63) & ~63;
