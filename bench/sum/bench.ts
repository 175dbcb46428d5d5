import { summarize, medianOf, power, time, type Bench, type Measurement, type Tools } from '../measurement.ts';
import type { Modulus } from '../../protocol/session.ts';
import { cellsOf } from './messages.ts';
import { verifyOpened, withSum, type OpenedSum, type ProcessorTime } from './secure-sum.ts';

interface Size {
  readonly cells: number;
  /** Three unless given. */
  readonly hospitals?: number;
  /** Scalars mod l are the shares of queries with a rule; integers mod 2^128, which are meant unless given, of those without. */
  readonly modulus?: Modulus;
  readonly target?: number;
}

const SIZES: readonly Size[] = [
  { cells: 1000 },
  { cells: 10_000, target: 15 },
  { cells: 100_000 },
  { cells: 1_000_000, target: 300 },
  { cells: 1_000_000, modulus: 'l' },
  { cells: 10_000, hospitals: 100, target: 5000 },
];

const nameOf = ({ cells, hospitals, modulus }: Size): string =>
  `sum/${power(cells)}${hospitals === undefined ? '' : `/n=${hospitals}`}${modulus === undefined ? '' : `/mod-${modulus}`}`;

export const sumBenches: readonly Bench[] = SIZES.map((size) => ({
  name: nameOf(size),
  about: `secure sum of ${power(size.cells)} cells, ${size.hospitals ?? 3} processes, from local cells to the researcher's opened vector`,
  quick: size.cells <= 10_000 && size.hospitals === undefined,
  run: (tools) => measureSum(tools, size),
}));

async function measureSum({ console, report, quick }: Tools, size: Size): Promise<void> {
  const { cells, hospitals = 3, target } = size;
  const name = nameOf(size);
  console.progress(`${name}: starting ledger, coordinator and ${hospitals} parties`);
  const measure = async (sum: OpenedSum): Promise<void> => {
    console.progress(`${name}: measuring`);
    const runs = quick ? 5 : cells >= 100_000 || hospitals > 3 ? 11 : 31;
    const { own, raw, used } = await alternate(sum, runs, hospitals);
    report(summarize(name, 'ms', own, target));
    report(summarize(`${name}: keys and seeds agreed before that, once`, 'ms', [sum.agreedMs]));
    report(summarize(`${name}: same bytes, no cryptography`, 'ms', raw));
    report(ratio(`${name}: ratio to the bare transfer`, own, raw));
    const total = used.hospitals + used.coordinator + used.researcher;
    report(summarize(`${name}: processor time, all processes`, 'ms', [total]));
    report(summarize(`${name}:   of it the hospitals`, 'ms', [used.hospitals]));
    report(summarize(`${name}:   of it the coordinator`, 'ms', [used.coordinator]));
    report(summarize(`${name}:   of it the researcher`, 'ms', [used.researcher]));
    const { typed, bigint } = await plainSums(cells, hospitals, quick ? 3 : 9);
    report(summarize(`${name}: plain sum in one process, 64-bit arrays`, 'ms', typed));
    report(summarize(`${name}: plain sum in one process, BigInt arrays`, 'ms', bigint));
    report(ratio(`${name}: ratio to the plain sum of BigInt arrays`, own, bigint));
  };
  await withSum(cells, measure, hospitals, size.modulus);
}

/** Own and raw runs by turns, so that what else the machine does falls on both. Processor time is of one own run, on average. */
async function alternate(
  sum: OpenedSum,
  runs: number,
  hospitals: number,
): Promise<{ own: number[]; raw: number[]; used: ProcessorTime }> {
  const own: number[] = [];
  const raw: number[] = [];
  const used = { hospitals: 0, coordinator: 0, researcher: 0 };
  verifyOpened(await sum.open(), hospitals);
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

async function plainSums(
  cells: number,
  hospitals: number,
  runs: number,
): Promise<{ typed: number[]; bigint: number[] }> {
  const inputs = Array.from({ length: hospitals }, (_, party) => cellsOf(party, cells));
  const total = new BigUint64Array(cells);
  const typed = await time(runs, () => {
    total.fill(0n);
    for (const input of inputs) for (let i = 0; i < cells; i++) total[i]! += input[i]!;
  });
  const lists = inputs.map((input) => [...input]);
  const bigint = await time(runs, () => {
    const [first, ...others] = lists;
    return first!.map((value, i) => {
      let sum = value;
      for (const list of others) sum += list[i]!;
      return sum;
    });
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
