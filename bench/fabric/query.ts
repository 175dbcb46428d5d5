import { join } from 'node:path';
import { downNetwork, findPrograms, upNetwork, type NetworkDescription } from '../../ledger/fabric/network/index.ts';
import { Misuse } from '../../protocol/errors.ts';
import { holding, withFolder } from '../leaving.ts';
import { summarize, type Bench, type Tools } from '../measurement.ts';
import { ask, withConsortium } from '../query/consortium.ts';
import { shapeOf } from '../query/shapes.ts';
import { ratio } from '../sum/bench.ts';

const NAME = 'fabric/query';
const SIZE = { hospitals: 3, rows: 10_000 };
const RUNS = 7;

/** What the ledger costs a query: the same consortium on an embedded ledger and on a Fabric network. */
export const fabricQueryBench: Bench = {
  name: NAME,
  about: 'a whole query of three hospitals and 100 cells, with either ledger; everything on one machine',
  quick: false,
  run: async (tools) => {
    const { console, report } = tools;
    try {
      await findPrograms();
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      console.say(`${NAME}: skipped, ${error.message}`);
      return;
    }
    const embedded = await latencies(tools);
    report(summarize(`${NAME}: on an embedded ledger`, 'ms', embedded));
    const onFabric = await withNetwork(tools, (network) => latencies(tools, network));
    report(summarize(`${NAME}: on Fabric`, 'ms', onFabric));
    report(ratio(`${NAME}: ratio of the two`, onFabric, embedded));
  },
};

function latencies({ console, quick }: Tools, fabric?: NetworkDescription): Promise<number[]> {
  const progress = (text: string): void => console.progress(`${NAME}: ${text}`);
  return withConsortium(
    SIZE,
    progress,
    async (running) => {
      const { query } = shapeOf(100);
      await ask(running, query, progress);
      const totals: number[] = [];
      for (let i = 0; i < (quick ? 3 : RUNS); i++) totals.push((await ask(running, query, progress)).split.total);
      return totals;
    },
    fabric,
  );
}

function withNetwork<T>({ console }: Tools, run: (network: NetworkDescription) => Promise<T>): Promise<T> {
  return withFolder((parent) => {
    const folder = join(parent, 'network');
    console.progress(`${NAME}: starting a network`);
    const starting = upNetwork({ folder, hospitals: SIZE.hospitals, channels: ['consortium'] });
    return holding(
      async () => {
        await starting.catch(() => undefined);
        await downNetwork(folder, { remove: true });
      },
      async () => run(await starting),
    );
  });
}
