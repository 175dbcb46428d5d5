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
import type { GroupResult } from '../../analytics/index.ts';
import type { ReceiptSummary } from './documents.ts';
import { columnsOf } from './csv.ts';

/**
 * The answer as an Arrow IPC file: key columns (utf8), `withheld` (bool), one float64 column per value (null where
 * undefined or withheld). The schema's metadata says which query, session and ledger it comes from.
 */
export function resultToArrow(groups: readonly GroupResult[], receipt: ReceiptSummary): Uint8Array {
  const keys = columnsOf(groups, (group) => Object.keys(group.key));
  const values = columnsOf(groups, (group) => Object.keys(group.values));
  const columns: [Field, Data][] = [
    ...keys.map((name): [Field, Data] => [
      new Field(name, new Utf8(), true),
      vectorFromArray(
        groups.map((group) => group.key[name] ?? null),
        new Utf8(),
      ).data[0]!,
    ]),
    [
      new Field('withheld', new Bool(), false),
      vectorFromArray(
        groups.map((group) => group.status !== 'released'),
        new Bool(),
      ).data[0]!,
    ],
    ...values.map((name): [Field, Data] => [
      new Field(name, new Float64(), true),
      vectorFromArray(
        groups.map((group) => group.values[name] ?? null),
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
