import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Misuse } from '../protocol/errors.ts';
import { query } from '../protocol/query.ts';
import { normalizeQuery } from './normalize.ts';
import { heart as schema } from './testing/heart.ts';
import { prepare } from './testing/world.ts';

const count = { statistics: [{ count: {} }] };
const derive = { disease: { column: 'num', gt: 0 } };

describe('a query of whatever form', () => {
  const refusesOrReturns = (input: unknown): void => {
    try {
      query.parse(normalizeQuery(input, () => schema));
    } catch (error) {
      expect(error).toBeInstanceOf(Misuse);
      expect((error as Misuse).code).toBe('BAD_QUERY');
    }
  };

  it('any JSON', () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true }), refusesOrReturns), { numRuns: 300 });
  });

  it('queries with one part replaced', () => {
    const valid = {
      dataset: 'heart',
      purpose: 'GRU',
      derive,
      cohort: { all: [{ column: 'age', gte: 30, lt: 80 }, { not: { column: 'sex', in: ['0'] } }] },
      groupBy: [{ column: 'age', bins: [0, 40, 120] }],
      statistics: [{ mean: { column: 'age' } }, { table: { columns: ['sex', 'disease'] } }],
      release: { minimumCell: 10, insiderRule: true, minimumHospitals: 3, zeroCells: 'open' },
    };
    const paths: (string | number)[][] = [];
    const collect = (value: unknown, path: (string | number)[]): void => {
      paths.push(path);
      if (Array.isArray(value)) value.forEach((each, index) => collect(each, [...path, index]));
      else if (typeof value === 'object' && value !== null)
        for (const [key, each] of Object.entries(value)) collect(each, [...path, key]);
    };
    collect(valid, []);
    const part = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        'age',
        'sex',
        'patient',
        '__proto__',
        'constructor',
        "'; DROP TABLE data; --",
        1e308,
        -0.5,
        2 ** 60,
      ),
    );
    const replace = (value: unknown, path: readonly (string | number)[], by: unknown): unknown => {
      const [head, ...rest] = path;
      if (head === undefined) return by;
      const copy: Record<string | number, unknown> = Array.isArray(value)
        ? ([...(value as unknown[])] as never)
        : { ...(value as object) };
      copy[head] = replace(copy[head], rest, by);
      return copy;
    };
    fc.assert(
      fc.property(fc.constantFrom(...paths), part, (path, by) => refusesOrReturns(replace(valid, path, by))),
      { numRuns: 2000 },
    );
  });

  it('nesting without end', () => {
    let deep: object = { column: 'age', gt: 1 };
    for (let level = 0; level < 100_000; level++) deep = { not: deep };
    expect(() => prepare({ ...count, cohort: deep }, schema)).toThrow('nested more than 50 deep');
    const circle: { not?: object } = {};
    circle.not = circle;
    expect(() => prepare({ ...count, cohort: circle }, schema)).toThrow('nested more than 50 deep');
  });
});
