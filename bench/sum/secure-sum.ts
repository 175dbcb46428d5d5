import { type ChildProcess } from 'node:child_process';
import { combineShares } from '../../mpc/sum/opening.ts';
import type { CellVector } from '../../mpc/cells.ts';
import { fetchShares, type ShareRequest } from '../../researcher/shares.ts';
import { forkScript, nextMessage, processorTime, stopChild } from '../children.ts';
import { holding, withFolder } from '../leaving.ts';
import { openSession, withBareConsortium, type BareConsortium } from './consortium.ts';
import { cellsOf, STEP, type Begin, type Join, type Ready } from './messages.ts';

/** Three party processes with their session open and their seeds agreed. This process is the researcher. */
export interface OpenedSum {
  readonly consortium: BareConsortium;
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

export function withSum<T>(cells: number, run: (sum: OpenedSum) => Promise<T>): Promise<T> {
  return withFolder((folder) =>
    withBareConsortium(folder, (consortium) =>
      withParties(consortium, async (parties) => {
        const { ledger, hospitals, researcher, answerKey, client } = consortium;
        const session = await openSession(consortium);
        const size = ledger.sessionOpenedAt(session.id)! + 1;
        const keys = Object.fromEntries(hospitals.map((each) => [each.organisation, each.identity.publicKey]));
        const begin: Begin = {
          session: session.id,
          roster: session.roster,
          keys,
          ledger: { size, root: ledger.rootAt(size) },
          answerKey: answerKey.publicKey,
          cells,
        };
        await tellAll(parties, begin, 'ready');
        const request: ShareRequest = {
          ...{ session: session.id, cells, roster: session.roster, answerKey, member: researcher },
          step: STEP.share,
          activeKeys: (party) => [keys[party]!],
          signal: new AbortController().signal,
        };
        return run({
          consortium,
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
              session.roster.map((party) =>
                client.share(researcher, { ...request, step: STEP.raw }, party, () => undefined),
              ),
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

async function withParties<T>(of: BareConsortium, run: (parties: ChildProcess[]) => Promise<T>): Promise<T> {
  const parties = of.hospitals.map(() => forkScript('sum/party.ts'));
  return holding(
    async () => {
      await Promise.all(parties.map(stopChild));
    },
    async () => {
      const { coordinatorUrl, ledger, hospitals } = of;
      const connected = parties.map(async (party, i) => {
        const { organisation, identity } = hospitals[i]!;
        const join: Join = { organisation, pem: identity.toPem(), consortium: ledger.consortium, coordinatorUrl };
        await tellAll([party], join, 'connected');
      });
      await Promise.all(connected);
      return run(parties);
    },
  );
}

async function tellAll(parties: readonly ChildProcess[], message: Join | Begin, answer: Ready): Promise<void> {
  const answers = parties.map((party) => nextMessage<Ready>(party));
  for (const party of parties) party.send(message);
  for (const each of await Promise.all(answers)) {
    if (each !== answer) throw new Error(`a party answered ${each}, not ${answer}`);
  }
}
