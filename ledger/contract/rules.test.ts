import { beforeEach, describe, expect, it } from 'vitest';
import type { RefusalCode } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import type { AbortReason, Action } from '../../protocol/ledger.ts';
import { rotation } from '../sign.ts';
import { readOrganisation, readOrganisations, readQuery, readSchemas, readSession } from './readers.ts';
import { actions, ASKED, ContractBench, hex, organisation, schema, type MemberName } from '../testing/world.ts';

let bench: ContractBench;
beforeEach(async () => {
  bench = await ContractBench.found();
});

async function refused(who: MemberName, action: Action, code: RefusalCode, message?: RegExp): Promise<void> {
  const before = bench.state.dump();
  const refusal: unknown = await bench.do(who, action).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'Refusal', code });
  if (message !== undefined) expect((refusal as Error).message).toMatch(message);
  expect(bench.state.dump()).toEqual(before);
}

const statusOf = async (query: string) => (await readQuery(bench.state, query))?.status;

describe('members and schemas', () => {
  it('lists an organisation with its keys, oldest first', async () => {
    const [next, later] = [Identity.generate(), Identity.generate()];
    await bench.do('north', bench.rotation('north', next));
    const second = { organisation: 'north', identity: next };

    await bench.do(second, rotation(bench.consortium, 'north', later));
    expect((await readOrganisation(bench.state, 'north'))?.keys).toEqual([
      { publicKey: bench.world.members.north.identity.publicKey, status: 'revoked' },
      { publicKey: next.publicKey, status: 'revoked' },
      { publicKey: later.publicKey, status: 'active' },
    ]);
    expect(await readOrganisations(bench.state)).toHaveLength(10);
    expect(await readOrganisation(bench.state, 'nobody')).toBeUndefined();
  });
  it('keeps the MSP of those that name one', async () => {
    const newcomer = { ...organisation('far', ['hospital'], Identity.generate()), msp: 'FarMSP' };
    await bench.do('board', { type: 'registerOrganisation', organisation: newcomer });
    expect(await readOrganisation(bench.state, 'far')).toMatchObject({ id: 'far', msp: 'FarMSP' });
    expect(await readOrganisation(bench.state, 'north')).not.toHaveProperty('msp');
  });
  it('registers no name and no key twice', async () => {
    await refused('board', actions.register('north'), 'ALREADY_DONE');
    await refused('board', actions.register('new', ['hospital'], bench.world.members.rita.identity), 'ALREADY_DONE');
  });
  it('takes schema versions in order', async () => {
    await refused('board', actions.schema(2), 'STALE');
    await bench.do('board', actions.schema(1));
    await refused('north', actions.schema(1), 'ALREADY_DONE');
    await refused('north', actions.schema(3), 'STALE');
    await bench.do('north', actions.schema(2));
    expect(await readSchemas(bench.state, 'heart')).toEqual([schema(1), schema(2)]);
  });
});

