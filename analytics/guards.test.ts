import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countsBehind, guardCounts, guardsOf, releasedCells, scannedIndex } from './guards.ts';
import { planQuery, type Plan } from './plan.ts';
import { plannedUnderRule, visits } from './testing/queries.ts';
import { cellsOf, createRelation, OPEN, openDatabase, prepare, schemaOf, type Row } from './testing/world.ts';

const plan = (input: object): Plan => planQuery(prepare(input, visits), visits);
const withNone = (input: object): Plan => plan({ ...input, release: OPEN });

/** Counts of a group by what they count, as [columns, minimum]. */
function guardsInWords(of: Plan): string[] {
  const terms = [
    ...of.terms,
    ...Array<undefined>(of.cellsPerGroup - of.terms.length).fill(undefined),
    ...of.guardTerms,
  ];
  return of.guards.map(({ place, minimum }) => {
    const term = terms[place];
    if (term?.kind === 'sum') return 'a sum';
    return `${term === undefined ? `cell ${place}` : `n(${term.present.join()})`} >= ${minimum}`;
  });
}

describe('guards', () => {
  it('are the rows of the group and the values behind each statistic', () => {
    const planned = plan({
      statistics: [{ mean: { column: 'dose' } }, { variance: { column: 'age' } }, { n: { columns: ['age', 'ward'] } }],
    });
    expect(guardsInWords(planned)).toEqual(['n() >= 10', 'n(dose) >= 10', 'n(age) >= 10', 'n(age,ward) >= 10']);
    expect(planned.terms.map((_, k) => guardsOf(planned, k))).toEqual([
      [0, 1],
      [0, 1],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 3],
    ]);
    // The rows were not asked for: they are scanned, and never opened.
    expect([planned.cells, planned.scanned]).toEqual([6, 7]);
    expect(planned.guardTerms).toEqual([{ kind: 'count', present: [] }]);
  });

  it('of a table are its total and each cell', () => {
    const planned = plan({
      groupBy: [{ column: 'ward' }],
      statistics: [{ histogram: { column: 'sex' } }, { count: {} }],
    });
    expect(guardsInWords(planned)).toEqual(['n() >= 10', 'n(sex) >= 10', 'cell 1 >= 10', 'cell 2 >= 10']);
    expect([0, 1, 2].map((k) => guardsOf(planned, k))).toEqual([[0], [0, 1, 2], [0, 1, 3]]);
    expect([planned.cells, planned.scanned]).toEqual([9, 12]);
  });

  it('are fewer where cohort or groups leave no missing values', () => {
    const planned = plan({
      cohort: { column: 'age', gte: 18 },
      statistics: [{ count: {} }, { mean: { column: 'age' } }],
    });
    expect(guardsInWords(planned)).toEqual(['n() >= 10']);
    expect(planned.scanned).toBe(planned.cells);
  });

  it('count what no bin holds, unless the bins hold all that the schema allows', () => {
    const elsewhere = (bins: number[]): number =>
      plan({ statistics: [{ histogram: { column: 'age', bins } }] }).elsewhere.length;
    expect([elsewhere([0, 50, 100]), elsewhere([0, 50, 99]), elsewhere([1, 50, 100])]).toEqual([0, 1, 1]);
  });

  it('are none where no rule applies', () => {
    const planned = withNone({
      statistics: [{ mean: { column: 'dose' } }, { histogram: { column: 'age', bins: [5, 9] } }],
    });
    expect([planned.guards, planned.guardTerms, planned.elsewhere]).toEqual([[], [], []]);
    expect(planned.scanned).toBe(planned.cells);
    expect(guardCounts(planned, () => 1n)).toHaveLength(0);
    expect(releasedCells(planned, [])).toEqual(new Uint8Array(planned.cells).fill(1));
  });

  it('guard every cell, and are counts', () => {
    fc.assert(
      fc.property(plannedUnderRule, ({ plan: planned }) => {
        expect(guardsInWords(planned)[0]).toMatch(/^n\(\)/);
        for (const guard of guardsInWords(planned)) expect(guard).not.toBe('a sum');
        for (let k = 0; k < planned.cellsPerGroup; k++) {
          const guards = guardsOf(planned, k);
          expect(guards[0]).toBe(0);
          if (k >= planned.terms.length) expect(planned.guards[guards.at(-1)!]!.place).toBe(k);
          const term = planned.terms[k];
          if (term?.kind === 'count') expect(planned.guards[guards.at(-1)!]!.place).toBe(k);
        }
        const guarding = new Set(planned.terms.concat(planned.guardTerms).map((each) => JSON.stringify(each)));
        expect(guarding.size).toBe(planned.terms.length + planned.guardTerms.length);
      }),
    );
  });

  it('have a place of their own in what is scanned, group by group', () => {
    fc.assert(
      fc.property(plannedUnderRule, ({ plan: planned }) => {
        const places = Array.from({ length: planned.cellsPerGroup + countsBehind(planned) }, (_, place) => place);
        const groups = Array.from({ length: planned.groups }, (_, group) => group);
        const indices = groups.flatMap((group) => places.map((place) => scannedIndex(planned, group, place)));
        expect(indices.toSorted((a, b) => a - b)).toEqual(Array.from({ length: planned.scanned }, (_, index) => index));
      }),
    );
  });
});

describe('cells', () => {
  it('open where all their guards passed', () => {
    fc.assert(
      fc.property(plannedUnderRule, fc.infiniteStream(fc.boolean()), ({ plan: planned }, coins) => {
        const passed = [...coins.take(planned.groups * planned.guards.length)];
        const released = releasedCells(planned, passed);
        for (let group = 0; group < planned.groups; group++)
          for (let k = 0; k < planned.cellsPerGroup; k++)
            expect(released[group * planned.cellsPerGroup + k]).toBe(
              Number(guardsOf(planned, k).every((index) => passed[group * planned.guards.length + index])),
            );
      }),
    );
  });
});

it('counts behind the cells come from the same pass over the rows', async () => {
  const schema = schemaOf([
    { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '99' },
    { name: 'sex', type: 'category', codes: ['f', 'm'] },
  ]);
  const rows: Row[] = [
    { age: 5n, sex: 'f' },
    { age: 25n, sex: 'f' },
    { age: 35n, sex: null },
    { age: null, sex: 'f' },
    { age: 95n, sex: 'm' },
    { age: null, sex: 'm' },
  ];
  const database = await openDatabase();
  await createRelation(database, 'rows', schema, rows);
  const query = prepare(
    {
      groupBy: [{ column: 'sex', missing: 'group' }],
      statistics: [{ sum: { column: 'age' } }, { histogram: { column: 'age', bins: [20, 40] } }],
    },
    schema,
  );
  const planned = planQuery(query, schema);
  const scanned = await cellsOf(database, planned, 'rows');
  expect(scanned.slice(0, planned.cells)).toEqual([2n, 30n, 1n, 1n, 95n, 0n, 1n, 35n, 1n]);
  // Rows of each group, and those with an age outside the bin.
  expect(scanned.slice(planned.cells)).toEqual([3n, 1n, 2n, 1n, 1n, 0n]);
  expect([...guardCounts(planned, (index) => scanned[index]!)]).toEqual([3n, 2n, 1n, 2n, 1n, 0n, 1n, 1n, 1n]);
});
