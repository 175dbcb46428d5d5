import {
  Bool,
  Field,
  Float64,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
  makeData,
  type Data,
} from 'apache-arrow';
import { shownValues } from '../../analytics/index.ts';
import type { ReceiptSummary } from './documents.ts';
import { keyColumns, withheldValues, type AnswerTable } from './csv.ts';

/**
 * The answer as an Arrow IPC file: key columns (utf8), `withheld` (bool, of the whole group), `withheld_values` (utf8:
 * names of what is withheld of a released group, or null), one float64 column per value (null where undefined or
 * withheld). The schema's metadata says which query, session and ledger it comes from.
 */
export function resultToArrow({ names, groups }: AnswerTable, receipt: ReceiptSummary): Uint8Array {
  const texts = (name: string, values: (string | null)[]): [Field, Data] => [
    new Field(name, new Utf8(), true),
    vectorFromArray(values, new Utf8()).data[0]!,
  ];
  const columns: [Field, Data][] = [
    ...keyColumns(groups).map((name) =>
      texts(
        name,
        groups.map((group) => group.key[name] ?? null),
      ),
    ),
    [
      new Field('withheld', new Bool(), false),
      vectorFromArray(
        groups.map((group) => group.status === 'withheld'),
        new Bool(),
      ).data[0]!,
    ],
    texts(
      'withheld_values',
      groups.map((group) => withheldValues(group) ?? null),
    ),
    ...names.map((name): [Field, Data] => [
      new Field(name, new Float64(), true),
      vectorFromArray(
        groups.map((group) => shownValues(group)[name] ?? null),
        new Float64(),
      ).data[0]!,
    ]),
  ];
  const metadata = new Map(Object.entries({ ...receipt }).map(([name, value]) => [`healthchain.${name}`, value]));
  const schema = new Schema(
    columns.map(([field]) => field),
    metadata,
  );
  const data = makeData({
    type: new Struct(schema.fields),
    length: groups.length,
    nullCount: 0,
    children: columns.map(([, each]) => each),
  });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'file');
}
