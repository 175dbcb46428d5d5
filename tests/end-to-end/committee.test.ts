import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sandboxPolicy } from '../../hospital/policy.ts';
import { ENCOUNTERS_SCHEMA, generateEncounters } from '../../hospital/synthetic/index.ts';
import type { Answer } from '../../researcher/client.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { allReleased, ask, makeFolder, pooled, removeFolder, startConsortium, type Consortium } from './world.ts';

/** Ten hospitals under the release rule of a query that names none: eight of them decide for all. */
const folder = makeFolder('committee');
let consortium: Consortium;
let files: readonly string[];
let answer: Answer;

beforeAll(async () => {
  ({ files } = await generateEncounters({ hospitals: 10, rows: 30, seed: 8, out: join(folder, 'data') }));
  const hospitals = files.map((file, i) => ({ id: `hospital-${i}`, files: [file] }));
  consortium = await startConsortium({
    folder: join(folder, 'home'),
    hospitals,
    schema: ENCOUNTERS_SCHEMA,
    policy: sandboxPolicy(),
  });
  const query = {
    dataset: 'encounters',
    purpose: 'GRU',
    groupBy: [{ column: 'sex' }],
    statistics: [{ count: {} }, { sum: { column: 'age' } }],
  };
  answer = await ask(consortium, query, { seconds: 200 });
}, 300_000);
afterAll(async () => {
  await consortium.stop();
  removeFolder(folder);
});

test('counts and sums of the pooled rows', async () => {
  const list = files.map((file) => `'${file}'`).join();
  const rows = await pooled((sql) =>
    sql(`SELECT sex, count(*)::INTEGER AS n, sum(age)::INTEGER AS age FROM read_csv([${list}]) GROUP BY sex`),
  );
  for (const { key, values } of allReleased(answer)) {
    const row = rows.find(({ sex }) => sex === key['sex'])!;
    expect(values).toMatchObject({ count: row['n'], 'sum(age)': row['age'] });
  }
});

test('the receipt shows the committee, and another one is refused', async () => {
  const [step] = answer.receipt.steps;
  const members = step!.decision!.outcome.committee!.members;
  expect(members).toHaveLength(8);
  const ledger = JSON.stringify(await consortium.ledger.export());
  const verify = (receipt: object) => verifyAnswer({ receipt: JSON.stringify(receipt), ledger });
  await expect(verify(answer.receipt)).resolves.toMatchObject({ decided: true });
  const other = answer.receipt.hospitals.find((hospital) => !members.includes(hospital))!;
  const changed = structuredClone(answer.receipt);
  changed.steps[0]!.decision!.outcome.committee!.members = [...members.slice(1), other].sort();
  await expect(verify(changed)).rejects.toMatchObject({ check: 'decision' });
});
