import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Asc {
  main(args: readonly string[], options: object): Promise<{ error: Error | null }>;
}

/**
 * Compiles the two modules of kernels, each from its `assembly/` folder to a `.wasm` file beside it (`npm run kernels`). The
 * results are build products and not in git, and so is the table of generators, which the new kernels derive; a compiled
 * package copies them beside the compiled loaders.
 */
const modules = [
  {
    folder: fileURLToPath(new URL('.', import.meta.url)),
    file: 'kernels.wasm',
    // From -O2 on the optimizer reorders the long sums of field.ts, which then spill registers: a tenth slower.
    optimize: ['-O1', '--runPasses', 'inlining-optimizing'],
  },
  {
    folder: fileURLToPath(new URL('../bitkernels/', import.meta.url)),
    file: 'bitkernels.wasm',
    optimize: ['-O3'],
  },
];

for (const { folder, file, optimize } of modules) {
  // An installed package ships the compiled kernels and neither their sources nor the compiler's need for them.
  if (existsSync(`${folder}assembly/index.ts`)) await compile(folder, file, optimize);
}
await writeTable();

async function writeTable(): Promise<void> {
  // Imported now, because the module loads the kernels made above.
  const { blockOf, digestOf, TABLE_BLOCK, TABLE_DIGESTS, TABLE_FILE } = await import('./table.ts');
  const { deriveGenerators } = await import('./generators.ts');
  rmSync(TABLE_FILE, { force: true });
  deriveGenerators(TABLE_BLOCK * TABLE_DIGESTS.length);
  const blocks = TABLE_DIGESTS.map((_, block) => blockOf(block));
  const wrong = blocks.findIndex((coordinates, block) => digestOf(coordinates) !== TABLE_DIGESTS[block]);
  if (wrong >= 0)
    throw new Error(`block ${wrong} of the generators has digest ${digestOf(blocks[wrong]!)}, not that in table.ts`);
  // In one step: another process may be starting.
  const unfinished = fileURLToPath(TABLE_FILE) + '.new';
  writeFileSync(unfinished, Buffer.concat(blocks));
  renameSync(unfinished, TABLE_FILE);
}

async function compile(folder: string, file: string, optimize: readonly string[]): Promise<void> {
  // Named by a variable on purpose: the compiler's types declare globals of their own dialect for the whole project.
  const compiler: string = 'assemblyscript/asc';
  const { default: asc } = (await import(compiler)) as { default: Asc };
  const { error } = await asc.main(
    [
      'assembly/index.ts',
      ...['--baseDir', folder, '--outFile', file],
      // No runtime: no allocator, no collector; memory is laid out by hand. `--use abort=` drops its one import.
      ...['--runtime', 'stub', '--use', 'abort=', '--noAssert', '--enable', 'simd'],
      ...optimize,
    ],
    { stdout: process.stdout, stderr: process.stderr },
  );
  if (error) throw error;
}
