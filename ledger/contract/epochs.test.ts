import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { EVERY_MONTHS, onGrid, type ConsentEpoch } from '../../protocol/consent.ts';
import type { RefusalCode } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import { consentAt, effectiveEpoch } from '../consent.ts';
import { Records } from '../records.ts';
import { actions, consentOf, ContractBench, hex, ruledSchema } from '../testing/world.ts';
import { newestEpoch } from './epochs.ts';
import { readPatient } from './readers.ts';

let bench: ContractBench;
let records: Records;
const patient = Identity.generate();

beforeEach(async () => {
  bench = await ContractBench.found();
  records = new Records();
});

async function does(who: 'audit' | 'board' | 'relay' | 'rita', action: Action): Promise<void> {
  const { events } = await bench.do(who, action);
  (await records.read(bench.state, events))();
}
async function refused(action: Action, code: RefusalCode, by: 'audit' | 'board' = 'audit'): Promise<void> {
  const before = bench.state.dump();
  await expect(bench.do(by, action)).rejects.toMatchObject({ name: 'Refusal', code });
  expect(bench.state.dump()).toEqual(before);
}
const says = (sequence: number, decision: 'grant' | 'withdraw' = 'grant'): Promise<void> =>
  does('relay', consentOf(patient, bench.consortium, { sequence, decision }));
const use = (epoch: string) => ({ dataset: 'heart', purpose: 'GRU', hospital: 'north', epoch });
const epochs = (): readonly ConsentEpoch[] => [...records.epochs.values()];
const decisionAt = (epoch: string) => consentAt(records.patients.get(patient.publicKey)?.consents ?? [], use(epoch));

describe('an epoch opened for a month far ahead', () => {
  beforeEach(async () => {
    await does('audit', actions.epoch('2026-10'));
    await says(1);
    await does('audit', actions.epoch('2099-01'));
    await says(2, 'withdraw');
    await refused(actions.epoch('2026-11'), 'STALE');
  });

  it('is withdrawn, and months before it are opened as before', async () => {
    await does('board', actions.withdrawEpoch('2099-01'));
    expect(epochs()).toEqual([
      { period: '2026-10', by: 'audit' },
      { period: '2099-01', by: 'audit', withdrawn: { by: 'board', reason: 'opened by mistake' } },
    ]);
    expect(effectiveEpoch(epochs(), ruledSchema())).toBe('2026-10');
    await does('audit', actions.epoch('2026-11'));
    expect(effectiveEpoch(epochs(), ruledSchema())).toBe('2026-11');
  });

  it('takes no statement along: what was said meanwhile counts from the next epoch on', async () => {
    expect(decisionAt('2026-11'), 'in vain for 73 years').toBe('grant');
    await does('audit', actions.withdrawEpoch('2099-01'));
    await does('audit', actions.epoch('2026-11'));
    expect(decisionAt('2026-10')).toBeUndefined();
    expect(decisionAt('2026-11')).toBe('withdraw');
    expect(records.patients.get(patient.publicKey)).toEqual(await readPatient(bench.state, patient.publicKey));
  });

  it('lets queries name the epoch before it again, and itself no more', async () => {
    await does('board', { type: 'registerSchema', schema: ruledSchema() });
    const ask = (consentEpoch: string): Action => actions.submit({ consentEpoch, nonce: hex(3) });
    await expect(bench.do('rita', ask('2026-10'))).rejects.toMatchObject({ code: 'POLICY' });
    await does('audit', actions.withdrawEpoch('2099-01'));
    await expect(bench.do('rita', ask('2099-01'))).rejects.toMatchObject({ code: 'POLICY' });
    await does('rita', ask('2026-10'));
  });

  it('is withdrawn once, and never opened again', async () => {
    await refused(actions.withdrawEpoch('2026-10'), 'STALE');
    await refused(actions.withdrawEpoch('2026-12'), 'UNKNOWN');
    await does('audit', actions.withdrawEpoch('2099-01'));
    await refused(actions.withdrawEpoch('2099-01', 'once more'), 'ALREADY_DONE');
    await refused(actions.epoch('2099-01'), 'STALE', 'board');
    await does('audit', actions.epoch('2099-02'));
    await refused(actions.epoch('2099-01'), 'STALE', 'board');
  });

  it('is withdrawn after those that were opened by mistake after it', async () => {
    await does('audit', actions.epoch('2100-01'));
    await says(3);
    await refused(actions.withdrawEpoch('2099-01'), 'STALE');
    for (const period of ['2100-01', '2099-01']) await does('audit', actions.withdrawEpoch(period));
    expect(records.patients.get(patient.publicKey)?.consents.map(({ epoch }) => epoch)).toEqual(
      Array(3).fill('2026-10'),
    );
    expect(await newestEpoch(bench.state, 1)).toBe('2026-10');
  });
});

it('the first epoch can be withdrawn too: then none is open', async () => {
  await does('audit', actions.epoch('2099-01'));
  await says(1);
  await does('audit', actions.withdrawEpoch('2099-01'));
  for (const every of EVERY_MONTHS) expect(await newestEpoch(bench.state, every)).toBeUndefined();
  expect(records.patients.get(patient.publicKey)?.consents[0]).not.toHaveProperty('epoch');
  await does('audit', actions.epoch('2026-10'));
  expect(decisionAt('2026-10')).toBe('grant');
});

it('belongs on the public ledger where there are two', async () => {
  const { makeWorld } = await import('../testing/world.ts');
  bench = await ContractBench.found(makeWorld('consortium'));
  await expect(bench.do('audit', actions.withdrawEpoch('2026-10'))).rejects.toMatchObject({ code: 'POLICY' });
});

const MONTHS = ['2026-01', '2026-04', '2026-07', '2026-09', '2026-10', '2027-01', '2099-01'];

it('whatever is opened, withdrawn and said, an epoch that stands keeps its decisions, and heads are the newest that stand', async () => {
  let withdrawals = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('say', 'open', 'withdraw'), fc.nat({ max: 30 })), {
        minLength: 8,
        maxLength: 30,
      }),
      async (steps) => {
        bench = await ContractBench.found();
        records = new Records();
        const decided = new Map<string, unknown>();
        for (const [at, [what, n]] of steps.entries()) {
          const stands = epochs().filter(({ withdrawn }) => withdrawn === undefined);
          if (what === 'say') await says(at + 1, n % 2 === 0 ? 'grant' : 'withdraw');
          if (what === 'open') {
            const period = MONTHS[n % MONTHS.length]!;
            const opened = await does(n % 2 === 0 ? 'audit' : 'board', actions.epoch(period)).then(
              () => true,
              () => false,
            );
            const next =
              period > (stands.at(-1)?.period ?? '') &&
              !epochs().some((each) => each.period === period && each.withdrawn);
            expect(opened).toBe(next);
            if (opened) decided.set(period, decisionAt(period));
          }
          if (what === 'withdraw' && stands.length > 0) {
            await does('audit', actions.withdrawEpoch(stands.at(-1)!.period));
            withdrawals++;
          }
          const standing = epochs()
            .filter(({ withdrawn }) => withdrawn === undefined)
            .map(({ period }) => period);
          expect(standing).toEqual([...standing].sort());
          for (const period of standing) expect(decisionAt(period)).toEqual(decided.get(period));
          for (const every of EVERY_MONTHS)
            expect(await newestEpoch(bench.state, every)).toBe(standing.findLast((each) => onGrid(each, every)));
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(withdrawals).toBeGreaterThan(100);
});
