import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { canonicalText } from '../../protocol/canonical.ts';
import type { Action, SignedAction } from '../../protocol/ledger.ts';
import { actions, ASKED, hex, type MemberName } from '../testing/world.ts';
import { Authority, type IdentityFiles } from './testing/authority.ts';
import type { NetworkDescription } from './network/index.ts';
import { fabric, openChannel, PATIENCE } from './testing/network.ts';
import { publishRevocations } from './testing/revocation.ts';
import { Submitter, type SubmitOutcome } from './testing/submitter.ts';
import { channelWorld, ORGANISATION, signAs } from './testing/world.ts';

/** The chaincode on a real network: what its peers, its channel and it itself refuse. */
describe.skipIf(fabric === undefined)('chaincode on a network', { timeout: PATIENCE }, () => {
  const world = channelWorld();
  const submitters = new Map<string, Submitter>();
  let network: NetworkDescription;
  let consortium: string;

  beforeAll(async () => {
    network = await openChannel('chaincode');
    await answers(at('office').apply(world.founding));
    consortium = (JSON.parse(await answers(at('north').evaluate('consortium'))) as { id: string }).id;
    await does('board', actions.schema());
  }, PATIENCE);
  afterAll(() => submitters.forEach((each) => each.close()));

  function at(organisation: string): Submitter {
    const known = submitters.get(organisation) ?? new Submitter(network, organisation);
    submitters.set(organisation, known);
    return known;
  }
  const as = (who: MemberName): Submitter => at(ORGANISATION[who]);
  const sign = (who: MemberName, action: Action): SignedAction => signAs(world, consortium, who, action);
  async function answers(outcome: Promise<SubmitOutcome>): Promise<string> {
    const settled = await outcome;
    expect(settled).toHaveProperty('answer');
    return (settled as { answer: string }).answer;
  }
  const does = async (who: MemberName, action: Action): Promise<string> =>
    (JSON.parse(await answers(as(who).apply(sign(who, action)))) as { id: string }).id;
  let queries = 0;
  async function submitted(): Promise<string> {
    const query = await does('rita', actions.submit({ nonce: (++queries).toString(16).padStart(64, '0') }));
    await decided(query, 0);
    return query;
  }
  async function approved(): Promise<string> {
    const query = await submitted();
    await Promise.all((ASKED as MemberName[]).map((hospital) => does(hospital, actions.approve(query))));
    await decided(query, 3);
    return query;
  }
  const record = async (kind: string, id: string, organisation = 'authority'): Promise<unknown> => {
    const text = await answers(at(organisation).evaluate('read', kind, id));
    return text === '' ? undefined : JSON.parse(text);
  };
  const decisions = async (query: string, organisation?: string): Promise<readonly unknown[] | undefined> =>
    ((await record('query', query, organisation)) as { decisions: readonly unknown[] } | undefined)?.decisions;
  /** Every member's peer knows of so many decisions: a submit waits for the submitter's own peer alone. */
  async function decided(query: string, count: number): Promise<void> {
    for (const { name } of network.organisations) {
      await expect.poll(() => decisions(query, name), { timeout: 60_000 }).toHaveLength(count);
    }
  }
  async function sees(kind: string, id: string, match: object): Promise<void> {
    for (const { name } of network.organisations) {
      await expect.poll(() => record(kind, id, name), { timeout: 60_000 }).toMatchObject(match);
    }
  }
  async function withIdentity(
    organisation: string,
    identity: IdentityFiles,
    signed: SignedAction,
  ): Promise<SubmitOutcome> {
    const submitter = new Submitter(network, organisation, identity);
    return submitter.apply(signed).finally(() => submitter.close());
  }
  const refused = (code: string, kind = 'Refusal') => ({ error: { kind, code } });

  describe('refuses', () => {
    it('an identity of another member than the action’s', async () => {
      const query = await submitted();
      expect(await at('south').apply(sign('north', actions.approve(query)))).toMatchObject(refused('NOT_AUTHORIZED'));
      expect(await at('office').apply(sign('north', actions.approve(query)))).toMatchObject(refused('NOT_AUTHORIZED'));
      expect(await decisions(query)).toEqual([]);
    });
    it('a hospital that decides, commits, or registers for another', async () => {
      const query = await submitted();
      const forged = { ...sign('north', actions.approve(query)), caller: sign('south', actions.approve(query)).caller };
      expect(await at('north').apply(forged)).toMatchObject(refused('NOT_AUTHORIZED'));
      expect(await at('south').apply(forged)).toMatchObject(refused('BAD_SIGNATURE'));
      expect(await at('north').apply(sign('north', actions.register('lakeside')))).toHaveProperty('error');
      expect(await decisions(query)).toEqual([]);
    });
    it('a forged signature', async () => {
      const signed = sign('board', actions.schema(2));
      const signature = signed.signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
      expect(await at('office').apply({ ...signed, signature })).toMatchObject(refused('BAD_SIGNATURE'));
    });
    it('a replayed action', async () => {
      const query = await submitted();
      const approval = sign('north', actions.approve(query));
      await answers(at('north').apply(approval));
      expect(await at('north').apply(approval)).toMatchObject(refused('ALREADY_DONE'));
      await decided(query, 1);
    });
    it('an action for another consortium', async () => {
      const foreign = signAs(world, 'f'.repeat(64), 'board', actions.schema(2));
      expect(await at('office').apply(foreign)).toMatchObject(refused('UNKNOWN'));
    });
    it('a second founding', async () => {
      expect(await at('office').apply(world.founding)).toMatchObject(refused('ALREADY_DONE'));
    });
    it('a certificate that names another organisation', async () => {
      const authority = Authority.of(network, 'office');
      const [rita, board] = [authority.issue({ attribute: 'rita' }), authority.issue({ attribute: 'board' })];
      const schema = sign('board', actions.schema(2));
      expect(await withIdentity('office', rita, schema)).toMatchObject(refused('NOT_AUTHORIZED'));
      expect(await withIdentity('office', board, schema)).toHaveProperty('answer');
    });
    it('an expired certificate', async () => {
      const expired = Authority.of(network, 'north').issue({ from: -120, until: -60 });
      const query = await submitted();
      const outcome = await withIdentity('north', expired, sign('north', actions.approve(query)));
      expect(outcome).toMatchObject({ rejected: expect.stringMatching(/identity expired/) as string });
      expect(await decisions(query)).toEqual([]);
    });
    it('a certificate of an authority that the channel does not know', async () => {
      const stranger = Authority.stranger(join(inject('fabricFolder'), 'shared', 'stranger')).issue();
      const query = await submitted();
      const outcome = await withIdentity('north', stranger, sign('north', actions.approve(query)));
      expect(outcome).toMatchObject({ rejected: expect.stringMatching(/access denied|creator/) as string });
      expect(await decisions(query)).toEqual([]);
    });
    it('a revoked certificate, from the moment the channel has the revocation', async () => {
      const authority = Authority.of(network, 'south');
      const lost = authority.issue();
      const [before, after] = [await submitted(), await submitted()];
      expect(await withIdentity('south', lost, sign('south', actions.approve(before)))).toHaveProperty('answer');
      await publishRevocations(fabric!, network, 'south', authority.revoke(lost));
      const approval = sign('south', actions.approve(after));
      await expect
        .poll(() => new Submitter(network, 'south', lost).evaluate('consortium'), { timeout: 60_000 })
        .toMatchObject({ rejected: expect.stringMatching(/access denied|revoked|creator/) as string });
      expect(await withIdentity('south', lost, approval)).toHaveProperty('rejected');
      expect(await decisions(after)).toEqual([]);
      await answers(at('south').apply(approval));
    });
    it('an oversized argument', async () => {
      const padded = canonicalText(sign('board', actions.schema(3))) + ' '.repeat(16 << 20);
      expect(await at('office').submit('apply', padded)).toMatchObject(refused('TOO_LARGE'));
    });
    it.each([
      ['nothing', []],
      ['text that is no JSON', ['{']],
      ['an unknown action', ['{"action":{"type":"shred"}}']],
      ['bytes that are no text', [new Uint8Array([0xff, 0xfe])]],
      ['two actions', ['{}', '{}']],
    ])('%s as an argument', async (_name, args: readonly (string | Uint8Array)[]) => {
      expect(await at('office').submit('apply', ...args)).toMatchObject(refused('MALFORMED', 'Misuse'));
    });
    it('white space in an action', async () => {
      const text = canonicalText(sign('board', actions.schema(3)));
      expect(await at('office').submit('apply', `${text} `)).toMatchObject(refused('NOT_CANONICAL', 'Misuse'));
    });
    it('a function it does not have', async () => {
      expect(await at('office').submit('destroy')).toMatchObject(refused('MALFORMED', 'Misuse'));
    });
  });

  describe('counts once', () => {
    const statusOf = async (submitter: Submitter, signed: SignedAction, endorsers?: readonly string[]) => {
      const transaction = await submitter.propose(signed, endorsers).endorse();
      return async () => (await (await transaction.submit()).getStatus()).code;
    };
    it('two sessions of one query that were endorsed side by side', async () => {
      const query = await approved();
      const rosters = [ASKED, ['east', 'north']];
      const submits = await Promise.all(
        rosters.map((roster, i) =>
          statusOf(
            i === 0 ? at('office') : new Submitter(network, 'office'),
            sign('relay', actions.open(query, 0, roster)),
          ),
        ),
      );
      const codes = await Promise.all(submits.map((submit) => submit()));
      // 0: valid; 11: MVCC_READ_CONFLICT.
      expect(codes.sort((a, b) => a - b)).toEqual([0, 11]);
      expect(await record('query', query, 'office')).toMatchObject({ sessions: [expect.any(String)] });
    });
    it('one approval that was endorsed twice', async () => {
      const query = await submitted();
      const approval = sign('north', actions.approve(query));
      const submits = await Promise.all([1, 2].map(() => statusOf(at('north'), approval)));
      const codes = await Promise.all(submits.map((submit) => submit()));
      expect(codes.sort((a, b) => a - b)).toEqual([0, 11]);
      await decided(query, 1);
    });
    it('approvals of different hospitals, none in the way of another', async () => {
      const query = await submitted();
      const submits = await Promise.all(
        (ASKED as MemberName[]).map((hospital) => statusOf(as(hospital), sign(hospital, actions.approve(query)))),
      );
      expect(await Promise.all(submits.map((submit) => submit()))).toEqual([0, 0, 0]);
      await decided(query, 3);
    });
    it('nothing that its own member alone has endorsed', async () => {
      const query = await submitted();
      const submit = await statusOf(at('north'), sign('north', actions.approve(query)), ['NorthMSP']);
      expect(await submit()).toBe(10); // ENDORSEMENT_POLICY_FAILURE
      expect(await decisions(query)).toEqual([]);
    });
  });

  it('traces a query from submission to receipt, and its dataset, hospital and researcher', async () => {
    const query = await approved();
    const session = await does('relay', actions.open(query));
    await sees('session', session, { status: 'open' });
    await Promise.all((ASKED as MemberName[]).map((hospital) => does(hospital, actions.commit(session))));
    await sees('session', session, { commitments: [Object.fromEntries(ASKED.map((id) => [id, hex(9)]))] });
    await does('rita', actions.receipt(session));
    await sees('session', session, { status: 'completed' });
    const trace = async (kind: string, id: string) =>
      JSON.parse(await answers(at('authority').evaluate('trace', kind, id))) as {
        time: string;
        transaction: string;
        key: string;
        value: string;
      }[];
    const steps = await trace('query', query);
    const kinds = steps.map(({ key }) => key.split('/')[0]!);
    expect(kinds.slice(0, 2).sort()).toEqual(['query', 'query-state']);
    expect(kinds.filter((kind) => kind === 'approval')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'commitment')).toHaveLength(3);
    expect(kinds.slice(-3)).toContain('receipt');
    const states = steps.filter(({ key }) => key === `query-state/${query}`);
    expect(states.map(({ value }) => (JSON.parse(value) as { status: string }).status)).toEqual([
      'submitted',
      'running',
      'completed',
    ]);
    expect(new Set(steps.map(({ transaction }) => transaction)).size).toBe(9);
    for (const [kind, id] of [
      ['dataset', 'heart'],
      ['hospital', 'north'],
      ['researcher', 'rita'],
    ] as const) {
      const keys = (await trace(kind, id)).map(({ key }) => key);
      expect(keys).toContain(`query/${query}`);
      expect(keys).toContain(kind === 'hospital' ? `approval/${query}/north` : `receipt/${session}/000`);
    }
    expect((await trace('hospital', 'north')).map(({ key }) => key)).not.toContain(`approval/${query}/south`);
  });
});
