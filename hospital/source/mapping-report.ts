import Table from 'cli-table3';
import { schemaReference, type DatasetSchema } from '../../protocol/schema.ts';
import type { AttachedColumn, AttachedLayout, Attachment } from './attachment.ts';
import { nameOf } from './files.ts';

/** How one schema column is found in the files. Counts only; nothing of a row. */
export interface ColumnReport {
  readonly column: string;
  /** The name looked for in the files. */
  readonly source: string;
  /** Files without it. */
  readonly absentFrom: readonly string[];
  /** Types seen in the files; several where files differ. */
  readonly types: readonly string[];
  readonly values: number;
  readonly missing: number;
  readonly misfits: number;
  readonly fits: boolean;
}

export interface MappingReport {
  readonly dataset: string;
  readonly files: readonly string[];
  readonly rows: number;
  readonly columns: readonly ColumnReport[];
  /** Whether every column is found and every value fits. */
  readonly fits: boolean;
}

interface Counts {
  readonly missing: number;
  readonly misfits: number;
}

export async function describeMapping(attachment: Attachment, schema: DatasetSchema): Promise<MappingReport> {
  const layouts = await Promise.all(attachment.layouts.map((layout) => countLayout(attachment, layout)));
  const rows = layouts.reduce((sum, each) => sum + each.rows, 0);
  const columns = schema.columns.map((column, index): ColumnReport => {
    const seen = attachment.layouts.map((layout) => layout.attached[index]!);
    const absentFrom = attachment.layouts.flatMap((layout, at) =>
      seen[at]!.readings.length === 0 ? layout.files.map(nameOf) : [],
    );
    const sum = (key: keyof Counts): number => layouts.reduce((total, each) => total + each.counts[index]![key], 0);
    const [missing, misfits] = [sum('missing'), sum('misfits')];
    const types = attachment.layouts.flatMap((layout, at) => typeSeen(layout, seen[at]!));
    return {
      column: column.name,
      source: seen[0]!.sourceName,
      absentFrom,
      types: [...new Set(types)],
      values: rows - missing - misfits,
      missing,
      misfits,
      fits: absentFrom.length === 0 && misfits === 0,
    };
  });
  return {
    dataset: schemaReference(schema),
    files: attachment.files.map((file) => nameOf(file.path)),
    rows,
    columns,
    fits: columns.every((column) => column.fits),
  };
}

async function countLayout(
  { engine }: Attachment,
  layout: AttachedLayout,
): Promise<{ rows: number; counts: Counts[] }> {
  const terms = layout.attached.flatMap(({ readings }) => {
    const reading = readings.at(-1);
    return reading === undefined ? [] : [`count_if(${reading.missing})`, `count_if(${reading.misfit})`];
  });
  const [row = []] = await engine.rows(
    `SELECT ${['count(*)', ...terms].join(', ')} FROM ${layout.relation(layout.files)}`,
  );
  const [rows = 0, ...numbers] = row.map(Number);
  const counts = layout.attached.map(({ readings }): Counts => {
    if (readings.length === 0) return { missing: rows, misfits: 0 };
    const [missing = 0, misfits = 0] = numbers.splice(0, 2);
    return { missing, misfits };
  });
  return { rows, counts };
}

const typeSeen = (layout: AttachedLayout, { found }: AttachedColumn): string[] => {
  if (found === undefined) return [];
  return [layout.format === 'csv' ? 'text (CSV)' : found.type];
};

/** The report as a table for people. */
export function renderMappingReport(report: MappingReport): string {
  const table = new Table({
    head: ['schema column', 'column in the files', 'type seen', 'values', 'missing', 'do not fit', ''],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const each of report.columns) {
    table.push([
      each.column,
      each.source,
      each.types.join(', ') || '-',
      each.values,
      `${each.missing} (${percent(each.missing, report.rows)})`,
      each.misfits,
      verdict(each, report.files.length),
    ]);
  }
  const count = report.files.length === 1 ? report.files[0]! : `${report.files.length} files`;
  const end = report.fits
    ? 'Every value fits the schema.'
    : 'Some columns do not fit: correct the files, or map names, codes, units and missing markers in the mapping.';
  return `${report.dataset}: ${report.rows} rows in ${count}\n${table.toString()}\n${end}`;
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(1)} %`;

function verdict(column: ColumnReport, files: number): string {
  if (column.absentFrom.length === files) return 'NOT FOUND';
  if (column.absentFrom.length > 0) return `NOT FOUND in ${column.absentFrom.slice(0, 3).join(', ')}`;
  return column.misfits > 0 ? 'DOES NOT FIT' : 'ok';
}
