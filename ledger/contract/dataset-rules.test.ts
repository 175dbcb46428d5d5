import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RefusalCode } from '../../protocol/errors.ts';
import type { Action } from '../../protocol/ledger.ts';
import { datasetSchema, schemaDigest, type DatasetSchema } from '../../protocol/schema.ts';
import {
  actions,
  ASKED,
  ContractBench,
  hex,
  makeWorld,
  ruledSchema,
  schema,
  type MemberName,
} from '../testing/world.ts';
import { creditShares } from './dataset-rules.ts';
import { KEY } from './keys.ts';
import { readQuery, readSession } from './readers.ts';

let bench: ContractBench;
beforeEach(async () => {
  bench = await ContractBench.found();
});

const register = (rules: Partial<DatasetSchema>, who: MemberName = 'board') =>
  bench.do(who, { type: 'registerSchema', schema: ruledSchema(rules) });
const ask = (nonce: number, consentEpoch?: string, dataset = 'heart@1'): Action => {
  const submission = actions.submit({ nonce: hex(nonce), ...(consentEpoch && { consentEpoch }) });
  return { ...submission, query: { ...submission.query, dataset } };
};
async function refused(who: MemberName, action: Action, code: RefusalCode): Promise<void> {
  const before = bench.state.dump();
  await expect(bench.do(who, action)).rejects.toMatchObject({ name: 'Refusal', code });
  expect(bench.state.dump()).toEqual(before);
}

it('a schema without rules has the form and the digest it always had', () => {
  expect(Object.keys(datasetSchema.parse(schema()))).toEqual(['dataset', 'version', 'columns']);
  expect(schemaDigest(schema())).toBe('3ed22414833fad413d73f249df1bdc08d4ab7dfcfa5bc25ddd70a06b75c6a3c3');
  expect(datasetSchema.parse(ruledSchema())).toEqual(ruledSchema());
});

describe('the epoch of consent of a query', () => {
  it('is the newest on the dataset’s grid', async () => {
    await register({ consent: { basis: 'opt-in', everyMonths: 3 }, budget: { queriesPerResearcher: 9 } });
    await refused('rita', ask(1), 'POLICY');
    await refused('rita', ask(1, '2026-10'), 'POLICY');
    for (const month of ['2026-10', '2026-11']) await bench.do('audit', actions.epoch(month));
    await refused('rita', ask(1, '2026-11'), 'POLICY');
    const { id } = await bench.do('rita', ask(1, '2026-10'));
    expect(await readQuery(bench.state, id)).toMatchObject({ consentEpoch: '2026-10' });
    await bench.do('audit', actions.epoch('2027-01'));
    await refused('rita', ask(2, '2026-10'), 'POLICY');
    await bench.do('rita', ask(2, '2027-01'));
  });

  it('is not named where the dataset asks for no consent', async () => {
    await register({ consent: { basis: 'none' } });
    await bench.do('audit', actions.epoch('2026-10'));
    await refused('rita', ask(1, '2026-10'), 'POLICY');
    expect(await readQuery(bench.state, (await bench.do('rita', ask(1))).id)).not.toHaveProperty('consentEpoch');
  });

  it('is the one that every commitment names', async () => {
    await register({});
    await bench.do('audit', actions.epoch('2026-10'));
    const { id } = await bench.do('rita', ask(1, '2026-10'));
    for (const each of ASKED) await bench.do(each as MemberName, actions.approve(id));
    const session = (await bench.do('relay', actions.open(id))).id;
    const commit = (consentEpoch?: string): Action => ({
      ...{ type: 'recordCommitment', session, step: 0, commitment: hex(9) },
      ...(consentEpoch && { consentEpoch }),
    });
    await refused('north', commit(), 'POLICY');
    await refused('north', commit('2026-11'), 'POLICY');
    await bench.do('north', commit('2026-10'));
  });

  it('binds in every version: one with another rule than the newest is asked no more', async () => {
    await bench.do('north', { type: 'registerSchema', schema: schema() });
    await bench.do('rita', ask(1));
    await register({ version: 2 });
    await refused('rita', ask(2), 'POLICY');
    await bench.do('audit', actions.epoch('2026-10'));
    await bench.do('rita', ask(2, '2026-10', 'heart@2'));
  });

  it('on a ledger without statements lies on the grid', async () => {
    bench = await ContractBench.found(makeWorld('consortium'));
    await register({ consent: { basis: 'opt-out', everyMonths: 6 } });
    await refused('rita', ask(1), 'POLICY');
    await refused('rita', ask(1, '2026-10'), 'POLICY');
    await bench.do('rita', ask(1, '2026-07'));
  });
});

