import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles the patient's page into one script, with the very code of `protocol/` that the command line encodes by. A build
 * product and not in git (`npm run console`); a compiled package ships it.
 */
export async function buildConsole(folder = import.meta.dirname): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'patient', 'main.ts')],
    outfile: join(folder, 'patient', 'page.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    // The first browsers with Ed25519.
    target: ['chrome137', 'firefox129', 'safari17'],
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

if (import.meta.main) await buildConsole();
