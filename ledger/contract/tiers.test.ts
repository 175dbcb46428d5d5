import { describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import type { Action, Tier } from '../../protocol/ledger.ts';
import { publicationHolds } from '../publications.ts';
import { accessGrant, actions, consentOf, ContractBench, hex, makeWorld, type MemberName } from '../testing/world.ts';
import { readPublications, readQuery, readSession } from './readers.ts';

const found = (tier: Tier) => ContractBench.found(makeWorld(tier));
const patient = Identity.generate();

/** What belongs on one of two ledgers, by someone who may do it there. */
const OF_PUBLIC: readonly [MemberName, (bench: ContractBench) => Action][] = [
  ['relay', (bench) => consentOf(patient, bench.consortium)],
  ['relay', (bench) => accessGrant(patient, bench.consortium)],
  ['audit', () => actions.epoch('2026-12')],
  ['rita', () => actions.publish(hex(8), hex(9))],
];
const OF_CONSORTIUM: readonly [MemberName, Action][] = [
  ['board', actions.schema()],
  ['rita', actions.submit()],
  ['north', actions.approve(hex(1))],
  ['north', actions.deny(hex(1))],
  ['relay', { type: 'closeQuery', query: hex(1), reason: 'TOO_FEW_HOSPITALS' }],
  ['relay', actions.open(hex(1))],
  ['north', actions.commit(hex(1))],
  ['rita', actions.receipt(hex(1))],
  ['north', actions.abort(hex(1))],
];

describe('a consortium with a ledger for each tier', () => {
  it.each(OF_PUBLIC)('records on the public one what %s says for all', async (who, make) => {
    const open = await found('public');
    await open.do(who, make(open));
    const closed = await found('consortium');
    await expect(closed.do(who, make(closed))).rejects.toMatchObject({ name: 'Refusal', code: 'POLICY' });
  });

  it.each(OF_CONSORTIUM)('takes nothing of a query on the public one: %s %o', async (who, action) => {
    const open = await found('public');
    await expect(open.do(who, action)).rejects.toMatchObject({ name: 'Refusal', code: 'POLICY' });
    const closed = await found('consortium');
    const [outcome] = await Promise.allSettled([closed.do(who, action)]);
    const code = outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'UNKNOWN';
    expect(code, 'nothing of the kind is there yet').toBe('UNKNOWN');
  });

  it('keeps members and suspends them on both', async () => {
    for (const tier of ['public', 'consortium'] as const) {
      const bench = await found(tier);
      await bench.do('board', actions.register('newcomer'));
      await bench.do('south', bench.rotation('south', Identity.generate()));
      await bench.do('board', actions.revoke(bench.world.members.east));
      await bench.do('audit', actions.suspend({ organisation: 'north' }));
      await bench.do('audit', actions.reinstate({ organisation: 'north' }));
    }
  });
});

describe('a published result', () => {
  it('is of the query’s researcher, with the last receipt of a completed session', async () => {
    const bench = await ContractBench.found();
    const { session, query } = await bench.opened();
    const publish = (title = 'Ages') => ({ ...actions.publish(bench.consortium, session), title }) as Action;
    const refused = (who: MemberName, action: Action, code: string) =>
      expect(bench.do(who, action)).rejects.toMatchObject({ name: 'Refusal', code });
    await refused('rita', publish(), 'STALE');
    for (const each of ['north', 'south', 'east'] as const) await bench.do(each, actions.commit(session));
    await bench.do('rita', actions.receipt(session));
    await refused('rob', publish(), 'NOT_AUTHORIZED');
    await refused('rita', actions.publish(hex(1), session), 'UNKNOWN');
    await refused('rita', actions.publish(bench.consortium, hex(1)), 'UNKNOWN');
    await refused('rita', actions.publish(bench.consortium, session, hex(12)), 'POLICY');
    await bench.do('rita', publish());
    await refused('rita', publish('Once more'), 'ALREADY_DONE');
    const [publication, ...others] = await readPublications(bench.state, session);
    expect(others).toEqual([]);
    const record = { session: await readSession(bench.state, session), query: await readQuery(bench.state, query) };
    const view = { consortium: bench.consortium, session: () => record.session, query: () => record.query };
    expect(publicationHolds(publication!, view)).toBe(true);
    for (const change of [{ ledger: hex(1) }, { receipt: hex(1) }, { researcher: 'rob' }]) {
      expect(publicationHolds({ ...publication!, ...change }, view)).toBe(false);
    }
    expect(publicationHolds(publication!, { ...view, session: () => undefined })).toBe(false);
  });

  it('on the public ledger takes nobody else’s place', async () => {
    const bench = await found('public');
    await bench.do('rob', actions.publish(hex(8), hex(9)));
    await bench.do('rita', actions.publish(hex(8), hex(9)));
    const published = await readPublications(bench.state, hex(9));
    expect(published.map(({ researcher }) => researcher)).toEqual(['rita', 'rob']);
  });
});
