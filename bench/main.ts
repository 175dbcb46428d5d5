import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Console } from './console.ts';
import { kernelsBench } from './kernels.ts';
import { releaseOnInterrupt } from './leaving.ts';
import type { Bench, Measurement } from './measurement.ts';
import { booleanBenches } from './boolean/bench.ts';
import { fabricBenches } from './fabric/bench.ts';
import { fabricQueryBench } from './fabric/query.ts';
import { memoryBenches } from './memory/bench.ts';
import { queryBenches } from './query/bench.ts';
import { sumBenches } from './sum/bench.ts';
import { jiffBench } from './sum/jiff.ts';
import { verifyBenches } from './verify/bench.ts';

const USAGE = `npm run bench -- [NAME...] [--quick] [--json FILE] [--list]
  NAME          a bench, or the beginning of the names of several: sum, query/n=100
  --quick       small sizes, few repetitions
  --json FILE   also write [{ name, unit, median, minimum, maximum, target? }]
  --list        names and what they measure
`;

const benches: readonly Bench[] = [
  kernelsBench,
  ...sumBenches,
  jiffBench,
  ...booleanBenches,
  ...verifyBenches,
  ...memoryBenches,
  ...queryBenches,
  ...fabricBenches,
  fabricQueryBench,
];

const { values, positionals } = readArguments();
if (values.help) console.log(USAGE);
else if (values.list) for (const { name, about } of benches) console.log(`${name.padEnd(40)} ${about}`);
else process.exitCode = await runAll(chosen(positionals, values.quick), values.quick, values.json);

/** Runs one bench after another; one that fails does not keep the others from running. Returns the exit code. */
async function runAll(list: readonly Bench[], quick: boolean, json: string | undefined): Promise<number> {
  releaseOnInterrupt();
  const screen = new Console();
  screen.say(`${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  const results: Measurement[] = [];
  const failed: string[] = [];
  const report = (measurement: Measurement): void => {
    results.push(measurement);
    screen.row(measurement);
  };
  for (const bench of list) {
    screen.heading(`${bench.name}: ${bench.about}`);
    try {
      await bench.run({ console: screen, quick, report });
    } catch (error) {
      failed.push(bench.name);
      screen.say(`${bench.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    // After each, so that a long run that is stopped has not measured in vain.
    if (json !== undefined) writeFileSync(json, JSON.stringify(results, undefined, 2) + '\n');
  }
  if (failed.length > 0) screen.say(`\nfailed: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

function chosen(names: readonly string[], quick: boolean): readonly Bench[] {
  if (names.length === 0) return quick ? benches.filter((bench) => bench.quick) : benches;
  const stranger = names.find((name) => !benches.some((bench) => bench.name.startsWith(name)));
  if (stranger !== undefined) quit(`no bench is named ${stranger}; --list shows all`);
  // A bench named in full is that one alone: sum/10^3 may be the beginning of another name.
  const exact = (name: string): boolean => benches.some((bench) => bench.name === name);
  return benches.filter((bench) =>
    names.some((name) => (exact(name) ? bench.name === name : bench.name.startsWith(name))),
  );
}

function readArguments(): {
  values: { quick: boolean; list: boolean; help: boolean; json?: string };
  positionals: string[];
} {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    quit(error instanceof Error ? error.message : String(error));
  }
}

function quit(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}
