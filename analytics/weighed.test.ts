import type { DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { decode, shownValues, type GroupResult } from './decode.ts';
import { planQuery } from './plan.ts';
import { decideInTheClear } from './testing/decision.ts';
import { cellsOf, createRelation, openDatabase, prepare, schemaOf, type Row } from './testing/world.ts';

/** Sums that are counts in disguise, and sums whose difference is one patient's value. */

const schema = schemaOf([
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '99' },
  { name: 'dose', type: 'number', decimals: 0, minimum: '0', maximum: '9' },
  { name: 'smokes', type: 'number', decimals: 0, minimum: '0', maximum: '1' },
]);

/** `count` rows alike. */
const times = (count: number, row: Row): Row[] => Array.from({ length: count }, () => row);

describe('under a release rule', () => {
  let database: DuckDBConnection;
  beforeAll(async () => {
    database = await openDatabase();
  });

  /** The one group of the answer, decided in the clear over three hospitals. */
  async function answer(input: object, hospitals: readonly (readonly Row[])[]): Promise<GroupResult> {
    const query = { ...input, release: { minimumCell: 5, ...('release' in input ? (input.release as object) : {}) } };
    const plan = planQuery(prepare(query, schema), schema);
    const scanned: bigint[][] = [];
    for (const rows of hospitals) {
      await createRelation(database, 'rows', schema, rows);
      scanned.push(await cellsOf(database, plan, 'rows'));
    }
    const released = decideInTheClear(plan, scanned);
    const sum = (index: number): bigint => scanned.reduce((total, each) => total + each[index]!, 0n);
    return decode(plan, sum, (index) => released[index] === 1)[0]!;
  }
  const shown = async (...of: Parameters<typeof answer>): Promise<string[]> =>
    Object.keys(shownValues(await answer(...of)));

  const row = { age: 40n, dose: 3n, smokes: 0n };
  const smoker = { ...row, smokes: 1n };
  const mean = { statistics: [{ n: { column: 'smokes' } }, { mean: { column: 'smokes' } }] };

  it('a 0/1 column is summed where its ones and its zeros may both be counted', async () => {
    const each = (ones: number, zeros: number): Row[][] =>
      times(3, row).map(() => [...times(ones, smoker), ...times(zeros, row)]);
    expect(await shown(mean, each(5, 5))).toEqual(['n(smokes)', 'mean(smokes)']);
    expect(await shown(mean, each(1, 9))).toEqual(['n(smokes)']);
    expect(await shown(mean, each(9, 1))).toEqual(['n(smokes)']);
    // Without ones there is no count but zero, which the rule opens or not.
    expect(await shown(mean, each(0, 9))).toEqual(['n(smokes)', 'mean(smokes)']);
    expect(await shown({ ...mean, release: { zeroCells: 'withhold' } }, each(0, 9))).toEqual(['n(smokes)']);
  });

  it('so is a derived column, and a product with either', async () => {
    const derive = { old: { column: 'age', gte: 65 } };
    const old = { ...row, age: 70n };
    const hospitals = [0, 1, 2].map((i) => [...times(9, row), ...times(i === 0 ? 2 : 0, old)]);
    expect(
      await shown({ derive, statistics: [{ n: { column: 'old' } }, { mean: { column: 'old' } }] }, hospitals),
    ).toEqual(['n(old)']);
    const covariance = { derive, statistics: [{ count: {} }, { covariance: { columns: ['old', 'dose'] } }] };
    expect(await shown(covariance, hospitals)).toEqual(['count']);
    const many = [0, 1, 2].map(() => [...times(9, row), ...times(5, old)]);
    expect(await shown(covariance, many)).toEqual(['count', 'covariance(old,dose)']);
  });

  const both = { statistics: [{ mean: { column: 'dose' } }, { correlation: { columns: ['age', 'dose'] } }] };
  const all = ['n(dose)', 'mean(dose)', 'correlation(age,dose)'];

  it('of two sums that differ by few rows, the one over fewer is withheld', async () => {
    const partial = (missing: number): Row[][] =>
      [0, 1, 2].map((i) => [...times(9, { ...row, age: 40n + BigInt(i) }), ...times(missing, { ...row, age: null })]);
    expect(await shown(both, partial(5))).toEqual(all);
    expect(await shown(both, partial(1))).toEqual(all.slice(0, 2));
  });

  it('sums that do not differ are no reason to withhold, whatever becomes of zero cells', async () => {
    const complete = [0, 1, 2].map((i) =>
      [0, 1, 2].flatMap((k) => times(9, { ...row, age: BigInt(40 + i), dose: BigInt(k) })),
    );
    expect(await shown({ ...both, release: { zeroCells: 'withhold' } }, complete)).toEqual(all);
  });
});
