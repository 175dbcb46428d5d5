/** What the processes use of analytics: from a researcher's document to cells, and back to an answer. */
export { normalizeQuery, type SchemaLookup } from './normalize.ts';
export { computesOnShares, planQuery, groupKey, type Plan, type PlannedStatistic } from './plan.ts';
export { type PlannedSearch, type Target } from './search.ts';
export { compileDistribution, compileMagnitudes, compileSql, compileTexts, type CompiledSql } from './sql.ts';
export { Distribution, readDistribution } from './distribution.ts';
export { greatestMagnitude, judgedSums, readMagnitudes, type Magnitude } from './magnitudes.ts';
export { shareModulus } from './modulus.ts';
export { readTexts, rowsToCells, type CellSink, type ResultColumns } from './cells.ts';
export { decode, shownValues, valueNames, type GroupResult, type ReleasedGroup, type WithheldGroup } from './decode.ts';
export { candidateCounts, residualCandidates, withComplement, type ResidualCandidate } from './complement.ts';
export { guardCounts, guardsOf, releasedCells, searchable, type Guard, type Guarding } from './guards.ts';
export { describeQuery } from './describe.ts';
