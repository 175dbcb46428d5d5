import { expect, it } from 'vitest';
import type { AnswerTable } from '../researcher/result/csv.ts';
import { resultTable } from './result-table.ts';

const answer: AnswerTable = {
  names: ['count', 'mean(x)', 'sum(x)'],
  groups: [
    { key: { sex: 'f' }, status: 'released', values: { count: 12, 'mean(x)': null, 'sum(x)': 11 } },
    { key: { sex: 'm' }, status: 'released', values: { count: 13 }, withheld: ['mean(x)', 'sum(x)'] },
    { key: { sex: null }, status: 'withheld' },
  ],
};

it('says what is withheld, and never shows it as a number or as undefined', () => {
  const row = (text: string): string =>
    resultTable(answer, 200)
      .split('\n')
      .find((line) => line.includes(text)) ?? '';
  expect(row(' f ')).toMatch(/12 .* – .* 11/);
  expect(row(' m ')).toMatch(/13 .* withheld .* withheld/);
  expect(row('(missing)')).toMatch(/withheld .* withheld .* withheld/);
});
