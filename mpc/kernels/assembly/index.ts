/** What the host sees of the kernels. Addresses are in bytes; counts are of elements. */
export {
  addMasks,
  addScalars,
  cellsInRange,
  cellsToScalars,
  centreScalars,
  maskCells,
  scalarsCanonical,
  scalarsToCells,
  subtractMasks,
  subtractScalars,
  widenCells,
} from './scalars';
export { addIntegers, subtractIntegers } from './integers';
export { ACCUMULATOR, ADDENDS, BLOCK, CELLS, GENERATORS, OPERAND, POINTS, SCALARS, SEGMENT } from './layout';
export {
  addBlinding,
  addEncoded,
  beginSum,
  deriveBlinding,
  deriveGenerators,
  encodeTotal,
  eraseSum,
  loadGenerators,
  storeGenerators,
  sumSegment,
} from './msm';
export { addEach, decodeEach, deriveEach, encodeEach, multiplyEach, multiplyFixed, subtractEach } from './multiples';