describe('queries', () => {
  const bad: Record<string, [Parameters<typeof actions.submit>[0], RefusalCode, RegExp]> = {
    'bad-hospitals-unsorted': [{ hospitals: ['north', 'east'] }, 'POLICY', /sorted/],
    'bad-hospital-twice': [{ hospitals: ['north', 'north'] }, 'POLICY', /once/],
    'bad-hospital-unknown': [{ hospitals: ['nobody', 'north'] }, 'UNKNOWN', /not registered/],
    'bad-hospital-is-a-researcher': [{ hospitals: ['north', 'rita'] }, 'UNKNOWN', /not registered/],
    'bad-more-hospitals-required-than-asked': [{ minimumHospitals: 4 }, 'POLICY', /more than the 3 asked/],
    'bad-under-the-floor': [{ minimumHospitals: 2 }, 'POLICY', /release.minimumHospitals 2 is under .* floor of 3/],
    'bad-dataset-unknown': [{ query: { ...actions.submit().query, dataset: 'lung@1' } }, 'UNKNOWN', /dataset/],
    'bad-version-unknown': [{ query: { ...actions.submit().query, dataset: 'heart@2' } }, 'UNKNOWN', /dataset/],
  };
  it.each(Object.entries(bad))('%s', async (_name, [change, code, message]) => {
    await bench.do('board', actions.schema(1, 3));
    await refused('rita', actions.submit({ minimumHospitals: 3, ...change }), code, message);
  });

  it('refuses a release rule under the dataset’s floor, by its name', async () => {
    const release = { minimumCell: 11, insiderRule: 2, zeroCells: 'withhold' as const, dominance: { percent: 20 } };
    await bench.do('board', { type: 'registerSchema', schema: { ...schema(), release } });
    const { query } = actions.submit();
    let asked = query.release;
    for (const [parameter, value] of Object.entries(release)) {
      const refusal = new RegExp(`release.${parameter} .* is under the dataset's floor`);
      await refused('rita', actions.submit({ query: { ...query, release: asked } }), 'POLICY', refusal);
      asked = { ...asked, [parameter]: value };
    }
    await bench.do('rita', actions.submit({ query: { ...query, release: asked } }));
  });

  it('refuses what not every reader could take in', async () => {
    await bench.do('board', actions.schema());
    const { query } = actions.submit();
    let cohort: NonNullable<typeof query.cohort> = { column: 'age', gte: 1 };
    for (let depth = 0; depth < 100; depth++) cohort = { not: cohort };
    await refused('rita', actions.submit({ query: { ...query, cohort } }), 'TOO_LARGE', /nests deeper/);
    const any = Array.from({ length: 60 }, () => ({ column: 'age', in: Array.from({ length: 1000 }, () => 1e20) }));
    await refused('rita', actions.submit({ query: { ...query, cohort: { any } } }), 'TOO_LARGE', /bytes/);
  });

  it('two submissions are two queries, one submission is one', async () => {
    const first = await bench.submitted();
    const { id } = await bench.do('rita', actions.submit({ nonce: hex(2) }));
    expect(id).not.toBe(first);
    await refused('rita', actions.submit(), 'ALREADY_DONE');
  });

  it('keeps every decision, once per hospital', async () => {
    const query = await bench.submitted();
    await bench.do('north', actions.approve(query));
    await refused('north', actions.deny(query), 'ALREADY_DONE');
    await bench.do('east', actions.deny(query, 'ethics board'));
    await refused('east', actions.approve(query), 'ALREADY_DONE');
    expect((await readQuery(bench.state, query))?.decisions).toEqual([
      { hospital: 'east', decision: 'denied', reason: 'ethics board' },
      { hospital: 'north', decision: 'approved' },
    ]);
    expect(await statusOf(query)).toBe('submitted');
  });

  it('is denied when too few hospitals are left, and then over', async () => {
    const query = await bench.submitted();
    await bench.do('east', actions.deny(query));
    await bench.do('north', actions.deny(query));
    expect(await statusOf(query)).toBe('denied');
    await refused('south', actions.approve(query), 'STALE');
    await refused('relay', actions.open(query), 'STALE');
  });

  it('refuses decisions on unknown queries', async () => {
    await refused('north', actions.approve(hex(1)), 'UNKNOWN');
    await refused('north', actions.deny(hex(1)), 'UNKNOWN');
  });
});

describe('sessions', () => {
  it('opens with approved hospitals only, sorted, enough of them', async () => {
    const query = await bench.submitted();
    await bench.do('north', actions.approve(query));
    await bench.do('east', actions.approve(query));
    await refused('relay', actions.open(query), 'NOT_APPROVED');
    await refused('relay', actions.open(query, 0, ['north', 'east']), 'POLICY', /sorted/);
    await refused('relay', actions.open(query, 0, ['east']), 'POLICY', /roster of 1/);
    await refused('relay', actions.open(query, 0, ['east', 'west']), 'NOT_APPROVED');
    await refused('relay', actions.open(query, 1, ['east', 'north']), 'STALE', /attempt/);
    await bench.do('relay', actions.open(query, 0, ['east', 'north']));
    expect(await statusOf(query)).toBe('running');
    await refused('relay', actions.open(query, 1, ['east', 'north']), 'STALE', /open/);
  });

  it('takes rosters that shrink, never one that grows again', async () => {
    const { query, session } = await bench.opened();
    await bench.do('relay', actions.abort(session));
    const { id } = await bench.do('relay', actions.open(query, 1, ['east', 'north']));
    await bench.do('relay', actions.abort(id));
    await refused('relay', actions.open(query, 2, ASKED), 'POLICY', /subset/);
    await refused('relay', actions.open(query, 2, ['east', 'south']), 'POLICY', /subset/);
    await bench.do('relay', actions.open(query, 2, ['east', 'north']));
    expect((await readQuery(bench.state, query))?.sessions).toHaveLength(3);
  });

  it('goes through its steps in order to a final receipt', async () => {
    const { query, session } = await bench.opened();
    await refused('north', actions.commit(session, 1), 'STALE');
    await refused('north', actions.commit(session, 2), 'POLICY');
    await bench.do('north', actions.commit(session));
    await refused('north', actions.commit(session, 0, hex(10)), 'ALREADY_DONE');
    await refused('rita', actions.receipt(session), 'STALE');
    for (const each of ['south', 'east'] as const) await bench.do(each, actions.commit(session));
    await bench.do('rita', actions.receipt(session, 0, false));
    await refused('rita', actions.receipt(session, 0, true, hex(12)), 'ALREADY_DONE');
    for (const each of ['north', 'south', 'east'] as const) await bench.do(each, actions.commit(session, 1));
    await refused('rita', actions.receipt(session, 1, false), 'STALE', /final/);
    await bench.do('rita', actions.receipt(session, 1));
    expect(await statusOf(query)).toBe('completed');
    const record = await readSession(bench.state, session);
    expect(record).toMatchObject({ status: 'completed', receipts: [hex(11), hex(11)], roster: ASKED });
    expect({ ...record?.commitments[1] }).toEqual({ east: hex(9), north: hex(9), south: hex(9) });
    await refused('relay', actions.open(query, 1), 'ALREADY_DONE');
    await refused('relay', actions.abort(session), 'STALE');
  });

  it('refuses unknown sessions', async () => {
    await refused('north', actions.commit(hex(1)), 'UNKNOWN');
    await refused('rita', actions.receipt(hex(1)), 'UNKNOWN');
    await refused('relay', actions.abort(hex(1)), 'UNKNOWN');
  });
});

