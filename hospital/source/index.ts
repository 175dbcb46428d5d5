export type { Cell, Parameter, ResultColumns } from './engine.ts';
export { datasetMapping, patientMapping, sourceConfig } from './config.ts';
export type { DatasetMapping, Format, PatientMapping, SourceConfig, SourceInput } from './config.ts';
export { inferSchema } from './infer.ts';
export type { InferOptions } from './infer.ts';
export { renderMappingReport } from './mapping-report.ts';
export type { ColumnReport, MappingReport } from './mapping-report.ts';
export { Cohort, type PatientReport } from './cohort.ts';
export { checkMapping, openSource, Source, type Rows } from './source.ts';
