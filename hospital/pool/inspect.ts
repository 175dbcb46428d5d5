import { join } from 'node:path';
import { readJournal } from './journal.ts';
import { readPoolKey } from './key.ts';
import { keyFile, poolFolder, rosterFolders, type RosterStatus } from './pool.ts';

/** What a state folder holds, for people, while a node may be running on it: nothing is changed and nothing locked. */
export function inspectPool(stateFolder: string): RosterStatus[] {
  const key = readPoolKey(keyFile(stateFolder));
  if (key === undefined) return [];
  return rosterFolders(poolFolder(stateFolder)).flatMap((name) => {
    const state = readJournal(join(poolFolder(stateFolder), name, 'journal'), key, `${name}/journal`);
    // What a node would destroy at its start counts as nothing.
    if (typeof state === 'string') return [];
    const triples = state.batches.reduce((sum, batch) => sum + (batch.slices - batch.next) * batch.triples, 0);
    return [{ roster: state.roster, setup: state.setup !== null, triples }];
  });
}
