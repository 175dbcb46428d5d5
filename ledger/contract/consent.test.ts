import { beforeEach, describe, expect, it } from 'vitest';
import { onGrid, type ConsentStatement } from '../../protocol/consent.ts';
import type { RefusalCode } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import { accessGrant, accessRevocation, actions, consentOf, ContractBench, hex } from '../testing/world.ts';
import { accessGranted, consentAt, consentsAt, effectiveEpoch, monthOf } from '../consent.ts';
import { readPatient } from './readers.ts';

let bench: ContractBench;
let patient: Identity;
beforeEach(async () => {
  bench = await ContractBench.found();
  patient = Identity.generate();
});

const consent = (change: Partial<ConsentStatement> = {}, by = patient) => consentOf(by, bench.consortium, change);
const record = (key = patient.publicKey) => readPatient(bench.state, key);
async function refused(action: Action, code: RefusalCode): Promise<void> {
  const before = bench.state.dump();
  await expect(bench.do('relay', action)).rejects.toMatchObject({ name: 'Refusal', code });
  expect(bench.state.dump()).toEqual(before);
}
const use = (epoch: string, change: Partial<{ dataset: string; purpose: string; hospital: string }> = {}) => ({
  ...{ dataset: 'heart', purpose: 'GRU', hospital: 'north', epoch },
  ...change,
});
const decision = async (...of: Parameters<typeof use>) => consentAt((await record())!.consents, use(...of));

describe('a patient’s statement', () => {
  it('is kept as it was signed, with nothing else of the patient', async () => {
    const action = consent();
    await bench.do('relay', action);
    expect(await record()).toEqual({
      patient: patient.publicKey,
      consents: [{ sequence: 1, decision: 'grant', dataset: 'heart', purposes: ['GRU'], hospitals: '*' }],
      accesses: [],
    });
    expect(await record(hex(5))).toBeUndefined();
  });

  const forgeries: Record<string, [RefusalCode, () => Action]> = {
    'bad-signature': ['BAD_SIGNATURE', () => ({ ...consent(), signature: hex(1, 64) })],
    'bad-changed-after-signing': [
      'BAD_SIGNATURE',
      () => ({ ...consent(), statement: { ...consent().statement, decision: 'withdraw' } }),
    ],
    'bad-signed-by-another-patient': [
      'BAD_SIGNATURE',
      () => consent({ patient: patient.publicKey }, Identity.generate()),
    ],
    'bad-access-signed-as-consent': [
      'BAD_SIGNATURE',
      () => ({ ...accessGrant(patient, bench.consortium), signature: consent().signature }),
    ],
    'bad-for-another-ledger': ['UNKNOWN', () => consent({ consortium: hex(77) })],
    'bad-unknown-hospital': ['UNKNOWN', () => consent({ hospitals: ['north', 'nowhere'] })],
    'bad-hospital-that-is-none': ['UNKNOWN', () => consent({ hospitals: ['rita'] })],
    'bad-access-at-a-hospital-that-is-none': [
      'UNKNOWN',
      () => accessGrant(patient, bench.consortium, { hospital: 'rita' }),
    ],
    'bad-access-for-another-ledger': ['UNKNOWN', () => accessGrant(patient, hex(77))],
  };
  it.each(Object.entries(forgeries))('%s', (_name, [code, make]) => refused(make(), code));

  it('is recorded once, whoever passes it on, and no older one after it', async () => {
    const [first, second] = [consent(), consent({ sequence: 2, decision: 'withdraw' })];
    await bench.do('north', second);
    await refused(second, 'ALREADY_DONE');
    await refused(first, 'STALE');
    await refused(consent({ sequence: 2, decision: 'grant' }), 'ALREADY_DONE');
    const access = accessGrant(patient, bench.consortium);
    await bench.do('north', access);
    await refused(access, 'ALREADY_DONE');
    await bench.do('rita', accessRevocation(patient, bench.consortium, 5));
    await refused(accessGrant(patient, bench.consortium, { sequence: 4 }), 'STALE');
  });

  it('touches no key of another patient', async () => {
    const other = Identity.generate();
    await bench.do('relay', consent());
    const before = new Set(bench.state.dump().map(({ key }) => key));
    await bench.do('relay', consent({}, other));
    const written = bench.state.dump().filter(({ key }) => !before.has(key));
    expect(
      written.filter(({ key }) => !key.startsWith('action/')).map(({ key }) => key.includes(other.publicKey)),
    ).toEqual([true, true]);
  });
});