describe('rules of a dataset', () => {
  const looser: Record<string, Partial<DatasetSchema>> = {
    'less consent': { consent: { basis: 'opt-out' } },
    'no consent': { consent: { basis: 'none' } },
    'a higher budget': { budget: { queriesPerResearcher: 3 } },
    'other credits': { contribution: { creditsPerQuery: 101, split: 'equal' } },
  };
  it.each(Object.entries(looser))('an admin alone registers %s', async (_name, rules) => {
    await register({}, 'north');
    const next: Action = { type: 'registerSchema', schema: ruledSchema({ version: 2, ...rules }) };
    await refused('north', next, 'NOT_AUTHORIZED');
    await bench.do('board', next);
  });

  it('leaves none of them out unless an admin does', async () => {
    await register({ consent: { basis: 'opt-in', everyMonths: 3 } }, 'north');
    const version = 2;
    for (const rule of ['consent', 'budget', 'contribution'] as const) {
      const schema = ruledSchema({ version, consent: { basis: 'opt-in', everyMonths: 3 } });
      Reflect.deleteProperty(schema, rule);
      await refused('north', { type: 'registerSchema', schema }, 'NOT_AUTHORIZED');
    }
    const faster: DatasetSchema = ruledSchema({ version, consent: { basis: 'opt-in', everyMonths: 1 } });
    await refused('north', { type: 'registerSchema', schema: faster }, 'NOT_AUTHORIZED');
  });

  it('may be made stricter by a hospital', async () => {
    await register({ consent: { basis: 'opt-out' } }, 'north');
    const rules = { consent: { basis: 'opt-in', everyMonths: 12 }, budget: { queriesPerResearcher: 1 } } as const;
    await register({ version: 2, ...rules }, 'south');
  });
});

describe('a budget', () => {
  const consent = { basis: 'none' } as const;
  it('is debited with each submission, by researcher and dataset', async () => {
    await register({ consent });
    await bench.do('rita', ask(1));
    const second = await bench.do('rita', ask(2));
    await refused('rita', ask(3), 'POLICY');
    await bench.do('rob', ask(4));
    await bench.do('rita', { type: 'closeQuery', query: second.id, reason: 'WITHDRAWN' });
    await refused('rita', ask(3), 'POLICY');
  });

  it('is the newest version’s, for all versions', async () => {
    await bench.do('board', actions.schema());
    await bench.do('rita', ask(1));
    await register({ version: 2, consent, budget: { queriesPerResearcher: 1 } });
    await bench.do('rita', ask(2));
    for (const dataset of ['heart@1', 'heart@2']) await refused('rita', ask(3, undefined, dataset), 'POLICY');
    await register({ version: 3, consent, budget: { queriesPerResearcher: 2 } });
    await bench.do('rita', ask(3));
  });

  it('is not touched by a submission that is refused', async () => {
    await register({ consent });
    await refused('rita', actions.submit({ hospitals: ['north', 'rob'] }), 'UNKNOWN');
    expect(await bench.state.get(KEY.budget('rita', 'heart'))).toBeUndefined();
  });
});

describe('credits', () => {
  it('are written with the final receipt, for the roster', async () => {
    await register({ consent: { basis: 'none' } });
    const { id } = await bench.do('rita', ask(1));
    for (const each of ASKED) await bench.do(each as MemberName, actions.approve(id));
    const session = (await bench.do('relay', actions.open(id, 0, ['east', 'south']))).id;
    for (const each of ['east', 'south'] as const) await bench.do(each, actions.commit(session));
    expect(await readSession(bench.state, session)).not.toHaveProperty('credits');
    await bench.do('rita', actions.receipt(session));
    expect((await readSession(bench.state, session))?.credits).toEqual({ east: 50, south: 50 });
  });

  it('of a dataset without the rule are none', async () => {
    const { session } = await bench.completed();
    expect(await readSession(bench.state, session)).not.toHaveProperty('credits');
  });

  it('add up exactly, whatever does not divide, and favour no name', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000_000_000 }), fc.integer({ min: 2, max: 40 }), fc.nat(), (credits, n, seed) => {
        const roster = Array.from({ length: n }, (_, at) => `h-${at}`);
        const shares = creditShares({ creditsPerQuery: credits, split: 'equal' }, { id: hex(seed), roster });
        const amounts = shares.map(([, amount]) => amount);
        expect(amounts.reduce((sum, each) => sum + each, 0)).toBe(credits);
        expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(1);
      }),
    );
    const gets = Array.from({ length: 3 }, (_, first) =>
      creditShares(
        { creditsPerQuery: 1, split: 'equal' },
        { id: first.toString(16).padStart(12, '0').padEnd(64, '0'), roster: ASKED },
      ).map(([, amount]) => amount),
    );
    expect(gets).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(creditShares({ creditsPerQuery: 7, split: 'each' }, { id: hex(1), roster: ASKED })).toEqual(
      ASKED.map((hospital) => [hospital, 7]),
    );
  });
});
