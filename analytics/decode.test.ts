import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, shownValues, valueNames, type GroupResult } from './decode.ts';
import { planQuery } from './plan.ts';
import { plannedUnderRule, visits } from './testing/queries.ts';
import { prepare } from './testing/world.ts';

const noCell = (index: number): never => {
  throw new Error(`cell ${index} is withheld`);
};
/** Sums that fit each other well enough for every statistic to be defined. */
const value = (index: number): bigint => 1000n + BigInt(index) * 7n;

describe('decode', () => {
  it('never asks for a withheld cell, and shows each value or names it', () => {
    fc.assert(
      fc.property(plannedUnderRule, fc.infiniteStream(fc.boolean()), ({ plan }, coins) => {
        const open = [...coins.take(plan.cells)];
        const all = decode(plan, value);
        const some = decode(
          plan,
          (index) => (open[index]! ? value(index) : noCell(index)),
          (index) => open[index]!,
        );
        expect(some.map(({ key }) => key)).toEqual(all.map(({ key }) => key));
        some.forEach((group, index) => {
          if (group.status === 'withheld') return expect(Object.keys(group)).toEqual(['key', 'status']);
          const shown = Object.keys(group.values);
          expect(new Set([...shown, ...(group.withheld ?? [])])).toEqual(new Set(valueNames(plan)));
          expect(shown.filter((name) => group.withheld?.includes(name))).toEqual([]);
          for (const name of shown) expect(group.values[name]).toBe(shownValues(all[index]!)[name]);
        });
      }),
    );
  });

  const planned = planQuery(
    prepare(
      {
        groupBy: [{ column: 'ward' }],
        statistics: [{ count: {} }, { mean: { column: 'age' } }, { histogram: { column: 'sex' } }],
      },
      visits,
    ),
    visits,
  );
  const decoded = (...open: string[]): GroupResult[] =>
    decode(
      planned,
      (index) => [20n, 18n, 900n, 12n, 8n, 0n, 0n, 0n, 0n, 0n, 30n, 30n, 600n, 0n, 30n][index]!,
      (index) => open[Math.floor(index / 5)]![index % 5] === '1',
    );

  it('tells withheld groups, withheld values, and what is undefined apart', () => {
    expect(decoded('11110', '11111', '00000')).toEqual([
      {
        key: { ward: 'a' },
        status: 'released',
        values: { count: 20, 'n(age)': 18, 'mean(age)': 50, 'histogram(sex)[f]': 12 },
        withheld: ['histogram(sex)[m]'],
      },
      {
        key: { ward: 'b' },
        status: 'released',
        values: { count: 0, 'n(age)': 0, 'mean(age)': null, 'histogram(sex)[f]': 0, 'histogram(sex)[m]': 0 },
      },
      { key: { ward: 'c' }, status: 'withheld' },
    ]);
  });

  it('shows no value of which one cell is missing', () => {
    const [group] = decoded('11011', '00000', '00000');
    expect(group).toMatchObject({ withheld: ['n(age)', 'mean(age)'] });
    expect(Object.keys(shownValues(group!))).toEqual(['count', 'histogram(sex)[f]', 'histogram(sex)[m]']);
  });

  it('withholds nothing where nothing is said of cells', () => {
    for (const group of decode(planned, value)) expect(group).not.toHaveProperty('withheld');
  });
});
