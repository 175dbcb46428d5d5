import { summarize, medianOf, power, time, type Bench, type Measurement, type Tools } from '../measurement.ts';
import { cellsOf } from './messages.ts';
import { verifyOpened, withSum, type OpenedSum, type ProcessorTime } from './secure-sum.ts';

const SIZES = [
  { cells: 1000 },
  { cells: 10_000, target: 15 },
  { cells: 100_000 },
  { cells: 1_000_000, target: 300 },
] as const;

export const sumBenches: readonly Bench[] = SIZES.map(({ cells, ...rest }) => ({
  name: `sum/${power(cells)}`,
  about: `secure sum of ${power(cells)} cells, 3 processes, from local cells to the researcher's opened vector`,
  quick: cells <= 10_000,
  run: (tools) => measureSum(tools, cells, 'target' in rest ? rest.target : undefined),
}));

async function measureSum({ console, report, quick }: Tools, cells: number, target: number | undefined): Promise<void> {
  console.progress(`sum of ${cells} cells: starting ledger, coordinator and three parties`);
  await withSum(cells, async (sum) => {
    console.progress(`sum of ${cells} cells: measuring`);
    const runs = quick ? 5 : cells >= 100_000 ? 11 : 31;
    const { own, raw, used } = await alternate(sum, runs);
    const name = `sum/${power(cells)}`;
    report(summarize(name, 'ms', own, target));
    report(summarize(`${name}: same bytes, no cryptography`, 'ms', raw));
    report(ratio(`${name}: ratio to the bare transfer`, own, raw));
    const total = used.hospitals + used.coordinator + used.researcher;
    report(summarize(`${name}: processor time, all processes`, 'ms', [total]));
    report(summarize(`${name}:   of it three hospitals`, 'ms', [used.hospitals]));
    report(summarize(`${name}:   of it the coordinator`, 'ms', [used.coordinator]));
    report(summarize(`${name}:   of it the researcher`, 'ms', [used.researcher]));
    const { typed, bigint } = await plainSums(cells, quick ? 3 : 9);
    report(summarize(`${name}: plain sum in one process, 64-bit arrays`, 'ms', typed));
    report(summarize(`${name}: plain sum in one process, BigInt arrays`, 'ms', bigint));
    report(ratio(`${name}: ratio to the plain sum of BigInt arrays`, own, bigint));
  });
}

/** Own and raw runs by turns, so that what else the machine does falls on both. Processor time is of one own run, on average. */
async function alternate(sum: OpenedSum, runs: number): Promise<{ own: number[]; raw: number[]; used: ProcessorTime }> {
  const own: number[] = [];
  const raw: number[] = [];
  const used = { hospitals: 0, coordinator: 0, researcher: 0 };
  verifyOpened(await sum.open(), 3);
  for (let warm = 0; warm < 2; warm++) {
    await sum.open();
    await sum.transfer();
  }
  for (let i = 0; i < runs; i++) {
    const before = sum.processorTime();
    own.push(...(await time(1, sum.open, 0)));
    const after = sum.processorTime();
    for (const role of ['hospitals', 'coordinator', 'researcher'] as const)
      used[role] += (after[role] - before[role]) / runs;
    raw.push(...(await time(1, sum.transfer, 0)));
  }
  return { own, raw, used };
}

async function plainSums(cells: number, runs: number): Promise<{ typed: number[]; bigint: number[] }> {
  const inputs = [0, 1, 2].map((party) => cellsOf(party, cells));
  const total = new BigUint64Array(cells);
  const typed = await time(runs, () => {
    total.fill(0n);
    for (const input of inputs) for (let i = 0; i < cells; i++) total[i]! += input[i]!;
  });
  const lists = inputs.map((input) => [...input]);
  const bigint = await time(runs, () => {
    const [a, b, c] = lists;
    return a!.map((value, i) => value + b![i]! + c![i]!);
  });
  return { typed, bigint };
}

/** Medians over medians; the extremes are of our own samples over the other's median. */
export function ratio(name: string, own: readonly number[], reference: readonly number[]): Measurement {
  const median = medianOf(reference);
  return summarize(
    name,
    'x',
    own.map((each) => each / median),
  );
}
