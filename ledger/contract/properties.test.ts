import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../protocol/errors.ts';
import type { Action, SignedAction } from '../../protocol/ledger.ts';
import { actions, ASKED, ContractBench, hex, MEMBERS, type MemberName } from '../testing/world.ts';
import { apply } from './apply.ts';
import { readQueries, readSession } from './readers.ts';
import { BufferedState, MemoryState } from './state.ts';

const rosters = [ASKED, ['east', 'north'], ['north', 'south'], ['north'], ['north', 'west'], ['south', 'north']];
const pick = <T>(items: readonly T[], n: number): T => items[n % items.length]!;

/** Makes some action out of three numbers, aimed at what is there: most sequences then get somewhere. */
function actionOf(kind: number, a: number, b: number, queries: readonly string[], sessions: readonly string[]): Action {
  const query = queries.length === 0 ? hex(a) : pick(queries, a);
  const session = sessions.length === 0 ? hex(a) : sessions[sessions.length - 1 - (a % Math.min(2, sessions.length))]!;
  const choices: (() => Action)[] = [
    () => actions.schema(1 + (a % 3)),
    () => actions.submit({ nonce: hex(a % 4), minimumHospitals: 2 + (b % 2) }),
    () => actions.approve(query),
    () => actions.approve(query),
    () => actions.deny(query),
    () => actions.open(query, b % 3, pick(rosters, a)),
    () => actions.open(query, b % 2),
    () => actions.commit(session, b % 2),
    () => actions.commit(session),
    () => actions.receipt(session, b % 2, a % 2 === 0),
    () => actions.abort(session, b % 3 === 0 ? { blame: 'north', evidence: hex(1) } : {}),
    () => actions.register(`new-${a % 3}`),
  ];
  return pick(choices, kind)();
}

/** Who may do each of the choices above, as far as roles go. */
const LAWFUL: readonly MemberName[][] = [
  ['board', 'north'],
  ['rita', 'rob'],
  ['north', 'south', 'east'],
  ['north', 'south', 'east'],
  ['east', 'south'],
  ['relay'],
  ['relay'],
  ['north', 'south', 'east'],
  ['north', 'south', 'east'],
  ['rita'],
  ['relay', 'rita', 'north'],
  ['board'],
];

const step = fc.tuple(
  fc.option(fc.constantFrom(...MEMBERS), { freq: 3 }),
  fc.nat({ max: 11 }),
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
];

describe('random sequences of actions', () => {
  it('replay to the same state, and never break what the protocol relies on', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
        fc.nat({ max: usual.length }),
        async (steps, lead) => {
          const bench = await ContractBench.found();
          const taken: SignedAction[] = [bench.world.founding];
          const [queries, sessions]: string[][] = [[], []];
          for (const [anybody, kind, a, b] of [...usual.slice(0, lead), ...steps]) {
            const who = anybody ?? pick(LAWFUL[kind]!, a + b);
            const signed = bench.sign(who, actionOf(kind, a, b, queries!, sessions!));
            const before = bench.state.dump();
            try {
              const { id } = await bench.apply(signed);
              taken.push(signed);
              accepted += 1;
              if (signed.action.type === 'submitQuery') queries!.push(id);
              if (signed.action.type === 'openSession') sessions!.push(id);
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
      { numRuns: 60 },
    );
    expect(accepted).toBeGreaterThan(300);
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
}
