import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action, SignedAction, SuspensionSubject } from '../../protocol/ledger.ts';
import {
  accessGrant,
  actions,
  ASKED,
  consentOf,
  ContractBench,
  hex,
  MEMBERS,
  schema,
  type MemberName,
} from '../testing/world.ts';
import { apply } from './apply.ts';
import { newestEpoch } from './epochs.ts';
import { KEY, lastPart } from './keys.ts';
import { readPatient, readPublications, readQueries, readSession } from './readers.ts';
import { decodeRow, ROW } from './rows.ts';
import { BufferedState, MemoryState } from './state.ts';

const rosters = [ASKED, ['east', 'north'], ['north', 'south'], ['north'], ['north', 'west'], ['south', 'north']];
const pick = <T>(items: readonly T[], n: number): T => items[n % items.length]!;

/** What is there for an action to aim at. */
interface Targets {
  readonly consortium: string;
  readonly queries: readonly string[];
  readonly sessions: readonly string[];
  readonly suspended: readonly SuspensionSubject[];
}
interface Choice {
  /** Who may do it, as far as roles go. */
  readonly lawful: readonly MemberName[];
  readonly make: (a: number, b: number, at: Targets) => Action;
}

const patients = [Identity.generate(), Identity.generate()];
const months = ['2026-01', '2026-02', '2026-03', '2026-06'];
const query = (a: number, { queries }: Targets): string => (queries.length === 0 ? hex(a) : pick(queries, a));
const session = (a: number, { sessions }: Targets): string =>
  sessions.length === 0 ? hex(a) : sessions[sessions.length - 1 - (a % Math.min(2, sessions.length))]!;
const subject = (a: number, b: number, at: Targets): SuspensionSubject =>
  b % 3 === 0 ? { query: query(a, at) } : { organisation: pick(['north', 'rita', 'senate', 'audit'], a) };

/** Actions out of two numbers, aimed at what is there: most sequences then get somewhere. */
const CHOICES: readonly Choice[] = [
  { lawful: ['board', 'north'], make: (a, b) => registering(1 + (a % 3), b) },
  { lawful: ['rita', 'rob'], make: (a, b) => actions.submit({ nonce: hex(a % 4), minimumHospitals: 2 + (b % 2) }) },
  { lawful: ['north', 'south', 'east'], make: (a, _, at) => actions.approve(query(a, at)) },
  { lawful: ['north', 'south', 'east'], make: (a, _, at) => actions.approve(query(a, at)) },
  { lawful: ['east', 'south'], make: (a, _, at) => actions.deny(query(a, at)) },
  { lawful: ['relay'], make: (a, b, at) => actions.open(query(a, at), b % 3, pick(rosters, a)) },
  { lawful: ['relay'], make: (a, b, at) => actions.open(query(a, at), b % 2) },
  { lawful: ['north', 'south', 'east'], make: (a, b, at) => actions.commit(session(a, at), b % 2) },
  { lawful: ['north', 'south', 'east'], make: (a, _, at) => actions.commit(session(a, at)) },
  { lawful: ['rita'], make: (a, b, at) => actions.receipt(session(a, at), b % 2, a % 2 === 0) },
  {
    lawful: ['relay', 'rita', 'north'],
    make: (a, b, at) => actions.abort(session(a, at), b % 3 === 0 ? { blame: 'north', evidence: hex(1) } : {}),
  },
  { lawful: ['board'], make: (a) => actions.register(`new-${a % 3}`) },
  { lawful: ['audit'], make: (a, b, at) => actions.suspend(subject(a, b, at), hex(b)) },
  { lawful: ['audit'], make: (a, b, at) => actions.reinstate(subject(a, b, at), hex(b)) },
  { lawful: ['audit'], make: (a, b, at) => actions.reinstate(at.suspended.at(-1) ?? subject(a, b, at), hex(b)) },
  { lawful: ['audit', 'board'], make: (a) => actions.epoch(pick(months, a)) },
  { lawful: ['audit', 'board'], make: (a) => actions.withdrawEpoch(pick(months, a)) },
  {
    lawful: ['north', 'rob'],
    make: (a, b, { consortium }) => consentOf(pick(patients, a), consortium, { sequence: 1 + (b % 4) }),
  },
  {
    lawful: ['north', 'rob'],
    make: (a, b, { consortium }) => accessGrant(pick(patients, a), consortium, { sequence: 1 + (b % 4) }),
  },
  {
    lawful: ['rita', 'rob'],
    make: (a, b, at) => actions.publish(at.consortium, session(a, at), hex(b % 4 === 0 ? 12 : 11)),
  },
];

/** The first version decides whether there are credits and a budget. */
const registering = (version: number, b: number): Action =>
  b % 2 === 0 ? actions.schema(version) : { type: 'registerSchema', schema: { ...schema(version), ...RULES } };
const RULES = {
  contribution: { creditsPerQuery: 100, split: 'equal' },
  budget: { queriesPerResearcher: 2 },
} as const;

