import type { DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { planQuery, shownValues, type GroupResult } from '../../../analytics/index.ts';
import { createRelation, OPEN, openDatabase, prepare, schemaOf, type Row } from '../../../analytics/testing/world.ts';
import { answerOf, decideTogether, figuresOf } from '../testing/decision.ts';

/** Patients who are known to several hospitals, and counted once. */

const schema = schemaOf([
  { name: 'patient', type: 'identifier' },
  { name: 'ward', type: 'category', codes: ['a', 'b', 'c'] },
  { name: 'year', type: 'number', decimals: 0, minimum: '2000', maximum: '2030' },
]);

/** Stays of `patients` from `first` on, each patient `stays` times in a ward. */
const staysOf = (ward: string, first: number, patients: number, stays = 1): Row[] =>
  Array.from({ length: patients * stays }, (_, i) => ({
    patient: `p-${first + (i % patients)}`,
    ward,
    year: BigInt(2000 + (i % 7)),
  }));

describe('distinct values', () => {
  let database: DuckDBConnection;
  beforeAll(async () => {
    database = await openDatabase();
  });

  async function ask(input: object, hospitals: readonly (readonly Row[])[], seed: string): Promise<GroupResult[]> {
    const plan = planQuery(prepare(input, schema), schema);
    for (const [i, rows] of hospitals.entries()) await createRelation(database, `d${i}`, schema, rows);
    const figures = [];
    for (const i of hospitals.keys()) figures.push(await figuresOf(database, plan, `d${i}`));
    return answerOf(plan, figures, await decideTogether(plan, figures, seed));
  }

  test('are counted once each, within four standard errors', async () => {
    // Half of each hospital's patients are also the next one's.
    const hospitals = [0, 1, 2].map((i) => [...staysOf('a', 400 * i, 800, 2), ...staysOf('b', 60 * i, 120)]);
    const groups = await ask(
      {
        groupBy: [{ column: 'ward' }],
        statistics: [{ distinct: { column: 'patient', bits: 2048 } }, { distinct: { column: 'year', bits: 256 } }],
        release: OPEN,
      },
      hospitals,
      'overlap',
    );
    const expected = [
      [4800, 1600],
      [360, 240],
    ] as const;
    for (const [g, [stays, patients]] of expected.entries()) {
      const values = shownValues(groups[g]!);
      const [found, se] = [values['distinct(patient)']!, values['se(distinct(patient))']!];
      expect(values['n(patient)']).toBe(stays);
      expect(se).toBeGreaterThan(0);
      expect(Math.abs(found - patients), `${found} of ${patients}`).toBeLessThan(4 * se);
      expect(Math.abs(values['distinct(year)']! - 7)).toBeLessThan(4 * values['se(distinct(year))']! + 1);
    }
    expect(shownValues(groups[2]!)).toMatchObject({
      'n(patient)': 0,
      'distinct(patient)': 0,
      'se(distinct(patient))': 0,
    });
  });

  test('are undefined where every bit is set', async () => {
    const groups = await ask(
      { statistics: [{ distinct: { column: 'patient', bits: 256 } }], release: OPEN },
      [0, 1].map((i) => staysOf('a', 5000 * i, 5000)),
      'full',
    );
    expect(shownValues(groups[0]!)).toMatchObject({ 'distinct(patient)': null, 'se(distinct(patient))': null });
  });

  test('do not take white space around a text for part of it, but its case', async () => {
    const texts = [
      ['x', ' x', 'x\t '],
      ['X', 'x\n', 'y'],
    ];
    const groups = await ask(
      { statistics: [{ distinct: { column: 'patient', bits: 262_144 } }], release: OPEN },
      texts.map((list) => list.map((patient) => ({ patient, ward: 'a', year: 2000n }))),
      'space',
    );
    expect(shownValues(groups[0]!)['distinct(patient)']).toBeCloseTo(3, 3);
  });

  test('are withheld where many rows are of few patients, at all hospitals or at all but one', async () => {
    const statistics = [{ count: {} }, { distinct: { column: 'patient', bits: 1024 } }];
    const groupBy = [{ column: 'ward' }];
    const groups = await ask(
      { groupBy, statistics, release: { minimumCell: 5, minimumHospitals: 2 } },
      [
        [...staysOf('a', 0, 2, 10), ...staysOf('b', 0, 40), ...staysOf('c', 0, 40)],
        [...staysOf('a', 0, 2, 10), ...staysOf('b', 40, 2, 10), ...staysOf('c', 30, 40)],
      ],
      'few',
    );
    expect(groups.map((group) => 'distinct(patient)' in shownValues(group))).toEqual([false, false, true]);
    expect(groups.map((group) => shownValues(group)['count'])).toEqual([40, 60, 80]);
    expect(Math.abs(shownValues(groups[2]!)['distinct(patient)']! - 70)).toBeLessThan(10);
  });
});
