import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The bundle's name: what a deployment starts. */
export const BUNDLE = 'healthchain-chaincode.js';

/**
 * Bundles the chaincode with all it needs into one file beside its package.json and README. CommonJS, since Fabric's shim is.
 * From a checkout only: the bundler is a development dependency, and a published package carries the bundle.
 */
export async function bundleChaincode(folder: string): Promise<string> {
  const { build } = await import('esbuild');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, BUNDLE);
  await build({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'error',
  });
  cpSync(join(import.meta.dirname, 'package'), folder, { recursive: true });
  return outfile;
}
