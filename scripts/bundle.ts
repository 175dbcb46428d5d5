/**
 * Puts the command line into few files: every process of a consortium is one, and to load five hundred modules was most of its start.
 * `healthchain verify` has a bundle of its own, for a check is a short process. `npm ci` makes them for a checkout, `build.ts` for `dist/`.
 * `bin/healthchain.js` takes a bundle of a checkout only while every source is, byte for byte, the one it was made from.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { digestOfFiles } from '../bin/bundle.js';

const MANIFEST = 'manifest.json';
const LICENCES = 'LICENCES.txt';
const ROOT = join(import.meta.dirname, '..');

/** What is bundled: module below `cli/`, and folder below `bundle/`. */
const BUNDLES = ['main', 'verify'] as const;
type Name = (typeof BUNDLES)[number];

/** Packages with machine code, threads or files of their own, and what only works with Fabric: loaded as they are, when they are needed. */
const OUTSIDE = /^(@duckdb|@grpc|@hyperledger|esbuild|pino)(\/|$)/;

/** Bundles the modules below `base`, which end in `extension`, and says which files went into it. */
async function bundle(name: Name, base: string, extension: 'ts' | 'js'): Promise<string[]> {
  const folder = join(base, 'bundle', name);
  const { metafile, outputFiles } = await build({
    entryPoints: [join(base, `cli/${name}.${extension}`)],
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
    legalComments: 'none',
    metafile: true,
    write: false,
    plugins: [ownModules(folder, extension), withoutLocales, packagesOutside],
  });
  const inputs = Object.keys(metafile.inputs);
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) replaceFile(path, contents);
  replaceFile(join(folder, LICENCES), licencesOf(base, inputs));
  const made = new Set([...outputFiles.map(({ path }) => basename(path)), MANIFEST, LICENCES]);
  for (const file of readdirSync(folder)) if (!made.has(file)) rmSync(join(folder, file));
  return [...new Set(inputs.flatMap(fileBehind))].sort();
}

/** Both bundles of compiled modules. */
export async function bundlePackage(base: string): Promise<void> {
  for (const name of BUNDLES) await bundle(name, base, 'js');
}

/** Both bundles of a checkout, and beside each what it was made from. */
export async function bundleCheckout(): Promise<void> {
  for (const name of BUNDLES) {
    const files = await bundle(name, ROOT, 'ts');
    replaceFile(join(ROOT, 'bundle', name, MANIFEST), JSON.stringify({ files, digest: digestOfFiles(ROOT, files) }));
  }
}

/** Each of our modules keeps the address it has as a file of its own: kernels, threads and the package's manifest are found from there. */
function ownModules(folder: string, extension: 'ts' | 'js'): Plugin {
  return {
    name: 'own modules',
    setup: (made) => {
      made.onLoad({ filter: new RegExp(`\\.${extension}$`), namespace: 'file' }, ({ path }) => {
        if (path.includes(`${sep}node_modules${sep}`)) return undefined;
        const place = relative(folder, path).split(sep).join('/');
        const contents = readFileSync(path, 'utf8')
          .replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`)
          .replaceAll('import.meta.dirname', `(import.meta.dirname + ${JSON.stringify(`/${dirname(place)}`)})`)
          .replaceAll('import.meta.filename', `(import.meta.dirname + ${JSON.stringify(`/${place}`)})`)
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

const packagesOutside: Plugin = {
  name: 'packages outside',
  setup: (made) => {
    made.onResolve({ filter: OUTSIDE }, ({ path }) => ({ path, external: true }));
  },
};

/** What the licences of the packages inside ask to be passed on. */
function licencesOf(base: string, inputs: readonly string[]): string {
  const packages = [
    ...new Set(inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [])),
  ];
  const texts = packages.sort().map((place) => {
    const folder = join(base, place);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      string
    >;
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const head = `${name} ${version} (${license})`;
    return [head, ...files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim())].join('\n\n');
  });
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

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