const step = fc.tuple(
  fc.option(fc.constantFrom(...MEMBERS), { freq: 3 }),
  fc.nat({ max: CHOICES.length - 1 }),
  fc.nat({ max: 30 }),
  fc.nat({ max: 30 }),
);
/** The usual path, so that random steps meet queries and sessions in every state. */
const usual: [MemberName, number, number, number][] = [
  ['board', 0, 0, 0],
  ['rita', 1, 0, 0],
  ['north', 2, 0, 0],
  ['east', 2, 0, 0],
  ['south', 2, 0, 0],
  ['relay', 6, 0, 0],
  ['north', 8, 0, 0],
  ['east', 8, 0, 0],
  ['south', 8, 0, 0],
  ['rita', 9, 0, 0],
];

const DRAWN = [
  ...['abortSession', 'approveQuery', 'denyQuery', 'openConsentEpoch', 'openSession', 'publishResult', 'recordAccess'],
  ...['recordCommitment', 'recordConsent', 'recordReceipt', 'registerOrganisation', 'registerSchema', 'reinstate'],
  ...['submitQuery', 'suspend', 'withdrawConsentEpoch'],
];

describe('random sequences of actions', () => {
  it('replay to the same state, and never break what the protocol relies on', async () => {
    const accepted = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
        fc.constantFrom(0, 2, 5, 6, 9, ...Array<number>(5).fill(usual.length)),
        async (steps, lead) => {
          const bench = await ContractBench.found();
          const taken: SignedAction[] = [bench.world.founding];
          const at = {
            consortium: bench.consortium,
            queries: [] as string[],
            sessions: [] as string[],
            suspended: [] as SuspensionSubject[],
          };
          for (const [anybody, kind, a, b] of [...usual.slice(0, lead), ...steps]) {
            const { lawful, make } = CHOICES[kind]!;
            const signed = bench.sign(anybody ?? pick(lawful, a + b), make(a, b, at));
            const before = bench.state.dump();
            try {
              const { id } = await bench.apply(signed);
              taken.push(signed);
              accepted.set(signed.action.type, (accepted.get(signed.action.type) ?? 0) + 1);
              if (signed.action.type === 'submitQuery') at.queries.push(id);
              if (signed.action.type === 'openSession') at.sessions.push(id);
              if (signed.action.type === 'suspend') at.suspended.push(signed.action.subject);
            } catch (error) {
              expect(error).toBeInstanceOf(Refusal);
              expect((error as Refusal).message).not.toBe('');
              expect(bench.state.dump()).toEqual(before);
            }
          }
          const replayed = new MemoryState();
          const staged = new BufferedState(replayed);
          for (const signed of taken) await apply(staged, signed, bench.consortium);
          expect(replayed.dump()).toEqual([]);
          await staged.flush();
          expect(replayed.dump()).toEqual(bench.state.dump());
          await requireInvariants(bench);
        },
      ),
      { numRuns: 100 },
    );
    expect([...accepted.values()].reduce((sum, each) => sum + each)).toBeGreaterThan(300);
    // Every kind of action gets through somewhere, or the rest shows little.
    expect([...accepted.keys()].sort()).toEqual([...DRAWN].sort());
  });
});

async function requireInvariants(bench: ContractBench): Promise<void> {
  for (const query of await readQueries(bench.state)) {
    const sessions = await Promise.all(query.sessions.map((id) => readSession(bench.state, id)));
    expect(sessions.filter((session) => session?.status === 'open').length).toBe(query.status === 'running' ? 1 : 0);
    expect(sessions.filter((session) => session?.status === 'completed').length).toBe(
      query.status === 'completed' ? 1 : 0,
    );
    const approvals = query.decisions.filter(({ decision }) => decision === 'approved').map(({ hospital }) => hospital);
    sessions.forEach((session, at) => {
      expect(session?.attempt).toBe(at);
      const before = at === 0 ? approvals : sessions[at - 1]!.roster;
      expect(before).toEqual(expect.arrayContaining([...session!.roster]));
      expect(session!.roster.length).toBeGreaterThanOrEqual(query.query.release.minimumHospitals);
    });
  }
  await requireRulesKept(bench);
}

/** What consent, credits, budgets and publications promise. */
async function requireRulesKept({ state }: ContractBench): Promise<void> {
  const sessions = (await state.list('session/')).map(({ key }) => lastPart(key));
  for (const id of sessions) {
    const record = await readSession(state, id);
    const credits = Object.values(record?.credits ?? {});
    if (credits.length > 0) expect(credits.reduce((sum, each) => sum + each)).toBe(RULES.contribution.creditsPerQuery);
    if (record?.status !== 'completed') expect(await readPublications(state, id)).toEqual([]);
  }
  const epochs = (await state.list(KEY.epochs)).filter(
    ({ value }) => decodeRow(ROW.epoch, value).withdrawn === undefined,
  );
  expect(await newestEpoch(state, 1)).toBe(epochs.map(({ key }) => lastPart(key)).at(-1));
  for (const { publicKey } of patients) {
    const patient = await readPatient(state, publicKey);
    const opened = (patient?.consents ?? []).map(({ epoch }) => epoch ?? '');
    expect(opened).toEqual([...opened].sort());
  }
  for (const { value } of await state.list('budget/')) {
    expect(decodeRow(ROW.budget, value)).toBeLessThanOrEqual(RULES.budget.queriesPerResearcher);
  }
}
