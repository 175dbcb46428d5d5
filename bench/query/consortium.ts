import { join } from 'node:path';
import { LocalConsortium, type LocalHospital } from '../../cli/local/consortium.ts';
import { sandboxPolicy } from '../../hospital/policy.ts';
import { ENCOUNTERS_SCHEMA, generateEncounters } from '../../hospital/synthetic/index.ts';
import type { NetworkDescription } from '../../ledger/fabric/network/index.ts';
import type { Query } from '../../protocol/query.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import type { Answer } from '../../researcher/client.ts';
import { holding, withFolder } from '../leaving.ts';
import { hospitalName } from '../measurement.ts';
import { splitOf, type Marks, type Split } from './timeline.ts';

/** A running consortium over synthetic Parquet files. */
export interface Running {
  readonly consortium: LocalConsortium;
  readonly files: readonly string[];
  readonly folder: string;
  /** Milliseconds that the start of all processes took. */
  readonly startMs: number;
}

export function withConsortium<T>(
  size: { hospitals: number; rows: number },
  progress: (text: string) => void,
  run: (running: Running) => Promise<T>,
  fabric?: NetworkDescription,
): Promise<T> {
  return withFolder(async (folder) => {
    progress(`${size.hospitals} × ${size.rows} rows: writing Parquet files`);
    const { files } = await generateEncounters({
      hospitals: size.hospitals,
      rows: size.rows,
      seed: 1,
      out: join(folder, 'data'),
      format: 'parquet',
    });
    const hospitals: LocalHospital[] = files.map((file, i) => ({ id: hospitalName(i), files: [file] }));
    progress(`starting ${size.hospitals} hospitals`);
    const begun = performance.now();
    let up = 0;
    const starting = LocalConsortium.start(
      { folder, hospitals, schema: ENCOUNTERS_SCHEMA, policy: sandboxPolicy({ release: everythingOpens() }), fabric },
      () => progress(`${size.hospitals} hospitals: ${++up} of ${size.hospitals + 2} processes started`),
    );
    // Held from before the first process, so that an interrupt ends those that are up by then.
    return holding(
      async () => {
        const consortium = await starting.catch(() => undefined);
        await consortium?.stop();
      },
      async () => {
        const consortium = await starting;
        return run({ consortium, files, folder, startMs: performance.now() - begun });
      },
    );
  });
}

/** Submits a query and waits for its verified answer. */
export async function ask(
  { consortium, folder }: Running,
  query: Query,
  progress: (text: string) => void,
): Promise<{ answer: Answer; split: Split; aborts: readonly string[] }> {
  const { researcher } = consortium;
  const marks: Marks = { submitted: Date.now(), session: undefined, aborts: [], lastShare: 0, verified: 0, decoded: 0 };
  const id = await researcher.submit(query);
  const answer = await researcher.answer(id, {
    signal: AbortSignal.timeout(600_000),
    progress: (event) => {
      if (event.stage === 'session') {
        marks.session = { id: event.session, at: Date.now(), hospitals: event.hospitals };
      }
      if (event.stage === 'aborted') marks.aborts.push(event.reason);
      if (event.stage === 'share') marks.lastShare = Date.now();
      if (event.stage === 'verified') marks.verified = Date.now();
      if (event.stage !== 'share' && event.stage !== 'approved' && event.stage !== 'committed') progress(event.stage);
    },
  });
  marks.decoded = Date.now();
  return { answer, split: await splitOf(marks, join(folder, 'logs')), aborts: marks.aborts };
}
