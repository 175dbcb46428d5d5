import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LocalConsortium } from '../../cli/local/consortium.ts';
import { anchorOf } from '../../protocol/ledger.ts';
import { sandboxPolicy } from '../../hospital/policy.ts';
import { ENCOUNTERS_SCHEMA, generateEncounters } from '../../hospital/synthetic/index.ts';
import { run, scratch } from './run.ts';

it('the SDK example asks a running consortium and writes an answer that verifies', { timeout: 180_000 }, async () => {
  const folder = scratch();
  const { files } = await generateEncounters({ hospitals: 3, rows: 300, seed: 3, out: join(folder, 'data') });
  const hospitals = files.map((file, index) => ({ id: `hospital-${index + 1}`, files: [file] }));
  const consortium = await LocalConsortium.start({
    folder: join(folder, 'consortium'),
    hospitals,
    schema: ENCOUNTERS_SCHEMA,
    policy: sandboxPolicy(),
  });
  onTestFinished(() => consortium.stop());
  const config = join(folder, 'researcher.json');
  const pins = { consortium: consortium.ledger.consortium, ...anchorOf(consortium.ledger.head()) };
  writeFileSync(
    config,
    JSON.stringify({
      organisation: 'researcher',
      keyFile: 'consortium/researcher.pem',
      stateFolder: 'state',
      ledger: { url: consortium.ledgerUrl, ...pins },
      coordinator: { url: consortium.coordinatorUrl },
    }),
  );

  const answer = join(folder, 'answer');
  const asked = await run('node', ['examples/sdk/ask.ts', config, answer]);
  expect(asked.status, asked.text).toBe(0);
  expect(asked.out).toContain('approved hospital-2');
  expect(asked.out).toContain("{ sex: 'F' }");
  expect(existsSync(join(answer, 'result.arrow'))).toBe(true);

  const file = (name: string): string => join(answer, name);
  const verified = await run('node', [
    'bin/healthchain.js',
    'verify',
    file('receipt.json'),
    '--result',
    file('result.json'),
    '--ledger',
    file('ledger.json'),
  ]);
  expect(verified.status, verified.text).toBe(0);
});
