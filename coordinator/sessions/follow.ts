import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { asHealthchainError, Fault } from '../../protocol/errors.ts';
import type { Entry } from '../../protocol/ledger.ts';
import type { Ledger } from '../../ledger/ledger.ts';

/**
 * Calls `onEntry` with every entry of the ledger in order, from the first on, and goes on after the ledger was away.
 * Resolves once the entries known at the start were told; then follows until the signal ends it.
 */
export async function follow(of: {
  ledger: Ledger;
  onEntry: (entry: Entry) => void;
  signal: AbortSignal;
  retry: number;
  log: Logger;
}): Promise<void> {
  const target = of.ledger.head().size;
  const caughtUp = Promise.withResolvers<void>();
  let next = 0;
  const run = async (): Promise<void> => {
    while (!of.signal.aborted) {
      try {
        for await (const entry of of.ledger.entries(next, of.signal)) {
          next = entry.index + 1;
          of.onEntry(entry);
          if (next >= target) caughtUp.resolve();
        }
      } catch (error) {
        const { code } = asHealthchainError(error, () => new Fault('INTERNAL', 'following the ledger failed'));
        of.log.warn({ code, next }, 'the ledger cannot be followed; trying again');
      }
      await delay(of.retry, undefined, { signal: of.signal }).catch(() => undefined);
    }
  };
  void run().finally(() => caughtUp.resolve());
  await caughtUp.promise;
}
