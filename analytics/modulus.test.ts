import { describe, expect, it } from 'vitest';
import { everythingOpens } from '../protocol/testing/release.ts';
import { shareModulus } from './modulus.ts';
import { planQuery } from './plan.ts';
import { prepare, schemaOf } from './testing/world.ts';

/** 2^48 = 281,474,976,710,656 is the most that a row may add to all terms together. */
const schema = schemaOf([
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
  { name: 'most', type: 'number', decimals: 0, minimum: '-281474976710655', maximum: '5' },
  { name: 'more', type: 'number', decimals: 0, minimum: '0', maximum: '281474976710656' },
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
    expect(modulusOf([sum('most')])).toBe('2^128');
    expect(modulusOf([sum('more')])).toBe('l');
    expect(modulusOf([sum('most'), { histogram: { column: 'age', bins: [0, 60, 120] } }])).toBe('l');
    expect(modulusOf([sum('most'), sum('age')])).toBe('l');
    expect(modulusOf([{ variance: { column: 'fine' } }])).toBe('2^128');
    expect(modulusOf([{ variance: { column: 'fine' } }, sum('most')])).toBe('l');
  });

  it('are scalars where a rule or a search decides what opens', () => {
    expect(modulusOf([{ count: {} }], { minimumHospitals: 2, minimumCell: 10 })).toBe('l');
    expect(modulusOf([{ median: { column: 'age' } }])).toBe('l');
  });
});
