import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../protocol/errors.ts';
import type { Role } from '../protocol/ledger.ts';
import type { OrganisationRecord } from '../protocol/records.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** The organisation, when it holds this key now and has this role. */
export function holderOf(
  ledger: Ledger,
  of: { organisation: string; publicKey: string; role: Role },
): OrganisationRecord | undefined {
  const record = ledger.organisation(of.organisation);
  if (record === undefined || !record.roles.includes(of.role)) return undefined;
  return hasActiveKey(record, of.publicKey) ? record : undefined;
}

export const hasActiveKey = (record: OrganisationRecord | undefined, publicKey: string): boolean =>
  record?.keys.some((key) => key.publicKey === publicKey && key.status === 'active') ?? false;

/** Milliseconds between two looks at the ledger that strangers may cause. */
const INTERVAL = 200;

/**
 * Catches up with the ledger for callers who named something that this view does not know. All who ask before a look
 * begins share it, and nobody makes the coordinator look more often than five times a second.
 */
export class CatchUp {
  readonly #ledger: Ledger;
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Resolves after a look that began after the call; `Fault LEDGER_DOWN` when the ledger does not answer. */
  now(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async #after(earlier: Promise<void>): Promise<void> {
    await earlier;
    this.#next = undefined;
    const look = this.#ledger.refresh();
    // The next look waits for this one and its pause, whether it succeeds or not.
    this.#running = Promise.allSettled([look, delay(INTERVAL, undefined, { ref: false })]).then(() => undefined);
    try {
      await look;
    } catch (cause) {
      throw new Fault('LEDGER_DOWN', 'the coordinator does not reach the ledger', {
        hint: 'Try again in a few seconds.',
        cause,
      });
    }
  }
}
