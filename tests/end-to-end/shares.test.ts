import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateEncounters } from '../../hospital/synthetic/index.ts';
import type { ResultDocument } from '../../researcher/result/documents.ts';
import { allReleased, BIN, makeFolder, pooled, removeFolder, runCommand, type Ran } from './world.ts';

/** What no sum gives, over the command line, under the release rule of a query that names none. */
describe('a sandbox finds on shares', () => {
  const folder = makeFolder('shares');
  const out = join(folder, 'out');
  const run = (...args: readonly string[]): Promise<Ran> => runCommand(process.execPath, [BIN, ...args], 280);
  let files: readonly string[];
  let ran: Ran;

  beforeAll(async () => {
    const generated = await generateEncounters({ hospitals: 3, rows: 300, seed: 11, out: join(folder, 'data') });
    files = generated.files;
    const query = join(folder, 'query.json');
    writeFileSync(
      query,
      JSON.stringify({
        dataset: 'encounters',
        purpose: 'GRU',
        groupBy: [{ column: 'sex' }],
        statistics: [
          { median: { column: 'length_of_stay' } },
          { quantile: { column: 'bmi', p: [0.25, 0.975] } },
          { extremes: { column: 'age' } },
          { distinct: { column: 'patient_id', bits: 4096 } },
          { mean: { column: 'creatinine' } },
        ],
        release: { dominance: { percent: 10 } },
      }),
    );
    const hospitals = files.flatMap((file, i) => ['--hospital', `house-${i}=${file}`]);
    ran = await run('sandbox', ...hospitals, '--schema', generated.schema, '--query', query, '--out', out);
  }, 300_000);
  afterAll(() => removeFolder(folder));

  test('quantiles, extremes and distinct patients of the pooled rows', async () => {
    expect(ran.code, ran.stderr).toBe(0);
    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as ResultDocument;
    const rows = await pooled((sql) =>
      sql(`SELECT sex, list(length_of_stay) AS stay, list(bmi) AS bmi, list(age) AS age,
                  count(DISTINCT patient_id)::INTEGER AS patients, avg(creatinine) AS creatinine
           FROM read_csv([${files.map((file) => `'${file}'`).join()}]) GROUP BY sex`),
    );
    for (const { key, values } of allReleased(result)) {
      const row = rows.find(({ sex }) => sex === key['sex'])!;
      const sorted = (name: string): number[] =>
        (row[name] as unknown[])
          .filter((value) => value !== null)
          .map(Number)
          .sort((a, b) => a - b);
      const [stay, bmi, age] = [sorted('stay'), sorted('bmi'), sorted('age')];
      expect(values).toMatchObject({
        'median(length_of_stay)': stay[Math.ceil(stay.length / 2) - 1],
        'quantile(bmi,0.25)': bmi[Math.ceil(bmi.length / 4) - 1],
        'quantile(bmi,0.975)': bmi[Math.ceil(0.975 * bmi.length) - 1],
        'smallest(age)': age[9],
        'largest(age)': age.at(-10),
      });
      expect(values['mean(creatinine)']).toBeCloseTo(row['creatinine'] as number, 9);
      const apart = Math.abs(values['distinct(patient_id)']! - (row['patients'] as number));
      expect(apart).toBeLessThan(4 * values['se(distinct(patient_id))']!);
    }
  });

  test('what verify then says rests on the hospitals’ signatures', async () => {
    const path = (name: string): string => join(out, `${name}.json`);
    const verified = await run('verify', path('receipt'), '--result', path('result'), '--ledger', path('ledger'));
    expect(verified.code, verified.stderr).toBe(0);
    // Two groups, and for each two quantiles, a median, two extremes and one number of set bits.
    expect(verified.stderr).toContain(
      '✓ answers: every hospital signed the 12 numbers that were found together on shares',
    );
    expect(verified.stdout + verified.stderr).toContain('not on the commitments');
  });

  test('answers of which one is changed no longer verify', async () => {
    const receipt = readFileSync(join(out, 'receipt.json'), 'utf8');
    const document = JSON.parse(receipt) as { steps: { decision: { outcome: { answers: number[][] } } }[] };
    document.steps[0]!.decision.outcome.answers[0]![0]! += 1;
    const changed = join(folder, 'changed.json');
    writeFileSync(changed, JSON.stringify(document, undefined, 2) + '\n');
    const refused = await run('verify', changed, '--ledger', join(out, 'ledger.json'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/check failed: decision: .* has not signed/);
  });
});
