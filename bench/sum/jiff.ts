import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nextMessage, runToEnd, stopChild } from '../children.ts';
import { holding } from '../leaving.ts';
import { medianOf, power, summarize, time, type Bench, type Tools } from '../measurement.ts';
import { withSum } from './secure-sum.ts';

const FOLDER = join(import.meta.dirname, '..', 'peers', 'jiff');
const SIZES = [10, 100, 1000];

/** JIFF (jiff-mpc on npm): the one peer that runs on this runtime, so that it can be measured in the same run. */
export const jiffBench: Bench = {
  name: 'sum/jiff',
  about: 'secure sum by JIFF, 3 processes, beside ours in the same run; installs bench/peers/jiff when it is first run',
  quick: false,
  run: measureJiff,
};

async function measureJiff({ console, report, quick }: Tools): Promise<void> {
  const missing = await jiffInstalled((text) => console.progress(text));
  if (missing !== undefined) {
    console.say(`sum/jiff: skipped, jiff-mpc cannot be installed (${missing})`);
    return;
  }
  for (const cells of SIZES) {
    console.progress(`JIFF: sum of ${cells} cells`);
    const theirs = await timeJiff(cells, quick ? 1 : 3);
    console.progress(`sum of ${cells} cells`);
    const ours = await withSum(cells, (sum) => time(quick ? 5 : 15, sum.open, 3));
    const perElement = (samples: readonly number[]): number[] => samples.map((each) => (1000 * each) / cells);
    report(summarize(`sum/jiff: JIFF, ${power(cells)} elements, for each`, 'us', perElement(theirs)));
    report(summarize(`sum/jiff: ours, ${power(cells)} elements, for each`, 'us', perElement(ours)));
    const ratios = theirs.map((each) => each / medianOf(ours));
    report(summarize(`sum/jiff: JIFF over ours at ${power(cells)} elements`, 'x', ratios));
  }
}

/** Installs the peer from its lockfile; returns why not, if it cannot. Its install scripts do not run: none is needed. */
export async function jiffInstalled(progress: (text: string) => void): Promise<string | undefined> {
  if (existsSync(join(FOLDER, 'node_modules', 'jiff-mpc'))) return undefined;
  progress('installing jiff-mpc into bench/peers/jiff');
  try {
    await runToEnd('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Milliseconds of each of `runs` sums, or of as many openings of those that reach the threshold. */
export async function timeJiff(cells: number, runs: number, threshold?: number): Promise<number[]> {
  const children: ChildProcess[] = [];
  const start = (script: string, ...args: string[]): ChildProcess => {
    const child = fork(join(FOLDER, script), args, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    children.push(child);
    return child;
  };
  return holding(
    async () => {
      await Promise.all(children.map(stopChild));
    },
    async () => {
      const port = await nextMessage<number>(start('server.cjs'));
      const parties = [1, 2, 3].map((party) => start('party.cjs', `http://127.0.0.1:${port}`, String(party)));
      await Promise.all(parties.map((party) => nextMessage(party)));
      return time(runs, async () => {
        const answers = parties.map((party) => nextMessage<string>(party));
        for (const party of parties) party.send({ length: cells, threshold });
        for (const answer of await Promise.all(answers)) {
          if (answer !== 'opened') throw new Error('JIFF opened another sum');
        }
      });
    },
  );
}
