import { describe, expect, it } from 'vitest';
import { everythingOpens } from '../protocol/testing/release.ts';
import { shareModulus } from './modulus.ts';
import { planQuery } from './plan.ts';
import { prepare, schemaOf } from './testing/world.ts';

/**
 * 2^54 is the most that a row may add to all terms together. With `wide` = 2^27 - 1 its square, itself and 1 of n are 2^54 - 2^27 + 1,
 * so that there is room for 2^27 - 2 and another n.
 */
const schema = schemaOf([
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
  { name: 'wide', type: 'number', decimals: 0, minimum: '-134217727', maximum: '5' },
  { name: 'most', type: 'number', decimals: 0, minimum: '-134217726', maximum: '5' },
  { name: 'more', type: 'number', decimals: 0, minimum: '0', maximum: '134217727' },
  { name: 'fine', type: 'number', decimals: 4, minimum: '0', maximum: '100' },
]);
const modulusOf = (statistics: object[], release: object = everythingOpens()): string => {
  const plan = planQuery(prepare({ statistics, release, cohort: { column: 'age', notNull: true } }, schema), schema);
  return shareModulus(plan);
};

describe('shares', () => {
  it('are integers where every cell opens and cells are small', () => {
    expect(modulusOf([{ count: {} }])).toBe('2^128');
    expect(modulusOf([{ count: {} }, { mean: { column: 'age' } }, { variance: { column: 'age' } }])).toBe('2^128');
    expect(modulusOf([{ mean: { column: 'fine' } }])).toBe('2^128');
  });

  it('are scalars where cells can grow large, all terms of a row together', () => {
    const sum = (column: string): object => ({ sum: { column } });
    const wide = { variance: { column: 'wide' } };
    expect(modulusOf([wide, sum('most')])).toBe('2^128');
    expect(modulusOf([wide, sum('more')])).toBe('l');
    expect(modulusOf([wide, sum('most'), { histogram: { column: 'age', bins: [0, 60, 120] } }])).toBe('l');
    expect(modulusOf([wide, sum('most'), sum('age')])).toBe('l');
    expect(modulusOf([{ variance: { column: 'fine' } }])).toBe('2^128');
    expect(modulusOf([wide, { variance: { column: 'fine' } }])).toBe('l');
  });

  it('are scalars where a rule or a search decides what opens', () => {
    expect(modulusOf([{ count: {} }], { minimumHospitals: 2, minimumCell: 10 })).toBe('l');
    expect(modulusOf([{ median: { column: 'age' } }])).toBe('l');
  });
});
