export type { Cell, Parameter, ResultColumns } from './engine.ts';
export { datasetMapping, sourceConfig } from './config.ts';
export type { DatasetMapping, Format, SourceConfig, SourceInput } from './config.ts';
export { inferSchema } from './infer.ts';
export type { InferOptions } from './infer.ts';
export { renderMappingReport } from './mapping-report.ts';
export type { ColumnReport, MappingReport } from './mapping-report.ts';
export { checkMapping, openSource, Source } from './source.ts';
