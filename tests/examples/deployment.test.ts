import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, run, scratch } from './run.ts';

it('the deployment example goes through all steps of docs/deploy.md and ends', { timeout: 240_000 }, async () => {
  const folder = join(scratch(), 'deployment');
  const ports = { LEDGER_PORT: String(await freePort()), COORDINATOR_PORT: String(await freePort()) };
  const { status, text } = await run('examples/deployment/start.sh', [folder], ports);
  expect(status, text).toBe(0);

  expect(text).toContain('the site policy says: ask');
  expect(text).toContain('✓ Approved. east takes part when its session opens.');
  expect(text).toContain(
    'authorization: all 4 hospitals of the session approved this query (east, north, south, west)',
  );
  expect(text).toContain('The new key is registered and the old one revoked.');
  // Klinikum West's own names and units were understood.
  expect(text).toMatch(/creatinine +│ Kreatinin \[mg\/l\] .*│ ok/);
  expect(text).not.toContain('DOES NOT FIT');

  expect(statSync(join(folder, 'north/key.pem')).mode & 0o077).toBe(0);
  expect(existsSync(join(folder, 'north/state/journal.jsonl'))).toBe(true);
  const { groups } = JSON.parse(readFileSync(join(folder, 'researcher/answer/result.json'), 'utf8')) as {
    groups: { values: Record<string, number> }[];
  };
  expect(groups).toHaveLength(6);
  expect(groups.reduce((sum, group) => sum + group.values['count']!, 0)).toBe(diabeticsOf(join(folder, 'generated')));
});

/** The cohort of the example's query, counted in the files that were dealt out. */
function diabeticsOf(folder: string): number {
  const rows = [1, 2, 3, 4].flatMap((hospital) => {
    const [header = '', ...lines] = readFileSync(join(folder, `hospital-${hospital}.csv`), 'utf8')
      .trim()
      .split('\n');
    const names = header.split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((value, index) => [names[index]!, value])));
  });
  return rows.filter((row) => row['diabetic'] === '1' && Number(row['age']) >= 40).length;
}
