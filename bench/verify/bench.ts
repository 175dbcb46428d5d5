import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeAnswer } from '../../cli/answer-files.ts';
import { runToEnd } from '../children.ts';
import { withFolder } from '../leaving.ts';
import { medianOf, power, summarize, time, type Bench, type Tools } from '../measurement.ts';
import { ask, withConsortium } from '../query/consortium.ts';
import { shapeOf } from '../query/shapes.ts';
import type { Stages } from './stages.ts';

const BIN = fileURLToPath(import.meta.resolve('#bin'));
const STAGES = fileURLToPath(new URL('stages.ts', import.meta.url));

export const verifyBenches: readonly Bench[] = [
  { cells: 10_000, target: 200 },
  { cells: 100_000, target: undefined },
].map(({ cells, target }) => ({
  name: `verify/${power(cells)}`,
  about: `healthchain verify of ${power(cells)} cells as a new process`,
  quick: cells === 10_000,
  run: (tools) => measureVerify(tools, cells, target),
}));

async function measureVerify(
  { console, report, quick }: Tools,
  cells: number,
  target: number | undefined,
): Promise<void> {
  const name = `verify/${power(cells)}`;
  const runs = quick ? 5 : 15;
  await withFolder(async (folder) => {
    const progress = (text: string): void => console.progress(`${name}: ${text}`);
    await withConsortium({ hospitals: 3, rows: 5000 }, progress, async (running) => {
      const { answer } = await ask(running, shapeOf(cells).query, progress);
      await writeAnswer(folder, answer, running.consortium.ledger);
    });
    progress('measuring');
    const file = (base: string): string => join(folder, `${base}.json`);
    const files = [file('receipt'), '--ledger', file('ledger'), '--result', file('result')];
    const whole: number[] = [];
    const bare: number[] = [];
    const stages: Stages[] = [];
    for (let run = 0; run < runs; run++) {
      whole.push(...(await time(1, () => runToEnd(process.execPath, [BIN, 'verify', ...files]), 0)));
      bare.push(...(await time(1, () => runToEnd(process.execPath, ['-e', '0']), 0)));
      stages.push(JSON.parse(await runToEnd(process.execPath, [STAGES, folder])) as Stages);
    }
    const start = medianOf(bare);
    const beyond = whole.map((each) => each - start);
    report(summarize(`${name}: beyond the start of node`, 'ms', beyond, target));
    report(summarize(`${name}: whole process`, 'ms', whole));
    report(summarize(`${name}: bare start of node`, 'ms', bare));
    for (const stage of Object.keys(stages[0]!) as (keyof Stages)[]) {
      report(
        summarize(
          `${name}:   ${stage}`,
          'ms',
          stages.map((each) => each[stage]),
        ),
      );
    }
  });
}
