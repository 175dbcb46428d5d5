import { beforeAll, describe, expect, it } from 'vitest';
import { Identity } from '../protocol/identity.ts';
import type { Action, Entry } from '../protocol/ledger.ts';
import { Chain } from './chain.ts';
import { signAction } from './sign.ts';
import {
  accessGrant,
  actions,
  ASKED,
  consentOf,
  hex,
  makeWorld,
  ruledSchema,
  type MemberName,
} from './testing/world.ts';
import { trace, type TraceSubject } from './trace.ts';

const world = makeWorld();
let entries: readonly Entry[];
let consortium: string;
let query: string;
let other: string;
let session: string;

beforeAll(async () => {
  const chain = new Chain();
  let seconds = 0;
  const time = () => new Date(Date.UTC(2026, 10, 1) + 1000 * seconds++).toISOString();
  const founding = chain.stage();
  await founding.propose(world.founding, time());
  await founding.commit();
  consortium = chain.consortium!;
  const act = async (who: MemberName, action: Action): Promise<string> => {
    const stage = chain.stage();
    const { id } = await stage.propose(signAction(world.members[who], consortium, action), time());
    await stage.commit();
    return id;
  };
  const patient = Identity.generate();
  await act('board', { type: 'registerSchema', schema: ruledSchema() });
  await act('board', {
    type: 'registerSchema',
    schema: { ...ruledSchema(), dataset: 'lung', consent: { basis: 'none' } },
  });
  await act('relay', consentOf(patient, consortium, { hospitals: ['north'] }));
  await act('relay', accessGrant(patient, consortium));
  await act('audit', actions.epoch('2026-10'));
  const consentEpoch = '2026-10';
  query = await act('rita', actions.submit({ consentEpoch }));
  const ask = actions.submit({ hospitals: ['south', 'west'] });
  other = await act('rob', { ...ask, query: { ...ask.query, dataset: 'lung@1', title: 'Lungs' } });
  for (const each of ['east', 'north'] as const) await act(each, actions.approve(query));
  await act('south', actions.deny(query));
  await act('audit', actions.suspend({ query }));
  await act('audit', actions.reinstate({ query }));
  const first = await act('relay', actions.open(query, 0, ['east', 'north']));
  await act('east', actions.abort(first));
  session = await act('relay', actions.open(query, 1, ['east', 'north']));
  for (const each of ['east', 'north'] as const) {
    await act(each, { type: 'recordCommitment', session, step: 0, commitment: hex(9), consentEpoch });
  }
  await act('rita', actions.receipt(session));
  await act('rita', actions.publish(consortium, session));
  await act('rob', { type: 'closeQuery', query: other, reason: 'WITHDRAWN' });
  await act('audit', actions.suspend({ organisation: 'west' }));
  entries = chain.entries;
});

const lines = (kind: TraceSubject['kind'], id: string) =>
  trace(entries, { kind, id }).map(({ by, what }) => `${by} ${what}`);

describe('a trace', () => {
  it('of a query is all that was done about it, from submission to publication', () => {
    expect(lines('query', query)).toEqual([
      `rita submitted a query on heart@1 for GRU to ${ASKED.join(', ')}`,
      'east approved the query',
      'north approved the query',
      'south denied the query: no capacity',
      'audit suspended the query: under inquiry',
      'audit reinstated the query: inquiry closed',
      'relay opened a session with east, north (attempt 1)',
      'east aborted the session: DROP_OUT',
      'relay opened a session with east, north (attempt 2)',
      'east committed to its numbers of step 0, by the consent of 2026-10',
      'north committed to its numbers of step 0, by the consent of 2026-10',
      'rita recorded the final receipt of step 0: 000000000000',
      'rita published the result "Mean age at four hospitals": 000000000000',
    ]);
    const steps = trace(entries, { kind: 'query', id: query });
    expect(steps.every((step) => step.query === query)).toBe(true);
    expect(steps.at(-1)).toMatchObject({ session, action: 'publishResult', index: 19 });
    expect(steps.map(({ index }) => entries[index]!.time)).toEqual(steps.map(({ time }) => time));
  });

  it('of a dataset has its schemas too, and no other dataset', () => {
    expect(lines('dataset', 'heart')).toEqual(['board registered the schema heart@1', ...lines('query', query)]);
    expect(lines('dataset', 'lung')).toEqual([
      'board registered the schema lung@1',
      'rob submitted "Lungs" on lung@1 for GRU to south, west',
      'rob closed the query: WITHDRAWN',
    ]);
  });

  it('of a hospital is what it did and what concerned it, not the decisions of others', () => {
    const ofSouth = lines('hospital', 'south');
    expect(ofSouth[0]).toBe('board founded the consortium "Test consortium"');
    expect(ofSouth).toContain('south denied the query: no capacity');
    expect(ofSouth.filter((line) => line.includes('session') || line.includes('approved'))).toEqual([]);
    const ofNorth = lines('hospital', 'north');
    expect(ofNorth.filter((line) => line.startsWith('east committed') || line.startsWith('south'))).toEqual([]);
    expect(ofNorth.filter((line) => line.includes('patient'))).toHaveLength(2);
    expect(ofNorth.at(-1)).toContain('rita recorded the final receipt');
    expect(lines('hospital', 'west').at(-1)).toBe('audit suspended west: under inquiry');
  });

  it('of a researcher is what it asked and all that came of it', () => {
    expect(lines('researcher', 'rita')).toEqual([
      'board founded the consortium "Test consortium"',
      ...lines('query', query),
    ]);
    expect(lines('researcher', 'rob')).toHaveLength(3);
  });

  it('of what is unknown is empty', () => {
    for (const kind of ['query', 'dataset', 'hospital', 'researcher'] as const)
      expect(lines(kind, 'nothing')).toEqual([]);
    expect(trace([], { kind: 'query', id: query })).toEqual([]);
  });
});
