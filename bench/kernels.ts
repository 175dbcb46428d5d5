import { randomBytes } from 'node:crypto';
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { Bench } from 'tinybench';
import { CellVector } from '../mpc/cells.ts';
import { kernels, layout, memory } from '../mpc/kernels/load.ts';
import type { Bench as Benchmark, Measurement, Tools } from './measurement.ts';
import { addCommitments, commitCells, commitScalars } from '../mpc/pedersen.ts';

import { type Mask, maskedChunks } from '../mpc/masks.ts';
import { ShareSum } from '../mpc/share-sum.ts';
import { SCALAR_ORDER, ScalarVector, randomScalar } from '../mpc/scalars.ts';

interface Case {
  readonly name: string;
  readonly run: () => void;
  /** The same work, or `share` of it, done the plain way. */
  readonly reference?: { readonly name: string; readonly share: number; readonly run: () => void };
}

/**
 * Times the kernels and, in the same run, plain references (@noble/curves, BigInt) on a share of the work, scaled up. The machine
 * is rarely quiet: believe the ratios and the medians.
 */
export const kernelsBench: Benchmark = {
  name: 'kernels',
  about: 'commitments, generators, masks and sums mod l, beside @noble/curves and BigInt',
  quick: true,
  run: measureKernels,
};

async function measureKernels({ console, report, quick }: Tools): Promise<void> {
  console.progress('kernels');
  for (const { name: title, run, reference } of cases()) {
    const name = `kernels/${title}`;
    console.progress(name);
    const own = await measure(name, run, quick ? 3 : 15);
    report(own);
    if (reference === undefined) continue;
    const scale = 1 / reference.share;
    const plain = await measure(`${name}: ${reference.name}`, reference.run, 3);
    const scaled = (unit: string, by: number, named: string): Measurement => ({
      name: named,
      unit,
      median: plain.median * by,
      minimum: plain.minimum * by,
      maximum: plain.maximum * by,
    });
    report(scaled('ms', scale, plain.name));
    report(scaled('x', scale / own.median, `${name}: ratio`));
  }
}

function cases(): Case[] {
  const blinding = randomScalar(randomBytes);
  const counts = randomCells(10_000, 8);
  const points = Array.from({ length: 100 }, () => ristretto255_hasher.deriveToCurve!(randomBytes(64)));
  const plainSum = (cells: CellVector): void => {
    points.reduce((sum, G, i) => sum.add(G.multiplyUnsafe(cells.at(i))), ristretto255.Point.ZERO);
  };
  commitCells(counts, blinding);

  const million = randomCells(1_000_000, 8);
  const scalars = ScalarVector.fromBytes(collect(maskedChunks(million, [mask(1)])));
  const sum = new ShareSum(scalars.length);
  const other = ScalarVector.fromBytes(scalars.bytes.slice());
  const plain = Array.from({ length: 10_000 }, (_, i) => BigInt(i) ** 19n % SCALAR_ORDER);
  const encoded = commitCells(counts, blinding);

  return [
    {
      name: 'commit 10^4 cells of 64 bits',
      run: () => commitCells(counts, blinding),
      reference: { name: 'noble, one multiplication a cell', share: 0.01, run: () => plainSum(counts) },
    },
    { name: 'commit 10^4 cells of 16 bits', run: later(randomCells(10_000, 2), (c) => commitCells(c, blinding)) },
    { name: 'commit 10^2 cells of 64 bits', run: later(randomCells(100, 8), (c) => commitCells(c, blinding)) },
    {
      name: 'commit 10^4 scalars of 252 bits',
      run: later(ScalarVector.fromBytes(scalars.bytes.slice(0, 320_000)), (s) => commitScalars(s, blinding)),
    },
    { name: 'commit 10^5 cells of 64 bits', run: later(randomCells(100_000, 8), (c) => commitCells(c, blinding)) },
    {
      name: 'derive 10^4 generators',
      run: deriveTenThousand,
      reference: {
        name: 'noble, derivation alone',
        share: 0.01,
        run: () => {
          for (let i = 0; i < 100; i++) ristretto255_hasher.deriveToCurve!(randomBytes(64));
        },
      },
    },
    { name: 'add 100 commitments', run: () => addCommitments(Array<Uint8Array>(100).fill(encoded)) },
    {
      name: 'mask 10^6 cells with 2 seeds',
      run: () => {
        const chunks = maskedChunks(million, [mask(1), mask(-1)]);
        while (chunks.next().done !== true); // the work is in next()
      },
    },
    {
      name: 'mask 10^6 cells with 2 seeds mod 2^128',
      run: () => {
        const chunks = maskedChunks(million, [mask(1), mask(-1)], 4096, '2^128');
        while (chunks.next().done !== true); // the work is in next()
      },
    },
    {
      name: 'ShareSum.add of 10^6 cells',
      run: () => {
        for (let at = 0; at < 1_000_000; at += 4096) sum.add(at, scalars.bytes.subarray(32 * at, 32 * (at + 4096)));
      },
    },
    {
      name: 'add 10^6 scalars mod l',
      run: () => other.addInto(scalars),
      reference: { name: 'BigInt', share: 0.01, run: () => plain.forEach((x, i) => (x + plain[i]!) % SCALAR_ORDER) },
    },
    {
      name: 'add 10^6 scalars mod l, kernel alone',
      run: () => {
        memory().set(scalars.bytes.subarray(0, 65_536), layout.operand);
        for (let i = 0; i < 488; i++) kernels.addScalars(layout.accumulator, layout.operand, 2048);
      },
    },
    { name: '10^6 cells to scalars', run: () => ScalarVector.fromCells(million) },
    { name: '10^6 scalars to cells', run: later(ScalarVector.fromCells(million), (s) => s.toCells()) },
  ];
}

async function measure(name: string, run: () => void, iterations: number): Promise<Measurement> {
  const bench = new Bench({ iterations, time: 200, warmupIterations: 2, warmupTime: 50 });
  bench.add(name, run);
  const [task] = await bench.run();
  const result = task?.result;
  if (result === undefined || !('latency' in result)) throw new Error(`the benchmark "${name}" did not finish`);
  const { p50, min, max } = result.latency;
  return { name, unit: 'ms', median: p50, minimum: min, maximum: max };
}

/** Derives 256 generators 39 times from other bytes, over the first ones (a cache cannot be emptied), and puts those back. */
function deriveTenThousand(): void {
  const first = memory().slice(layout.generators, layout.generators + 256 * 160);
  memory().set(randomBytes(64 * 256), layout.operand);
  for (let i = 0; i < 39; i++) kernels.deriveGenerators(layout.operand, 0, 256);
  memory().set(first, layout.generators);
}

function later<T>(input: T, run: (input: T) => unknown): () => void {
  return () => void run(input);
}

function mask(sign: 1 | -1): Mask {
  return { seed: randomBytes(32), sign };
}

/** Cells uniform on [0, 2^(8 bytes)). */
function randomCells(n: number, bytes: number): CellVector {
  const cells = CellVector.zeros(n);
  const random = randomBytes(n * bytes);
  for (let i = 0; i < n; i++) cells.bytes.set(random.subarray(i * bytes, (i + 1) * bytes), 16 * i);
  return cells;
}

function collect(chunks: Iterable<Uint8Array>): Uint8Array {
  const copies: Uint8Array[] = [];
  for (const chunk of chunks) copies.push(chunk.slice());
  return Buffer.concat(copies);
}
