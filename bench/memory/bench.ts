import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { residentMemory, runToEnd } from '../children.ts';
import { type Bench, type Tools, hospitalName, power, summarize } from '../measurement.ts';
import { ask, withConsortium, type Running } from '../query/consortium.ts';
import { shapeOf } from '../query/shapes.ts';
import { withSum, type OpenedSum } from '../sum/secure-sum.ts';

const CELLS = 100_000;
const ROWS = 1_000_000;
const DUCKDB_LIMIT = '100MB';
const MILLION = 1_000_000;
const ENGINE_ALONE = fileURLToPath(new URL('engine-alone.ts', import.meta.url));

export const memoryBenches: readonly Bench[] = [
  {
    name: 'memory/hospital',
    about: `peak resident memory of a hospital's node, ${power(CELLS)} cells of ${power(ROWS)} rows, DuckDB limited to ${DUCKDB_LIMIT}`,
    quick: false,
    run: measureHospital,
  },
  {
    name: 'memory/relay',
    about: 'resident memory of the coordinator while three shares of 10^6 cells pass',
    quick: false,
    run: measureRelay,
  },
];

async function measureHospital({ console, report }: Tools): Promise<void> {
  const progress = (text: string): void => console.progress(`memory/hospital: ${text}`);
  await withConsortium({ hospitals: 3, rows: ROWS }, progress, async (running) => {
    const [limited, free] = [hospitalName(0), hospitalName(1)];
    await limit(running, limited);
    const pidOf = (name: string): number => running.consortium.processes.get(name)!.pid;
    const started = residentMemory(pidOf(limited));
    report(summarize('memory/hospital: started, no query yet', 'MB', [started.now]));
    await ask(running, shapeOf(100).query, progress);
    report(summarize('memory/hospital: peak after 10^2 cells', 'MB', [residentMemory(pidOf(limited)).peak]));
    for (let i = 0; i < 3; i++) await ask(running, shapeOf(CELLS).query, progress);
    const { peak, now } = residentMemory(pidOf(limited));
    const engine = await engineAlone(running.files[0]!);
    report(summarize(`memory/hospital: peak, ${power(CELLS)} cells, DuckDB ${DUCKDB_LIMIT}`, 'MB', [peak]));
    report(summarize(`memory/hospital:   of it DuckDB, by the same scans alone`, 'MB', [engine]));
    report(summarize(`memory/hospital:   beside DuckDB's`, 'MB', [peak - engine], 250));
    report(summarize(`memory/hospital: after them`, 'MB', [now]));
    report(summarize('memory/hospital: peak, DuckDB with its default limit', 'MB', [residentMemory(pidOf(free)).peak]));
  });
}

/** MB that the engine takes by itself for the scans of those queries. */
async function engineAlone(file: string): Promise<number> {
  const cells = [100, CELLS, CELLS, CELLS].map(String);
  return Number(await runToEnd(process.execPath, [ENGINE_ALONE, file, DUCKDB_LIMIT, ...cells]));
}

/** Starts a hospital again with a limit on its engine's memory, as an administrator would set it. */
async function limit({ consortium, folder }: Running, name: string): Promise<void> {
  const path = join(folder, `${name}.json`);
  const config = JSON.parse(readFileSync(path, 'utf8')) as { datasets: { encounters: object } };
  const encounters = { ...config.datasets.encounters, memoryLimit: DUCKDB_LIMIT, threads: 2 };
  writeFileSync(path, JSON.stringify({ ...config, datasets: { encounters } }));
  await consortium.processes.get(name)!.stop();
  await consortium.restart(name);
}

async function measureRelay({ console, report }: Tools): Promise<void> {
  console.progress('memory/relay: starting');
  const relayed = async ({ consortium, open }: OpenedSum): Promise<void> => {
    const { pid } = consortium.coordinator;
    const before = residentMemory(pid);
    console.progress('memory/relay: passing shares');
    for (let i = 0; i < 5; i++) await open();
    const { peak } = residentMemory(pid);
    report(summarize('memory/relay: before', 'MB', [before.now]));
    report(summarize('memory/relay: peak while 5 x 96 MB pass', 'MB', [peak]));
  };
  await withSum(MILLION, relayed, 3, 'l');
}
