import { resolve } from 'node:path';
import { readDescription, readPlan } from './folder.ts';
import { paths } from './plan.ts';
import { readConsortium } from './probe.ts';
import { Processes } from './processes.ts';

/** How a network stands. */
export interface NetworkStatus {
  readonly folder: string;
  readonly fabricVersion: string;
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly running: boolean }[];
  readonly channels: readonly {
    readonly name: string;
    readonly genesis: string;
    /** What each member's gateway says: the consortium's id, '' where none is founded, undefined where it does not answer. */
    readonly consortium: ReadonlyMap<string, string | undefined>;
  }[];
}

/** Asks every process and every gateway of a network; undefined when the folder has none that was ever ready. */
export async function networkStatus(folder: string): Promise<NetworkStatus | undefined> {
  const at = paths(resolve(folder));
  const description = readDescription({ at });
  if (description === undefined || readPlan({ path: folder, at }) === undefined) return undefined;
  const processes = new Processes(at.processes);
  const channels = description.channels.map(async ({ name, genesis }) => {
    const answers = description.organisations.map(async (organisation) => {
      // A peer that does not run would only make everybody wait for its deadline.
      if (!processes.isRunning(`peer-${organisation.name}`)) return [organisation.name, undefined] as const;
      const answer = await readConsortium(description, organisation, name).catch(() => undefined);
      return [organisation.name, answer] as const;
    });
    return { name, genesis, consortium: new Map(await Promise.all(answers)) };
  });
  return {
    folder: resolve(folder),
    fabricVersion: description.fabricVersion,
    processes: description.processes.map(({ name, pid }) => ({ name, pid, running: processes.isRunning(name) })),
    channels: await Promise.all(channels),
  };
}
