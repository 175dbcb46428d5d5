import type { ChildProcess } from 'node:child_process';
import { nextMessage, processorTime, residentMemory } from '../children.ts';
import { withFolder } from '../leaving.ts';
import { medianOf, power, summarize, time, type Bench, type Tools } from '../measurement.ts';
import { withBareConsortium } from '../sum/consortium.ts';
import { jiffInstalled, timeJiff } from '../sum/jiff.ts';
import { beginSession, withParties } from '../sum/parties.ts';
import type { Done, Task } from './messages.ts';

/** Parties with an open session; every task is done by all of them together. */
type Parties = (task: Task) => Promise<readonly Done[]>;

/** The parties' own processes, and what they and the coordinator have used of the processors, in milliseconds. */
interface Processes {
  readonly children: readonly ChildProcess[];
  readonly processorTime: () => number;
}

interface ReleaseSize {
  readonly parties: number;
  readonly cells: number;
  /** Milliseconds: with stock, and with everything made for it. */
  readonly online?: number;
  readonly whole?: number;
}

const RELEASES: readonly ReleaseSize[] = [
  { parties: 3, cells: 1000 },
  { parties: 3, cells: 10_000, online: 60, whole: 1000 },
  { parties: 3, cells: 100_000 },
  { parties: 5, cells: 1000 },
  { parties: 5, cells: 10_000, whole: 3000 },
  { parties: 8, cells: 1000 },
  { parties: 8, cells: 10_000 },
];

export const booleanBenches: readonly Bench[] = [
  {
    name: 'boolean/triples',
    about: 'authenticated AND triples, malicious security against all but one, 3 processes',
    quick: true,
    run: (tools) => withBooleans(tools, 3, (parties) => measureTriples(tools, parties)),
  },
  {
    name: 'boolean/ands',
    about: 'AND gates on shares from stock, 10 layers of 10^5, 3 processes',
    quick: true,
    run: (tools) => withBooleans(tools, 3, (parties) => measureAnds(tools, parties)),
  },
  ...RELEASES.map((size): Bench => ({
    name: `boolean/release/n=${size.parties}/cells=${power(size.cells)}`,
    about: `release rule on ${power(size.cells)} counts, k = 10, ${size.parties} processes, with stock and without`,
    quick: size.parties === 3 && size.cells <= 10_000,
    run: (tools) =>
      withBooleans(tools, size.parties, (parties, processes) => measureRelease(tools, size, parties, processes)),
  })),
  {
    name: 'boolean/medians',
    about: '100 medians on a grid of 2^10 points, 3 processes, preprocessing included',
    quick: false,
    run: (tools) => withBooleans(tools, 3, (parties, processes) => measureMedians(tools, parties, processes)),
  },
  {
    name: 'boolean/jiff',
    about: 'threshold release by JIFF, semi-honest, 3 processes, beside ours in the same run',
    quick: false,
    run: (tools) => measureJiff(tools),
  },
];

function withBooleans<T>(
  { console }: Tools,
  count: number,
  run: (parties: Parties, processes: Processes) => Promise<T>,
): Promise<T> {
  console.progress(`starting ledger, coordinator and ${count} parties`);
  return withFolder((folder) =>
    withBareConsortium(folder, count, (consortium) =>
      withParties(consortium, 'boolean/party.ts', async (children) => {
        await beginSession(consortium, children, 0, 'l');
        const parties: Parties = async (task) => {
          const answers = children.map((child) => nextMessage<Done>(child));
          for (const child of children) child.send(task);
          const done = await Promise.all(answers);
          if (done.some(({ result }) => result !== done[0]!.result)) throw new Error('the parties came to two results');
          return done;
        };
        await parties({ kind: 'setUp' });
        const pids = [consortium.coordinator.pid, ...children.map(({ pid }) => pid!)];
        return run(parties, {
          children,
          processorTime: () => pids.reduce((total, pid) => total + processorTime(pid), 0),
        });
      }),
    ),
  );
}

async function measureTriples({ console, report, quick }: Tools, parties: Parties): Promise<void> {
  report(
    summarize('boolean/base transfers, once per roster', 'ms', await time(3, () => parties({ kind: 'setUp' }), 1)),
  );
  for (const count of quick ? [2 ** 17] : [2 ** 17, 2 ** 19]) {
    console.progress(`${count} triples`);
    let bytes = 0;
    const took = await time(quick ? 3 : 5, async () => {
      bytes = (await parties({ kind: 'triples', count }))[0]!.bytes;
    });
    const name = `boolean/triples: batch of 2^${Math.log2(count)}`;
    report(
      summarize(
        `${name}, per second`,
        '1/s',
        took.map((each) => (1000 * count) / each),
      ),
    );
    report(summarize(`${name}, sent by each party per triple`, 'B', [bytes / count]));
  }
}

