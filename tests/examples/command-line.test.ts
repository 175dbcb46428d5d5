import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, scratch } from './run.ts';

it('the command-line example answers its query and verifies the answer', { timeout: 180_000 }, async () => {
  const folder = scratch();
  const { status, text } = await run('examples/command-line/run.sh', [folder]);
  expect(text).toContain('✓ authorization: all 3 hospitals of the session approved this query (aachen, bergen, como)');
  expect(text).toContain('(missing)');
  expect(status, text).toBe(0);
  expect(readdirSync(folder).sort()).toEqual([
    'data',
    'ledger.json',
    'receipt.json',
    'result.arrow',
    'result.csv',
    'result.json',
  ]);
  const again = await run('node', [
    'bin/healthchain.js',
    'verify',
    join(folder, 'receipt.json'),
    '--ledger',
    join(folder, 'ledger.json'),
  ]);
  expect(again.status, again.text).toBe(0);
});
