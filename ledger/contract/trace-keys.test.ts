import { beforeEach, expect, it } from 'vitest';
import { actions, ASKED, ContractBench, hex, ruledSchema, type MemberName } from '../testing/world.ts';
import { traceKeys, type TraceSubject } from './trace-keys.ts';

let bench: ContractBench;
let query: string;
let session: string;

/** One query with everything that can happen to one, and another one beside it. */
beforeEach(async () => {
  bench = await ContractBench.found();
  const none = { basis: 'none' } as const;
  await bench.do('board', { type: 'registerSchema', schema: ruledSchema({ consent: none }) });
  await bench.do('board', { type: 'registerSchema', schema: ruledSchema({ dataset: 'lung', consent: none }) });
  query = (await bench.do('rita', actions.submit())).id;
  const other = actions.submit({ hospitals: ['south', 'west'] });
  await bench.do('rob', { ...other, query: { ...other.query, dataset: 'lung@1' } });
  for (const each of ['east', 'north'] as const) await bench.do(each, actions.approve(query));
  await bench.do('south', actions.deny(query));
  await bench.do('audit', actions.suspend({ query }));
  await bench.do('audit', actions.reinstate({ query }));
  const first = (await bench.do('relay', actions.open(query, 0, ['east', 'north']))).id;
  await bench.do('east', actions.abort(first));
  session = (await bench.do('relay', actions.open(query, 1, ['east', 'north']))).id;
  for (const each of ['east', 'north'] as const) await bench.do(each, actions.commit(session));
  await bench.do('rita', actions.receipt(session));
  await bench.do('rita', actions.publish(bench.consortium, session));
});

const keys = async (kind: TraceSubject['kind'], id: string) => [...(await traceKeys(bench.state, { kind, id }))].sort();
const stored = () => bench.state.dump().map(({ key }) => key);

it('of a query are all keys that name it or its sessions', async () => {
  const sessions = stored()
    .filter((key) => key.startsWith('session/'))
    .map((key) => key.slice('session/'.length));
  const of = stored().filter((key) => [query, ...sessions].some((id) => key.includes(id)));
  expect(await keys('query', query)).toEqual(of.filter((key) => !key.startsWith('query-of/')).sort());
  expect(of.filter((key) => key.startsWith('query-of/'))).toEqual([
    `query-of/dataset/heart/${query}`,
    ...ASKED.map((hospital) => `query-of/hospital/${hospital}/${query}`),
    `query-of/researcher/rita/${query}`,
  ]);
});

it('of a dataset and of a researcher are their own and their queries’', async () => {
  const ofQuery = await keys('query', query);
  expect(await keys('dataset', 'heart')).toEqual(['schema/heart/000001', ...ofQuery].sort());
  const { publicKey } = bench.world.members.rita.identity;
  expect(await keys('researcher', 'rita')).toEqual(
    ['budget/rita/heart', `key/rita/${publicKey}`, 'organisation/rita', ...ofQuery].sort(),
  );
});

it('of a hospital are its own, and of queries that asked it what is common and what it did', async () => {
  const ofQuery = await keys('query', query);
  const own = (member: MemberName) => [
    `key/${member}/${bench.world.members[member].identity.publicKey}`,
    `organisation/${member}`,
  ];
  const others = (key: string) => /\/(east|south)$/.test(key);
  expect(await keys('hospital', 'north')).toEqual([...own('north'), ...ofQuery.filter((key) => !others(key))].sort());
  const south = await keys('hospital', 'south');
  expect(south).toContain(`denial/${query}/south`);
  expect(south.filter((key) => key.startsWith('session/'))).toEqual([]);
  expect(south.filter((key) => key.startsWith('query/'))).toHaveLength(2);
});

it('of what is unknown there are none', async () => {
  for (const kind of ['query', 'dataset', 'hospital', 'researcher'] as const)
    expect(await keys(kind, hex(1))).toEqual([]);
});
