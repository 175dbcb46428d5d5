import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Asc {
  main(args: readonly string[], options: object): Promise<{ error: Error | null }>;
}

/**
 * Compiles the two modules of kernels, each from its `assembly/` folder to a `.wasm` file beside it (`npm run kernels`). The
 * results are build products and not in git; a compiled package copies them beside the compiled loaders.
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