async function measureAnds({ console, report, quick }: Tools, parties: Parties): Promise<void> {
  const [lanes, layers] = [quick ? 12_800 : 102_400, 10];
  const took: number[] = [];
  for (let run = 0; run < 5; run++) {
    console.progress('ANDs from stock');
    await parties({ kind: 'makeAnds', lanes, layers });
    took.push(...(await time(1, () => parties({ kind: 'ands' }), 0)));
  }
  report(
    summarize(
      'boolean/ands: online, per second',
      '1/s',
      took.map((each) => (1000 * lanes * layers) / each),
    ),
  );
}

async function measureRelease(
  { console, report, quick }: Tools,
  { parties: n, cells, online, whole }: ReleaseSize,
  parties: Parties,
  { children, processorTime }: Processes,
): Promise<void> {
  const name = `boolean/release/n=${n}/cells=${power(cells)}`;
  const runs = quick || cells > 10_000 || n > 5 ? 3 : 7;
  for (const coalition of [0, 1]) {
    const rule = coalition === 0 ? 'threshold' : 'insider rule';
    console.progress(`${name}, ${rule}`);
    const fromStock: number[] = [];
    let last: readonly Done[] = [];
    for (let run = -1; run < runs; run++) {
      await parties({ kind: 'makeStock', cells, coalition });
      const took = await time(1, async () => (last = await parties({ kind: 'release', cells, coalition })), 0);
      if (run >= 0) fromStock.push(...took);
    }
    // Targets are for the threshold, as the peers were measured.
    report(summarize(`${name}: ${rule}, with stock`, 'ms', fromStock, coalition === 0 ? online : undefined));
    report(summarize(`${name}: ${rule}, with stock, sent by each party`, 'kB', [last[0]!.bytes / 1000]));
    const before = processorTime();
    const all = await time(runs, () => parties({ kind: 'release', cells, coalition }), 0);
    const used = (processorTime() - before) / runs;
    report(summarize(`${name}: ${rule}, preprocessing included`, 'ms', all, coalition === 0 ? whole : undefined));
    report(summarize(`${name}: ${rule}, preprocessing included, processor time of all`, 'ms', [used]));
  }
  const target = cells >= 100_000 ? 500 : undefined;
  report(
    summarize(
      `${name}: peak memory of a party`,
      'MB',
      children.map((child) => residentMemory(child.pid!).peak),
      target,
    ),
  );
}

/** JIFF opens the sums that reach a threshold; a few cells, for it is slow. */
async function measureJiff(tools: Tools): Promise<void> {
  const { console, report, quick } = tools;
  const missing = await jiffInstalled((text) => console.progress(text));
  if (missing !== undefined) {
    console.say(`boolean/jiff: skipped, jiff-mpc cannot be installed (${missing})`);
    return;
  }
  const [few, many] = [5, 1000];
  console.progress(`JIFF: threshold release of ${few} cells`);
  const theirs = await timeJiff(few, quick ? 1 : 3, 6006);
  const ours = await withBooleans(tools, 3, (parties) =>
    time(quick ? 3 : 7, () => parties({ kind: 'release', cells: many, coalition: 0 })),
  );
  const perCell = (samples: readonly number[], cells: number): number[] => samples.map((each) => each / cells);
  report(summarize(`boolean/jiff: JIFF, ${few} cells, for each`, 'ms', perCell(theirs, few)));
  report(
    summarize(`boolean/jiff: ours, ${power(many)} cells, preprocessing included, for each`, 'ms', perCell(ours, many)),
  );
  const ratios = perCell(theirs, few).map((each) => each / (medianOf(ours) / many));
  report(summarize('boolean/jiff: JIFF over ours, for each cell', 'x', ratios));
}

async function measureMedians({ report, quick }: Tools, parties: Parties, { processorTime }: Processes): Promise<void> {
  const task: Task = { kind: 'medians', groups: 100, gridSize: 1024 };
  const runs = quick ? 3 : 7;
  await parties(task);
  const before = processorTime();
  const took = await time(runs, () => parties(task), 0);
  const used = (processorTime() - before) / runs;
  report(summarize('boolean/medians: 100 on 2^10 points', 'ms', took, 2000));
  report(summarize('boolean/medians: 100 on 2^10 points, processor time of all', 'ms', [used]));
}
