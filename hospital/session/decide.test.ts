import { expect, test } from 'vitest';
import { planQuery, shownValues } from '../../analytics/index.ts';
import { passesRule } from '../../analytics/testing/decision.ts';
import { createRelation, openDatabase, prepare, schemaOf, type Row } from '../../analytics/testing/world.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { answerOf, decideTogether, figuresOf } from './testing/decision.ts';

const schema = schemaOf([
  { name: 'sex', type: 'category', codes: ['f', 'm'] },
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '15' },
]);

test('ten hospitals decide and search by a committee of eight', async () => {
  const database = await openDatabase();
  const random = seededRandom('ten hospitals');
  const rows = (): Row[] =>
    Array.from(random(4), (byte) => ({ sex: byte < 64 ? 'f' : 'm', age: BigInt(random(1)[0]! & 15) }));
  const hospitals = Array.from({ length: 10 }, rows);
  const query = prepare(
    { groupBy: [{ column: 'sex' }], statistics: [{ count: {} }, { median: { column: 'age' } }] },
    schema,
  );
  const plan = planQuery(query, schema);
  const figures = [];
  for (const [i, each] of hospitals.entries()) {
    await createRelation(database, `h${i}`, schema, each);
    figures.push(await figuresOf(database, plan, `h${i}`));
  }
  const outcome = await decideTogether(plan, figures, 'ten hospitals');
  expect(outcome.committee!.members).toHaveLength(8);
  for (const group of answerOf(plan, figures, outcome)) {
    const ages = hospitals.map((each) => each.filter(({ sex }) => sex === group.key['sex']).map(({ age }) => age));
    const counts = ages.map(({ length }) => BigInt(length));
    if (!passesRule(counts, 10, query.release)) {
      expect(shownValues(group)).toEqual({});
      continue;
    }
    const sorted = ages.flat().sort((a, b) => Number((a as bigint) - (b as bigint)));
    expect(shownValues(group)).toMatchObject({
      count: sorted.length,
      'median(age)': Number(sorted[Math.ceil(sorted.length / 2) - 1]),
    });
  }
});
