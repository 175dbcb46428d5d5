/** Packs the built package, installs the tarball into an empty folder, and answers a query with what was installed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'healthchain-package-'));
const run = (command: string, args: string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  ) as [{ filename: string; size: number }];
  console.log(`packed ${packed.filename}: ${Math.round(packed.size / 1024)} KiB`);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${packed.filename}`], folder);
  run('npx', ['healthchain', 'demo', '--rows', '500', '--out', 'answer'], folder);
  run(
    'npx',
    [
      'healthchain',
      'verify',
      'answer/receipt.json',
      '--result',
      'answer/result.json',
      '--ledger',
      'answer/ledger.json',
    ],
    folder,
  );
  writeFileSync(
    join(folder, 'use.js'),
    "import { Researcher, verifyAnswer } from 'healthchain';\nimport { HospitalNode } from 'healthchain/hospital';\nif (!Researcher || !verifyAnswer || !HospitalNode) process.exit(1);\n",
  );
  run('npx', ['node', 'use.js'], folder);
  console.log('the installed package answers and verifies a query');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
