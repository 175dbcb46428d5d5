import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SiteConsent } from '../../hospital/consent/consent.ts';
import { monthOf } from '../../ledger/consent.ts';
import { Records } from '../../ledger/records.ts';
import { actions, consentOf, ContractBench, ruledSchema } from '../../ledger/testing/world.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import type { QueryRecord } from '../../protocol/records.ts';

/**
 * An auditor that opens and withdraws epochs as it likes, to bring hospitals back to decisions that were over (a patient who
 * withdrew counts again), or to have one epoch mean two sets of decisions (two answers that differ by one patient).
 */
class Site {
  readonly #bench: ContractBench;
  readonly records = new Records();
  readonly #consent: SiteConsent;
  now: Date;

  private constructor(bench: ContractBench, now: string, everyMonths: 1 | 3) {
    this.#bench = bench;
    this.now = new Date(now);
    const schema = ruledSchema({ consent: { basis: 'opt-in', everyMonths } });
    this.#consent = new SiteConsent({
      ledger: { schema: () => schema, schemas: () => [schema] },
      statements: {
        patients: () => this.records.patients.values(),
        consentEpochs: () => [...this.records.epochs.values()],
      },
      hospital: 'north',
      mapped: () => true,
      now: () => this.now,
    });
  }
  static async open(now: string, everyMonths: 1 | 3 = 1): Promise<Site> {
    return new Site(await ContractBench.found(), now, everyMonths);
  }

  async does(action: Action, by: 'audit' | 'board' = 'audit'): Promise<void> {
    const { events } = await this.#bench.do(by, action);
    (await this.records.read(this.#bench.state, events))();
  }
  says(patient: Identity, sequence: number, decision: 'grant' | 'withdraw'): Promise<void> {
    return this.does(consentOf(patient, this.#bench.consortium, { sequence, decision }));
  }
  /** Why a query by this epoch is not answered, or whom it counts. */
  ask(consentEpoch: string): string | ReadonlyMap<string, string> {
    const query = { query: { dataset: 'heart@1', purpose: 'GRU' }, consentEpoch } as QueryRecord;
    return this.#consent.obstacle(query)?.reason ?? this.#consent.require(query)!.decisions();
  }
}

it('an epoch in use that is withdrawn brings no hospital back to the one before', async () => {
  const site = await Site.open('2026-12-05T00:00:00Z');
  const patient = Identity.generate();
  await site.says(patient, 1, 'grant');
  await site.does(actions.epoch('2026-11'));
  expect(site.ask('2026-11')).toEqual(new Map([[patient.publicKey, 'grant']]));
  await site.says(patient, 2, 'withdraw');
  await site.does(actions.epoch('2026-12'));
  expect(site.ask('2026-12')).toEqual(new Map([[patient.publicKey, 'withdraw']]));

  await site.does(actions.withdrawEpoch('2026-12'));
  expect(site.ask('2026-11')).toMatch(/2026-11 is over, since 2026-12 was open; that was withdrawn/);
  expect(site.ask('2026-12')).toMatch(/2026-12 was withdrawn/);
  await expect(site.does(actions.epoch('2026-12'), 'board')).rejects.toMatchObject({ code: 'STALE' });
  site.now = new Date('2027-01-01T00:00:00Z');
  await site.does(actions.epoch('2027-01'));
  expect(site.ask('2027-01')).toEqual(new Map([[patient.publicKey, 'withdraw']]));
});

it('an epoch far ahead that is withdrawn leaves the one in use where it was', async () => {
  const site = await Site.open('2026-11-05T00:00:00Z');
  await site.does(actions.epoch('2026-11'));
  await site.does(actions.epoch('2027-01'));
  expect(site.ask('2026-11')).toMatch(/2026-11 is over/);
  await site.does(actions.withdrawEpoch('2027-01'));
  expect(site.ask('2026-11')).toEqual(new Map());
  await site.does(actions.epoch('2026-12'));
  site.now = new Date('2027-01-05T00:00:00Z');
  // Opened after the withdrawal: it knows all that the withdrawn epoch knew.
  expect(site.ask('2026-12')).toEqual(new Map());
});

it('a withdrawn epoch off a dataset’s grid stops none of its queries', async () => {
  const site = await Site.open('2026-11-05T00:00:00Z', 3);
  for (const period of ['2026-10', '2026-11']) await site.does(actions.epoch(period));
  await site.does(actions.withdrawEpoch('2026-11'));
  expect(site.ask('2026-10')).toEqual(new Map());
});

it('no order of openings, withdrawals and months takes a hospital back, or gives one epoch two meanings', async () => {
  let denied = 0;
  const patient = Identity.generate();
  const ahead = (month: Date, months: number): string =>
    monthOf(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + months, 1));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('open', 'open', 'withdraw', 'say', 'wait'), fc.nat({ max: 60 })), {
        minLength: 10,
        maxLength: 40,
      }),
      async (steps) => {
        const site = await Site.open('2026-11-05T00:00:00Z');
        const meaning = new Map<string, string>();
        let furthest = -1;
        for (const [at, [what, n]] of steps.entries()) {
          const periods = [...site.records.epochs.keys()];
          const attempt = (action: Action): Promise<void> =>
            site.does(action, at % 2 === 0 ? 'audit' : 'board').catch(() => undefined);
          if (what === 'open') await attempt(actions.epoch(ahead(site.now, (n % 6) - 2)));
          if (what === 'withdraw' && periods.length > 0)
            await attempt(actions.withdrawEpoch(periods[n % periods.length]!));
          if (what === 'say') await site.says(patient, at + 1, n % 2 === 0 ? 'grant' : 'withdraw');
          if (what === 'wait') site.now = new Date(`${ahead(site.now, 1)}-05T00:00:00Z`);

          for (const [place, period] of [...site.records.epochs.keys()].entries()) {
            const answer = site.ask(period);
            if (typeof answer === 'string') {
              denied += /is over, since/.test(answer) ? 1 : 0;
              continue;
            }
            expect(place, `${period} after a later opened one`).toBeGreaterThanOrEqual(furthest);
            furthest = place;
            const text = JSON.stringify([...answer]);
            expect(text, `the decisions of ${period}`).toBe(meaning.get(period) ?? text);
            meaning.set(period, text);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
  expect(denied).toBeGreaterThan(20);
});
