import { combineShares } from '../../mpc/sum/opening.ts';
import type { CellVector } from '../../mpc/cells.ts';
import type { Modulus } from '../../protocol/session.ts';
import { fetchShares, type ShareRequest } from '../../researcher/shares.ts';
import { processorTime } from '../children.ts';
import { withFolder } from '../leaving.ts';
import { withBareConsortium, type BareConsortium } from './consortium.ts';
import { cellsOf, STEP } from './messages.ts';
import { beginSession, withParties } from './parties.ts';

/** A process for each hospital, with the session open and the seeds agreed. This process is the researcher. */
export interface OpenedSum {
  readonly consortium: BareConsortium;
  /** Milliseconds that it took all hospitals to agree on keys and seeds, in fresh processes. */
  readonly agreedMs: number;
  /** From the request to the opened vector: mask, seal, relay, open, add. */
  readonly open: () => Promise<CellVector>;
  /** The same number of bytes the same way, made from nothing and looked at by nobody. */
  readonly transfer: () => Promise<void>;
  /** Processor time used until now, in milliseconds. */
  readonly processorTime: () => ProcessorTime;
}

export interface ProcessorTime {
  readonly hospitals: number;
  readonly coordinator: number;
  readonly researcher: number;
}

/** `modulus` is that of a query in which every cell opens, unless given. */
export function withSum<T>(
  cells: number,
  run: (sum: OpenedSum) => Promise<T>,
  hospitals = 3,
  modulus: Modulus = '2^128',
): Promise<T> {
  return withFolder((folder) =>
    withBareConsortium(folder, hospitals, (consortium) =>
      withParties(consortium, 'sum/party.ts', async (parties) => {
        const { researcher, answerKey, client } = consortium;
        const { session, roster, keys, agreedMs } = await beginSession(consortium, parties, cells, modulus);
        const request: ShareRequest = {
          ...{ session, cells, modulus, roster, answerKey, member: researcher },
          step: STEP.share,
          activeKeys: (party) => [keys[party]!],
          signal: new AbortController().signal,
        };
        return run({
          consortium,
          agreedMs,
          open: async () => {
            const { sum, shares } = await fetchShares(client, request);
            return combineShares(sum, shares).cells;
          },
          processorTime: () => {
            const { user, system } = process.cpuUsage();
            return {
              hospitals: parties.reduce((total, party) => total + processorTime(party.pid!), 0),
              coordinator: processorTime(consortium.coordinator.pid),
              researcher: (user + system) / 1000,
            };
          },
          transfer: async () => {
            await Promise.all(
              roster.map((party) => client.share(researcher, { ...request, step: STEP.raw }, party, () => undefined)),
            );
          },
        });
      }),
    ),
  );
}

/** Throws if the opened vector is not the sum of what the parties put in. */
export function verifyOpened(opened: CellVector, parties: number): void {
  const inputs = Array.from({ length: parties }, (_, party) => cellsOf(party, opened.length));
  for (let i = 0; i < opened.length; i += Math.ceil(opened.length / 1000)) {
    const expected = inputs.reduce((total, values) => total + values[i]!, 0n);
    if (opened.at(i) !== expected) throw new Error(`cell ${i} of the opened sum is wrong`);
  }
}
