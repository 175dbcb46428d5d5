/**
 * Puts `healthchain verify` into few files, `bundle/verify.js` and what it loads: a check is a short process, and loading two
 * hundred modules was a good part of it. `npm ci` makes it for a checkout, `build.ts` for `dist/`. `bin/healthchain.js` takes the bundle of a checkout
 * only while every source is, byte for byte, the one it was made from.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { digestOfFiles } from '../bin/bundle.js';

const MANIFEST = 'manifest.json';
const ROOT = join(import.meta.dirname, '..');

/** Packages that become part of the bundle; others, as those for Fabric's messages, are loaded as they are when they are needed. */
const INSIDE = /^(zod|commander|canonicalize)(\/|$)/;

/** Bundles the modules below `base`, which end in `extension`, and says which files went into it. */
export async function bundle(base: string, extension: 'ts' | 'js'): Promise<string[]> {
  const folder = join(base, 'bundle');
  const { metafile, outputFiles } = await build({
    entryPoints: [join(base, `cli/verify.${extension}`)],
    outdir: folder,
    absWorkingDir: base,
    bundle: true,
    // What is loaded only when it is needed stays so.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // For the packages inside that are not ES modules.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    legalComments: 'eof',
    metafile: true,
    write: false,
    plugins: [ownModules(base, extension), withoutLocales, otherPackages],
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) replaceFile(path, contents);
  const made = new Set([...outputFiles.map(({ path }) => basename(path)), MANIFEST]);
  for (const name of readdirSync(folder)) if (!made.has(name)) rmSync(join(folder, name));
  return [...new Set(Object.keys(metafile.inputs).flatMap(fileBehind))].sort();
}

/** Writes beside the bundle of a checkout what it was made from. */
export async function bundleCheckout(): Promise<void> {
  const files = await bundle(ROOT, 'ts');
  replaceFile(join(ROOT, 'bundle', MANIFEST), JSON.stringify({ files, digest: digestOfFiles(ROOT, files) }));
}

/** Each of our modules keeps the address it has as a file of its own: kernels, threads and the package's manifest are found from there. */
function ownModules(base: string, extension: 'ts' | 'js'): Plugin {
  return {
    name: 'own modules',
    setup: (made) => {
      made.onLoad({ filter: new RegExp(`\\.${extension}$`), namespace: 'file' }, ({ path }) => {
        if (path.includes(`${sep}node_modules${sep}`)) return undefined;
        const place = relative(join(base, 'bundle'), path).split(sep).join('/');
        const contents = readFileSync(path, 'utf8')
          .replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`)
          // As a namespace, whose unused parts are left out.
          .replace("import { z } from 'zod'", "import * as z from 'zod'");
        return { contents, loader: extension };
      });
    },
  };
}

/** zod's messages in fifty languages, none of which is ever chosen; English comes another way. */
const withoutLocales: Plugin = {
  name: 'without locales',
  setup: (made) => {
    made.onResolve({ filter: /\/locales\/index\.js$/ }, ({ path }) => ({ path, namespace: 'no-locales' }));
    made.onLoad({ filter: /.*/, namespace: 'no-locales' }, () => ({ contents: 'export {}' }));
  },
};

/** From our own modules; what a package inside imports goes with it. */
const otherPackages: Plugin = {
  name: 'other packages',
  setup: (made) => {
    made.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || INSIDE.test(path) ? undefined : { path, external: true },
    );
  },
};

/** A source itself; for a file of a package, the manifest of that package, which names its version. */
function fileBehind(input: string): string[] {
  const path = input.split(sep).join('/');
  if (path.startsWith('no-locales:')) return [];
  const [inPackage] = /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
  return [inPackage === undefined ? path : `${inPackage}/package.json`];
}

/** In one step: another process may be starting. */
function replaceFile(path: string, content: Uint8Array | string): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, path);
}

if (import.meta.main) await bundleCheckout();
