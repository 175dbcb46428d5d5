import { setTimeout as delay } from 'node:timers/promises';
import { Engine } from '../../hospital/source/engine.ts';
import { medianOf, power, summarize, time, type Bench, type Tools } from '../measurement.ts';
import { ratio } from '../sum/bench.ts';
import { ask, withConsortium } from './consortium.ts';
import { CELL_COUNTS, shapeOf } from './shapes.ts';
import { PARTS, type Split } from './timeline.ts';

/** After an answer the nodes still write logs and journals: the pooled query is to have the machine for itself. */
const REST_MS = 1000;

interface Setting {
  readonly hospitals: number;
  readonly cells: number;
  /** Of each hospital. */
  readonly rows: number;
  readonly runs: number;
  readonly target?: number;
  /** At most this many times the pooled query. */
  readonly pooledTarget?: number;
}

const SETTINGS: readonly Setting[] = [
  ...CELL_COUNTS.map((cells) => ({ hospitals: 3, cells, rows: 10_000, runs: cells >= 1_000_000 ? 3 : 7 })),
  { hospitals: 5, cells: 10_000, rows: 10_000, runs: 7 },
  { hospitals: 10, cells: 10_000, rows: 10_000, runs: 7 },
  { hospitals: 100, cells: 10_000, rows: 10_000, runs: 3, target: 5000 },
  { hospitals: 3, cells: 100, rows: 100_000, runs: 7 },
  { hospitals: 3, cells: 100, rows: 1_000_000, runs: 7 },
  { hospitals: 3, cells: 100, rows: 10_000_000, runs: 7, pooledTarget: 1.2 },
];

const nameOf = ({ hospitals, cells, rows }: Setting): string =>
  `query/n=${hospitals}/cells=${power(cells)}/rows=${power(rows)}`;

export const queryBenches: readonly Bench[] = SETTINGS.map((setting) => ({
  name: nameOf(setting),
  about: `a whole query from submit to verified answer, ${setting.hospitals} hospital processes`,
  quick: setting.hospitals === 3 && setting.cells <= 10_000 && setting.rows <= 10_000,
  run: (tools) => measureQuery(tools, setting),
}));

async function measureQuery({ console, report, quick }: Tools, setting: Setting): Promise<void> {
  const name = nameOf(setting);
  const shape = shapeOf(setting.cells);
  const progress = (text: string): void => console.progress(`${name}: ${text}`);
  await withConsortium(setting, progress, async (running) => {
    report(summarize(`${name}: start of all processes (not in the figures below)`, 'ms', [running.startMs]));
    const first = await ask(running, shape.query, progress);
    if (first.aborts.length > 0)
      console.say(`${name}: the first query needed another attempt after ${first.aborts.join(', ')}`);
    const splits: Split[] = [];
    const pooled: number[] = [];
    const engine = await Engine.open();
    const poolRows = () => engine.rows(shape.pooledSql(running.files));
    await poolRows();
    // By turns, so that what else the machine does falls on both.
    for (let i = 0; i < (quick ? Math.min(3, setting.runs) : setting.runs); i++) {
      const { split, aborts } = await ask(running, shape.query, (text) => progress(`run ${i + 1}, ${text}`));
      splits.push(split);
      if (aborts.length > 0) console.say(`${name}: run ${i + 1} needed another attempt after ${aborts.join(', ')}`);
      await delay(REST_MS);
      pooled.push(...(await time(1, poolRows, 0)));
    }
    engine.close();
    const total = splits.map((split) => split.total);
    report(summarize(name, 'ms', total, setting.target));
    for (const part of PARTS) {
      const samples = splits.map((split) => split[part]);
      report(summarize(`${name}:   ${part}`, 'ms', samples));
    }
    // Files are opened and proved to fit the schema, generators derived and code compiled, once per process.
    report(summarize(`${name}: first query of fresh processes`, 'ms', [first.split.total]));
    for (const part of ['scan', 'commit', 'relay', 'verify'] as const) {
      report(summarize(`${name}:   of it ${part}`, 'ms', [first.split[part]]));
    }
    // All rows in one engine with all threads, as somebody would who had them in one place.
    report(summarize(`${name}: pooled rows in DuckDB alone`, 'ms', pooled));
    const compared = ratio(`${name}: ratio to the pooled query`, total, pooled);
    report(setting.pooledTarget === undefined ? compared : { ...compared, target: setting.pooledTarget });
    const scans = splits.map((split) => split.scan);
    report(
      summarize(
        `${name}: all but the scan`,
        'ms',
        total.map((each, i) => each - scans[i]!),
      ),
    );
    report(summarize(`${name}: scan to the pooled query`, 'x', [medianOf(scans) / medianOf(pooled)]));
  });
}
