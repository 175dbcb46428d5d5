import { beforeEach, describe, expect, it } from 'vitest';
import type { RefusalCode } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import { actions, ASKED, consentOf, ContractBench, hex, MEMBERS, type MemberName } from '../testing/world.ts';
import { readOrganisation, readQuery, readSession } from './readers.ts';

let bench: ContractBench;
beforeEach(async () => {
  bench = await ContractBench.found();
});

async function refused(who: MemberName, action: Action, code: RefusalCode): Promise<void> {
  const before = bench.state.dump();
  await expect(bench.do(who, action)).rejects.toMatchObject({ name: 'Refusal', code });
  expect(bench.state.dump()).toEqual(before);
}
const suspended = (organisation: string) => bench.do('audit', actions.suspend({ organisation }));

describe('a suspended member', () => {
  const attempts: Record<string, (who: MemberName) => Action> = {
    registerSchema: () => actions.schema(),
    registerOrganisation: () => actions.register('newcomer'),
    rotateKey: (who) => bench.rotation(who, Identity.generate()),
    revokeKey: (who) => actions.revoke(bench.world.members[who]),
    submitQuery: () => actions.submit(),
    suspend: () => actions.suspend({ organisation: 'west' }),
    recordConsent: () => consentOf(Identity.generate(), bench.consortium),
  };
  it.each(Object.entries(attempts))('does not %s', async (_name, attempt) => {
    await bench.do('board', actions.register('audit-2', ['auditor'], second));
    for (const who of MEMBERS.filter((name) => name !== 'board')) {
      const suspend = actions.suspend({ organisation: who });
      await bench.do({ organisation: 'audit-2', identity: second }, suspend);
      await refused(who, attempt(who), 'SUSPENDED');
    }
  });
  const second = Identity.generate();

  it('is shown as one, with who did it and why, until it is reinstated', async () => {
    await suspended('north');
    const suspension = { by: 'audit', reason: 'under inquiry' };
    expect((await readOrganisation(bench.state, 'north'))?.suspended).toEqual(suspension);
    await refused('audit', actions.suspend({ organisation: 'north' }, hex(50)), 'ALREADY_DONE');
    await bench.do('audit', actions.reinstate({ organisation: 'north' }));
    expect(await readOrganisation(bench.state, 'north')).not.toHaveProperty('suspended');
    await bench.do('north', actions.schema());
    await refused('audit', actions.reinstate({ organisation: 'north' }, hex(51)), 'STALE');
    await bench.do('audit', actions.suspend({ organisation: 'north' }, hex(52)));
    await refused('north', actions.schema(2), 'SUSPENDED');
  });

  it('is not asked, is in no roster, and neither asks nor is answered', async () => {
    await bench.do('board', actions.schema());
    await suspended('east');
    await refused('rita', actions.submit(), 'SUSPENDED');
    await bench.do('audit', actions.reinstate({ organisation: 'east' }));
    const query = (await bench.do('rita', actions.submit())).id;
    for (const each of ASKED) await bench.do(each as MemberName, actions.approve(query));
    await bench.do('audit', actions.suspend({ organisation: 'east' }, hex(60)));
    await refused('relay', actions.open(query), 'SUSPENDED');
    await bench.do('audit', actions.suspend({ organisation: 'rita' }));
    await refused('relay', actions.open(query, 0, ['north', 'south']), 'SUSPENDED');
    await bench.do('audit', actions.reinstate({ organisation: 'rita' }));
    const session = (await bench.do('relay', actions.open(query, 0, ['north', 'south']))).id;
    await bench.do('audit', actions.suspend({ organisation: 'rita' }, hex(61)));
    await refused('north', actions.commit(session), 'SUSPENDED');
    await bench.do('north', actions.abort(session, { reason: 'SUSPENDED' }));
    expect(await readQuery(bench.state, query)).toMatchObject({ status: 'submitted' });
  });

  it('is never the one who suspends, nor the last admin', async () => {
    await refused('audit', actions.suspend({ organisation: 'audit' }), 'POLICY');
    await suspended('board');
    await refused('audit', actions.suspend({ organisation: 'senate' }), 'POLICY');
    await refused('audit', actions.suspend({ organisation: 'nobody' }), 'UNKNOWN');
  });

  it('nor an admin whose only other has lost its keys', async () => {
    await bench.do('board', actions.revoke(bench.world.members.senate));
    await refused('audit', actions.suspend({ organisation: 'board' }), 'POLICY');
  });
});

describe('a suspended query', () => {
  it('takes no approval, session, commitment or receipt, and can be denied and ended', async () => {
    const query = await bench.submitted();
    const stop = actions.suspend({ query });
    await bench.do('audit', stop);
    expect((await readQuery(bench.state, query))?.suspended).toEqual({ by: 'audit', reason: 'under inquiry' });
    await refused('north', actions.approve(query), 'SUSPENDED');
    await bench.do('south', actions.deny(query));
    await bench.do('audit', actions.reinstate({ query }));
    for (const each of ['north', 'east'] as const) await bench.do(each, actions.approve(query));

    await bench.do('audit', actions.suspend({ query }, hex(70)));
    await refused('relay', actions.open(query, 0, ['east', 'north']), 'SUSPENDED');
    await bench.do('audit', actions.reinstate({ query }, hex(71)));
    const session = (await bench.do('relay', actions.open(query, 0, ['east', 'north']))).id;
    await bench.do('north', actions.commit(session));

    await bench.do('audit', actions.suspend({ query }, hex(72)));
    await refused('east', actions.commit(session), 'SUSPENDED');
    await bench.do('audit', actions.reinstate({ query }, hex(73)));
    await bench.do('east', actions.commit(session));

    await bench.do('audit', actions.suspend({ query }, hex(74)));
    await refused('rita', actions.receipt(session), 'SUSPENDED');
    await bench.do('relay', actions.abort(session, { reason: 'SUSPENDED' }));
    expect(await readSession(bench.state, session)).toMatchObject({ abort: { reason: 'SUSPENDED' } });
    await bench.do('rita', { type: 'closeQuery', query, reason: 'WITHDRAWN' });
    expect(await readQuery(bench.state, query)).toMatchObject({ status: 'failed', suspended: { by: 'audit' } });
  });

  it('must exist', () => refused('audit', actions.suspend({ query: hex(1) }), 'UNKNOWN'));
});