describe('aborts', () => {
  const outcomes: [AbortReason, Partial<Parameters<typeof actions.abort>[1]>, number, string][] = [
    ['DROP_OUT', {}, 2, 'submitted'],
    ['DROP_OUT', { blame: 'north' }, 3, 'submitted'],
    ['DEADLINE', {}, 3, 'submitted'],
    ['INTERNAL', {}, 3, 'submitted'],
    ['ROSTER_MISMATCH', {}, 3, 'submitted'],
    ['DATA', {}, 3, 'submitted'],
    ['DATA', { blame: 'north' }, 2, 'submitted'],
    ['DATA', { blame: 'north' }, 3, 'failed'],
    ['EQUIVOCATION', {}, 2, 'failed'],
    ['SEED_MISMATCH', {}, 2, 'failed'],
    ['FORGED_FRAME', {}, 2, 'failed'],
    ['FORGED_HELLO', {}, 2, 'failed'],
    ['FORGED_SHARE', {}, 2, 'failed'],
    ['VERIFICATION_FAILED', {}, 2, 'failed'],
    ['BLAME_REFUSED', {}, 2, 'failed'],
  ];
  it.each(outcomes)('%s %j with at least %i hospitals: the query is %4$s', async (reason, rest, minimum, status) => {
    const { query, session } = await bench.opened({ minimumHospitals: minimum });
    await bench.do('relay', actions.abort(session, { reason, ...rest }));
    expect(await statusOf(query)).toBe(status);
    expect((await readSession(bench.state, session))?.abort).toEqual({ by: 'relay', reason, ...rest });
    await refused('north', actions.commit(session), 'STALE');
    await refused('north', actions.abort(session), 'ALREADY_DONE');
    if (status === 'failed') await refused('relay', actions.open(query, 1), 'STALE');
  });

  it('blames nobody outside the roster', async () => {
    const { session } = await bench.opened();
    await refused('relay', actions.abort(session, { blame: 'west' }), 'POLICY');
  });

  it('takes blame and evidence once more from the researcher, and from nobody else', async () => {
    const { query, session } = await bench.opened();
    const late = { reason: 'VERIFICATION_FAILED', blame: 'south', evidence: hex(5) } as const;
    await bench.do('relay', actions.abort(session));
    await refused('north', actions.abort(session, late), 'ALREADY_DONE');
    await refused('rita', actions.abort(session, { reason: 'VERIFICATION_FAILED', blame: 'south' }), 'ALREADY_DONE');
    await bench.do('rita', actions.abort(session, late));
    expect((await readSession(bench.state, session))?.abort).toEqual({ by: 'rita', ...late });
    expect(await statusOf(query)).toBe('failed');
    await refused('rita', actions.abort(session, { ...late, blame: 'north' }), 'ALREADY_DONE');
  });

  it('leaves a session that opened since alone', async () => {
    const { query, session } = await bench.opened();
    await bench.do('relay', actions.abort(session));
    await bench.do('relay', actions.open(query, 1));
    await bench.do('rita', actions.abort(session, { reason: 'EQUIVOCATION', blame: 'south', evidence: hex(5) }));
    expect(await statusOf(query)).toBe('running');
  });
});
