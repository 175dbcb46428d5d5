import { describe, expect, it } from 'vitest';
import { query } from '../protocol/query.ts';
import { normalizeQuery } from './normalize.ts';
import { heart as schema } from './testing/heart.ts';
import { prepare } from './testing/world.ts';

const count = { statistics: [{ count: {} }] };
const derive = { disease: { column: 'num', gt: 0 } };

describe('what is written in several ways has one form', () => {
  it('resolves the version and spells defaults out', () => {
    expect(prepare({ ...count, groupBy: [{ column: 'sex' }] }, schema)).toEqual({
      dataset: 'heart@1',
      purpose: 'GRU',
      groupBy: [{ column: 'sex', missing: 'drop' }],
      statistics: [{ count: {} }],
      release: { minimumCell: 10, insiderRule: true, minimumHospitals: 3, zeroCells: 'open' },
    });
    expect(prepare({ ...count, release: { insiderRule: 1 } }, schema).release.insiderRule).toBe(true);
    expect(prepare({ statistics: [{ ci: { column: 'age' } }] }, schema).statistics).toEqual([
      { ci: { column: 'age', level: 0.95 } },
    ]);
    const written = [{ quantile: { column: 'age', p: 0.5 } }, { distinct: { column: 'patient' } }];
    expect(prepare({ statistics: written }, schema).statistics).toEqual([
      { quantile: { column: 'age', p: [0.5] } },
      { distinct: { column: 'patient', bits: 16_384 } },
    ]);
  });

  it('asks for the schema by the reference written', () => {
    const asked: string[] = [];
    const lookup = (reference: string): typeof schema => (asked.push(reference), schema);
    normalizeQuery({ dataset: 'heart', purpose: 'GRU', ...count }, lookup);
    normalizeQuery({ dataset: 'heart@1', purpose: 'GRU', ...count }, lookup);
    expect(asked).toEqual(['heart', 'heart@1']);
  });

  it.each([
    [
      { column: 'sex', eq: 1 },
      { column: 'sex', eq: '1' },
    ],
    [
      { column: 'age', gte: '30.0', lt: '80' },
      { column: 'age', gte: 30, lt: 80 },
    ],
    [
      { column: 'disease', eq: true },
      { column: 'disease', eq: 1 },
    ],
    [
      { column: 'disease', notIn: ['0', false] },
      { column: 'disease', notIn: [0, 0] },
    ],
    [
      { column: 'oldpeak', between: ['-2.60', 1e-7] },
      { column: 'oldpeak', between: [-2.6, '0.0000001'] },
    ],
    [{ not: { any: [{ column: 'sex', in: [0, '1'] }] } }, { not: { any: [{ column: 'sex', in: ['0', '1'] }] } }],
  ])('%j', (cohort, canonical) => expect(prepare({ ...count, derive, cohort }, schema).cohort).toEqual(canonical));

  it('is a fixed point', () => {
    const once = prepare({ ...count, derive, cohort: { column: 'oldpeak', gte: 1e-7 } }, schema);
    expect(normalizeQuery(once, () => schema)).toEqual(once);
    expect(query.parse(once)).toEqual(once);
  });
});
