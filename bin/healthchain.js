#!/usr/bin/env node
// Starts the command line. Plain JavaScript that any Node can read: where the Node that runs it is too old, it hands
// over to the one that came as an optional dependency of this package.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isCurrent } from './bundle.js';

const OLDEST_MAJOR = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function bundledNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
    return join(dirname(manifest), 'bin', 'node');
  } catch {
    return undefined;
  }
}

async function handOver() {
  const node = bundledNode();
  if (node === undefined || !existsSync(node)) {
    console.error(`healthchain needs Node ${OLDEST_MAJOR} or newer; this is Node ${process.versions.node}.`);
    console.error(
      'Install a current Node, or install this package with its optional dependencies (npm install --include=optional).',
    );
    process.exit(1);
  }
  const { spawn } = await import('node:child_process');
  const ipc = process.channel === undefined ? [] : ['ipc'];
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', ...ipc] });
  // Whoever started this process speaks to it: signals and messages go through.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (ipc.length > 0) {
    child.on('message', (message) => process.send?.(message));
    process.on('disconnect', () => child.connected && child.disconnect());
  }
  child.on('close', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}

/** The command in few files, where they are there and, in a checkout, were made from these sources. */
function bundleOf(checkout) {
  const name = process.argv[2] === 'verify' ? 'verify' : 'main';
  const base = checkout ? root : join(root, 'dist');
  const bundle = join(base, 'bundle', name, `${name}.js`);
  return (checkout ? isCurrent(base, name) : existsSync(bundle)) ? bundle : undefined;
}

async function start() {
  // Keeps compiled code between starts, inside this package's own folder (a shared folder could be filled by others).
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(join(root, '.cache'));
  // Threads read it from here.
  process.env.NODE_COMPILE_CACHE ??= join(root, '.cache');

  // A published package carries compiled code; a checkout runs its sources as they are.
  const compiled = join(root, 'dist', 'cli', 'main.js');
  const source = join(root, 'cli', 'main.ts');
  const checkout = existsSync(source);
  const kernels = ['kernels/kernels.wasm', 'bitkernels/bitkernels.wasm'];
  if (checkout && kernels.some((file) => !existsSync(join(root, 'mpc', file)))) {
    const { spawnSync } = await import('node:child_process');
    const built = spawnSync(process.execPath, [join(root, 'mpc', 'kernels', 'build.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (built.status !== 0) process.exit(1);
  }
  const entry = bundleOf(checkout) ?? (checkout ? source : compiled);
  const { main } = await import(pathToFileURL(entry).href);
  await main(process.argv);
  // A command that failed may have left a connection open; it must not keep the process.
  if (process.exitCode !== undefined && process.exitCode !== 0) process.exit();
}

if (Number(process.versions.node.split('.')[0]) < OLDEST_MAJOR) await handOver();
else await start();
