import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';

const PYTHON = process.env['HEALTHCHAIN_PYTHON'] ?? 'python3';
const canRead = spawnSync(PYTHON, ['-c', 'import pyarrow, pandas']).status === 0;

describe('the examples that read a result', () => {
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'healthchain-example-'));
    const { status, text } = await run('node', ['bin/healthchain.js', 'demo', '--rows', '400', '--out', folder]);
    expect(status, text).toBe(0);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('find the same groups in CSV, JSON and Arrow through DuckDB', async () => {
    const { status, out, text } = await run('node', ['examples/read-result/query.ts', folder]);
    expect(status, text).toBe(0);
    const lines = ['csv', 'json', 'arrow'].map((source) => new RegExp(`^${source}: (.*)$`, 'm').exec(out)?.[1]);
    expect(lines[0]).toMatch(/^10 groups, 1[0-9]{3} rows counted$/);
    expect(new Set(lines).size).toBe(1);
  });

  if (!canRead) console.warn(`read.py is not tested: ${PYTHON} cannot import pyarrow and pandas`);
  it.skipIf(!canRead)('read Arrow from Python with pyarrow and pandas', async () => {
    const { status, out, text } = await run(PYTHON, ['examples/read-result/read.py', join(folder, 'result.arrow')]);
    expect(status, text).toBe(0);
    expect(out).toMatch(/^healthchain\.session: [0-9a-f]{64}$/m);
    expect(out).toMatch(/rows counted in all groups: 1[0-9]{3}/);
  });
});
