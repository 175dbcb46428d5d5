import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Asc {
  main(args: readonly string[], options: object): Promise<{ error: Error | null }>;
}

/**
 * Compiles `assembly/` to `kernels.wasm` beside this file (`npm run kernels`). The result is a build product and not in git;
 * a compiled package copies it beside the compiled `load.js`.
 */
const here = fileURLToPath(new URL('.', import.meta.url));

// An installed package ships the compiled kernels and neither their sources nor the compiler's need for them.
if (existsSync(`${here}assembly/index.ts`)) {
  // Named by a variable on purpose: the compiler's types declare globals of their own dialect for the whole project.
  const compiler: string = 'assemblyscript/asc';
  const { default: asc } = (await import(compiler)) as { default: Asc };
  const { error } = await asc.main(
    [
      'assembly/index.ts',
      ...['--baseDir', here, '--outFile', 'kernels.wasm'],
      // No runtime: no allocator, no collector; memory is laid out by hand in layout.ts. `--use abort=` drops its one import.
      ...['--runtime', 'stub', '--use', 'abort=', '--noAssert', '--enable', 'simd'],
      // From -O2 on the optimizer reorders the long sums of field.ts, which then spill registers: a tenth slower.
      ...['-O1', '--runPasses', 'inlining-optimizing'],
    ],
    { stdout: process.stdout, stderr: process.stderr },
  );
  if (error) throw error;
}
