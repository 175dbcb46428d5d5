import { tableFromIPC } from 'apache-arrow';
import { expect, it } from 'vitest';
import { resultToArrow } from './arrow.ts';
import { resultToCsv, type AnswerTable } from './csv.ts';

const answer: AnswerTable = {
  names: ['count', 'mean(x)', 'table(x=1,y=0)'],
  groups: [
    { key: { sex: 'f' }, status: 'released', values: { count: 12, 'mean(x)': null, 'table(x=1,y=0)': 11 } },
    { key: { sex: 'm' }, status: 'released', values: { count: 12 }, withheld: ['mean(x)', 'table(x=1,y=0)'] },
    { key: { sex: null }, status: 'withheld' },
  ],
};
const receipt = { consortium: '1', query: '2', session: '3', result: '4' };

it('CSV tells groups and values that are withheld from values that are undefined', () => {
  expect(resultToCsv(answer)).toBe(
    [
      'sex,status,withheld_values,count,mean(x),"table(x=1,y=0)"',
      'f,released,,12,,11',
      'm,released,"mean(x); table(x=1,y=0)",12,,',
      ',withheld,,,,',
      '',
    ].join('\r\n'),
  );
});

it('Arrow has nulls for what is withheld, and says that it is', () => {
  const table = tableFromIPC(resultToArrow(answer, receipt));
  const rows = table.toArray().map((row: { toJSON(): object }) => row.toJSON());
  expect(rows).toEqual([
    { sex: 'f', withheld: false, withheld_values: null, count: 12, 'mean(x)': null, 'table(x=1,y=0)': 11 },
    {
      sex: 'm',
      withheld: false,
      withheld_values: 'mean(x); table(x=1,y=0)',
      count: 12,
      'mean(x)': null,
      'table(x=1,y=0)': null,
    },
    { sex: null, withheld: true, withheld_values: null, count: null, 'mean(x)': null, 'table(x=1,y=0)': null },
  ]);
  expect(table.schema.metadata.get('healthchain.query')).toBe('2');
});
