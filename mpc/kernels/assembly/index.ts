/** What the host sees of the kernels. Addresses are in bytes; counts are of elements. */
export {
  addMasks,
  addScalars,
  cellsInRange,
  cellsToScalars,
  centreScalars,
  scalarsCanonical,
  scalarsToCells,
  subtractMasks,
  subtractScalars,
  widenCells,
} from './scalars';
export { ACCUMULATOR, BLOCK, CELLS, GENERATORS, OPERAND, SCALARS, SEGMENT } from './layout';
export {
  addBlinding,
  addEncoded,
  beginSum,
  deriveBlinding,
  deriveGenerators,
  encodeTotal,
  eraseSum,
  sumSegment,
} from './msm';
