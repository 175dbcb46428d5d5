/** Compiles the publishable package into dist/ and checks it as npm would see it. */
import { cpSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildConsole } from '../console/build.ts';
import { bundleChaincode } from '../ledger/chaincode/bundle.ts';
import { bundlePackage } from './bundle.ts';

const root = join(import.meta.dirname, '..');

function run(command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
run('node', 'mpc/kernels/build.ts');
run('tsc', '-p', 'tsconfig.build.json');
for (const product of ['mpc/kernels/kernels.wasm', 'mpc/kernels/generators.bin', 'mpc/bitkernels/bitkernels.wasm']) {
  cpSync(join(root, product), join(root, 'dist', product));
}
await buildConsole(join(root, 'dist', 'console'));
for (const file of ['index.html', 'page.css']) {
  cpSync(join(root, 'console', 'patient', file), join(root, 'dist', 'console', 'patient', file));
}
await bundleChaincode(join(root, 'dist', 'chaincode'));
await bundlePackage(join(root, 'dist'));
run('publint', '--strict');
