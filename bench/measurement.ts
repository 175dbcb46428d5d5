import type { Console } from './console.ts';

/** One measured quantity; the unit says what a value is. `x` is a ratio, and the name says of what. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The median should not be above it. */
  readonly target?: number;
}

/** What a bench gets to work with. */
export interface Tools {
  readonly console: Console;
  /** Fewer repetitions and small sizes. */
  readonly quick: boolean;
  readonly report: (measurement: Measurement) => void;
}

export interface Bench {
  /** Chosen by it, or by a prefix of it. */
  readonly name: string;
  readonly about: string;
  /** Whether `--quick` runs it when no name is given. */
  readonly quick: boolean;
  readonly run: (tools: Tools) => Promise<void>;
}

export function summarize(name: string, unit: string, samples: readonly number[], target?: number): Measurement {
  const sorted = [...samples].sort((a, b) => a - b);
  if (sorted.length === 0) throw new Error(`nothing was measured for ${name}`);
  return {
    name,
    unit,
    median: medianOf(sorted),
    minimum: sorted[0]!,
    maximum: sorted.at(-1)!,
    ...(target === undefined ? {} : { target }),
  };
}

export function medianOf(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds that each of `runs` calls took, after `warmups` that do not count. */
export async function time(runs: number, run: () => unknown, warmups = 1): Promise<number[]> {
  const samples: number[] = [];
  for (let i = -warmups; i < runs; i++) {
    const start = performance.now();
    await run();
    if (i >= 0) samples.push(performance.now() - start);
  }
  return samples;
}

/** 1000 as 10^3, others in digits. */
export function power(size: number): string {
  const exponent = Math.round(Math.log10(size));
  return exponent >= 2 && 10 ** exponent === size ? `10^${exponent}` : String(size);
}

/** Sorted by name as by index, for up to 999. */
export const hospitalName = (index: number): string => `hospital-${String(index + 1).padStart(3, '0')}`;