describe('epochs', () => {
  it('go forward, each month once', async () => {
    await bench.do('audit', actions.epoch('2026-11'));
    await refusedBy('board', '2026-11', 'ALREADY_DONE');
    await refusedBy('audit', '2026-10', 'STALE');
    await bench.do('board', actions.epoch('2027-03'));
    await refusedBy('audit', '2026-12', 'STALE');
  });
  const refusedBy = (who: 'audit' | 'board', month: string, code: RefusalCode) =>
    expect(bench.do(who, actions.epoch(month))).rejects.toMatchObject({ name: 'Refusal', code });

  it('take up what was recorded before them, and nothing after', async () => {
    await bench.do('relay', consent());
    await bench.do('audit', actions.epoch('2026-11'));
    await bench.do('relay', consent({ sequence: 2, decision: 'withdraw' }));
    expect(await decision('2026-11')).toBe('grant');
    expect(await decision('2026-12')).toBe('withdraw');
    await bench.do('audit', actions.epoch('2026-12'));
    await bench.do('relay', consent({ sequence: 3 }));
    expect(await decision('2026-11'), 'an open epoch does not change').toBe('grant');
    expect(await decision('2026-12')).toBe('withdraw');
    expect(await decision('2027-01')).toBe('grant');
  });

  it('give the newest statement that covers dataset, purpose and hospital', async () => {
    await bench.do('relay', consent({ dataset: '*', purposes: '*' }));
    await bench.do('relay', consent({ sequence: 2, decision: 'withdraw', hospitals: ['south'] }));
    await bench.do('relay', consent({ sequence: 3, decision: 'withdraw', purposes: ['DS'] }));
    expect(await decision('2026-12')).toBe('grant');
    expect(await decision('2026-12', { hospital: 'south' })).toBe('withdraw');
    expect(await decision('2026-12', { purpose: 'DS' })).toBe('withdraw');
    expect(await decision('2026-12', { purpose: 'DS', dataset: 'lung' })).toBe('grant');
    await bench.do('relay', consent({ sequence: 4, decision: 'withdraw', dataset: '*', purposes: '*' }));
    for (const hospital of ['north', 'south']) expect(await decision('2026-12', { hospital })).toBe('withdraw');
  });

  it('of one who said nothing on the use there is no decision', async () => {
    await bench.do('relay', consent({ purposes: ['DS'] }));
    expect(await decision('2026-12')).toBeUndefined();
    expect(consentsAt([(await record())!], use('2026-12'))).toEqual(new Map());
  });

  it('move for a dataset in the months of its grid', () => {
    const months = ['2026-10', '2026-11', '2027-01', '2027-02', '2027-03'].map((period) => ({ period, by: 'audit' }));
    const of = (everyMonths?: 1 | 3 | 6 | 12, basis: 'opt-in' | 'opt-out' | 'none' = 'opt-out') =>
      effectiveEpoch(months, { consent: { basis, ...(everyMonths && { everyMonths }) } });
    expect([of(), of(1), of(3), of(6), of(12)]).toEqual(['2027-03', '2027-03', '2027-01', '2027-01', '2027-01']);
    expect(effectiveEpoch(months.slice(0, 2), { consent: { basis: 'opt-in', everyMonths: 12 } })).toBeUndefined();
    expect(of(1, 'none')).toBeUndefined();
    expect([1, 4, 7, 10].every((month) => onGrid(`2026-${String(month).padStart(2, '0')}`, 3))).toBe(true);
    expect(monthOf('2026-12-31T23:59:59.999Z')).toBe('2026-12');
  });
});

describe('access', () => {
  const at = (day: string) => new Date(`${day}T12:00:00Z`);
  const asked = (change: object = {}) => ({
    ...{ patient: patient.publicKey, doctor: hex(21), hospital: 'north', at: at('2026-12-31') },
    ...change,
  });
  async function granted(change: object = {}): Promise<boolean> {
    const records = new Map([[patient.publicKey, await record()]]);
    return accessGranted({ patient: (key) => records.get(key) }, asked(change));
  }

  it('lasts from the grant to the end of its last day', async () => {
    expect(await granted()).toBe(false);
    await bench.do('relay', accessGrant(patient, bench.consortium));
    expect(await granted()).toBe(true);
    expect(await granted({ at: new Date('2026-12-31T23:59:59.999Z') })).toBe(true);
    expect(await granted({ at: at('2027-01-01') })).toBe(false);
  });

  it('is for this doctor at this hospital alone', async () => {
    await bench.do('relay', accessGrant(patient, bench.consortium));
    expect(await granted({ doctor: hex(22) })).toBe(false);
    expect(await granted({ hospital: 'south' })).toBe(false);
    expect(await granted({ patient: hex(23) })).toBe(false);
  });

  it('ends with its revocation, and comes back with a later grant', async () => {
    await bench.do('relay', accessGrant(patient, bench.consortium));
    await bench.do('relay', accessRevocation(patient, bench.consortium));
    expect(await granted()).toBe(false);
    await bench.do('relay', accessGrant(patient, bench.consortium, { sequence: 3, until: '2027-06-30' }));
    expect(await granted({ at: at('2027-06-30') })).toBe(true);
  });
});
