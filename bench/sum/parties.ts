import { type ChildProcess } from 'node:child_process';
import type { Modulus } from '../../protocol/session.ts';
import { forkScript, nextMessage, stopChild } from '../children.ts';
import { holding } from '../leaving.ts';
import { openSession, type BareConsortium } from './consortium.ts';
import type { Begin, Join, Ready } from './messages.ts';

/** One process of the script for each hospital, connected to the coordinator. */
export async function withParties<T>(
  of: BareConsortium,
  script: string,
  run: (parties: ChildProcess[]) => Promise<T>,
): Promise<T> {
  const parties = of.hospitals.map(() => forkScript(script));
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

/** Opens a session on the ledger and tells all parties, which then have their channels. */
export async function beginSession(
  of: BareConsortium,
  parties: readonly ChildProcess[],
  cells: number,
  modulus: Modulus,
): Promise<Begin & { readonly agreedMs: number }> {
  const { ledger, hospitals, answerKey } = of;
  const session = await openSession(of);
  const size = ledger.sessionOpenedAt(session.id)! + 1;
  const begin: Begin = {
    session: session.id,
    roster: session.roster,
    keys: Object.fromEntries(hospitals.map((each) => [each.organisation, each.identity.publicKey])),
    ledger: { size, root: ledger.rootAt(size) },
    answerKey: answerKey.publicKey,
    cells,
    modulus,
  };
  const begun = performance.now();
  await tellAll(parties, begin, 'ready');
  return { ...begin, agreedMs: performance.now() - begun };
}

async function tellAll(parties: readonly ChildProcess[], message: Join | Begin, answer: Ready): Promise<void> {
  const answers = parties.map((party) => nextMessage<Ready>(party));
  for (const party of parties) party.send(message);
  for (const each of await Promise.all(answers)) {
    if (each !== answer) throw new Error(`a party answered ${each}, not ${answer}`);
  }
}
