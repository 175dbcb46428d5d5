import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ENCOUNTERS_SCHEMA, generateEncounters } from '../../hospital/synthetic/index.ts';
import type { SessionRecord } from '../../protocol/records.ts';
import type { Answer } from '../../researcher/client.ts';
import {
  ask,
  makeFolder,
  OPEN_RELEASE,
  removeFolder,
  startConsortium,
  until,
  valuesOf,
  type Consortium,
} from '../end-to-end/world.ts';

const ROWS = 500;
const [anna, bert, carl] = ['anna', 'bert', 'carl'] as const;
const HOSPITALS = [anna, bert, carl];
const query = {
  dataset: 'encounters',
  purpose: 'GRU',
  release: OPEN_RELEASE,
  statistics: [{ count: {} }, { mean: { column: 'age' } }],
};

/** Where in a session a role is killed. Bert stands still from the opening of the session on, so that none runs past it. */
const STAGES = ['before approval', 'when the session opened', 'while scanning', 'after its commitment'] as const;
type Stage = (typeof STAGES)[number];

describe('a role that is killed', () => {
  const folder = makeFolder('killed');
  let consortium: Consortium;

  beforeAll(async () => {
    const { files } = await generateEncounters({ hospitals: 3, rows: ROWS, seed: 3, out: join(folder, 'data') });
    consortium = await startConsortium({
      folder: join(folder, 'consortium'),
      hospitals: HOSPITALS.map((id, i) => ({ id, files: [files[i]!] })),
      schema: ENCOUNTERS_SCHEMA,
      deadlines: { approval: 3, join: 2, dropOut: 0.5, session: 10 },
    });
  });
  afterEach(async () => {
    role(bert).kill('SIGCONT');
    for (const name of ['ledger', 'coordinator', ...HOSPITALS]) if (!role(name).running) await consortium.restart(name);
  });
  afterAll(async () => {
    await consortium.stop();
    removeFolder(folder);
  });

  const role = (name: string): { kill(signal?: NodeJS.Signals): void; readonly running: boolean } =>
    consortium.processes.get(name)!;
  const logOf = (name: string): string => readFileSync(join(folder, 'consortium', 'logs', `${name}.log`), 'utf8');
  const sessionsOf = (id: string): SessionRecord[] =>
    (consortium.ledger.query(id)?.sessions ?? []).map((each) => consortium.ledger.session(each)!);
  const firstSession = (id: string): Promise<SessionRecord> => until('a session', () => sessionsOf(id)[0]);
  const outboxHas = (hospital: string, session: string): boolean =>
    existsSync(join(folder, 'consortium', hospital, 'outbox', `${session}-0.share`));

  async function kill(name: string): Promise<void> {
    role(name).kill('SIGKILL');
    await until(`${name} to be gone`, () => !role(name).running);
  }

  /** Submits, and holds the session at a stage by Bert, who is stopped; returns once that stage is reached. */
  async function submitAndReach(stage: Exclude<Stage, 'before approval'>): Promise<string> {
    const id = await consortium.researcher.submit(query);
    const session = await firstSession(id);
    const scans = (name: string): boolean =>
      logOf(name).includes(`"session":"${session.id}","step":0,"stage":"scanning"`);
    // Anna scans once Bert has greeted her; without Bert's next message nobody agrees, so nobody opens.
    if (stage !== 'when the session opened') await until('bert to scan', () => scans(bert));
    role(bert).kill('SIGSTOP');
    const reached: Record<typeof stage, () => boolean> = {
      'when the session opened': () => true,
      'while scanning': () => scans(anna),
      'after its commitment': () => consortium.ledger.session(session.id)?.commitments[0]?.[anna] !== undefined,
    };
    await until(stage, reached[stage]);
    return id;
  }

  const answerOf = (id: string, seconds = 30): Promise<Answer> =>
    consortium.researcher.answer(id, { signal: AbortSignal.timeout(1000 * seconds) });

  /** What must hold whatever happened: one completed session, all before it aborted with a reason, nothing opened twice, all agree. */
  async function expectSettled(id: string, roster: readonly string[], answer: Answer): Promise<void> {
    expect(valuesOf(answer)['count']).toBe(ROWS * roster.length);
    const sessions = sessionsOf(id);
    const last = sessions.at(-1)!;
    expect(last).toMatchObject({ status: 'completed', roster });
    for (const earlier of sessions.slice(0, -1)) {
      expect(earlier.status).toBe('aborted');
      expect(['DROP_OUT', 'INTERNAL', 'DEADLINE']).toContain(earlier.abort?.reason);
    }
    for (const name of HOSPITALS) {
      const journal = readFileSync(join(folder, 'consortium', name, 'journal.jsonl'), 'utf8');
      const opened = journal.split('\n').filter((line) => line.includes(id));
      expect(opened, `openings of ${name}`).toHaveLength(roster.includes(name) ? 1 : 0);
      if (opened.length > 0) expect(opened[0]).toContain(last.id);
      for (const earlier of sessions.slice(0, -1)) expect(outboxHas(name, earlier.id)).toBe(false);
    }
    for (const name of roster.filter((each) => role(each).running))
      await until(`${name} to end ${last.id}`, () =>
        new RegExp(`${last.id}".*("session completed"|its share|already)`).test(logOf(name)),
      );
  }

  async function expectAllWell(): Promise<void> {
    if (!role(anna).running) await consortium.restart(anna);
    await until('all connected', async () => {
      const response = await fetch(new URL('/health', consortium.coordinatorUrl)).catch(() => undefined);
      if (response === undefined) return false;
      const { hospitals } = (await response.json()) as { hospitals: { connected: boolean }[] };
      return hospitals.every((each) => each.connected);
    });
    const answer = await ask(consortium, query);
    expect(answer.result.hospitals).toEqual(HOSPITALS);
  }

  describe('a hospital', () => {
    test('before approval is not waited for beyond the deadline, and the others answer', async () => {
      await kill(anna);
      const id = await consortium.researcher.submit(query);
      await expectSettled(id, [bert, carl], await answerOf(id));
      await expectAllWell();
    });

    test.each(STAGES.slice(1))('%s: the others answer in a second attempt', async (stage) => {
      const id = await submitAndReach(stage as Exclude<Stage, 'before approval'>);
      const answer = answerOf(id);
      await kill(anna);
      role(bert).kill('SIGCONT');
      await expectSettled(id, [bert, carl], await answer);
      expect(sessionsOf(id).length).toBeGreaterThanOrEqual(2);
      await expectAllWell();
    });

    test('while the release is decided: the others decide again, among themselves', async () => {
      const guarded = { ...query, release: { minimumHospitals: 2 } };
      const id = await consortium.researcher.submit(guarded);
      const session = await firstSession(id);
      const decides = (name: string): boolean =>
        logOf(name).includes(`"session":"${session.id}","step":0,"stage":"deciding"`);
      // Without Bert's random bits nobody gets as far as an opening.
      await until('bert to decide', () => decides(bert));
      role(bert).kill('SIGSTOP');
      const answer = answerOf(id, 60);
      await kill(anna);
      role(bert).kill('SIGCONT');
      await expectSettled(id, [bert, carl], await answer);
      expect(sessionsOf(id).length).toBeGreaterThanOrEqual(2);
      await expectAllWell();
    });

    test('between opening and download serves the same sealed share after its restart', async () => {
      const id = await consortium.researcher.submit(query);
      const session = await firstSession(id);
      await until('all shares', () => HOSPITALS.every((name) => outboxHas(name, session.id)));
      const share = (): Buffer => readFileSync(join(folder, 'consortium', anna, 'outbox', `${session.id}-0.share`));
      const before = share();
      await kill(anna);
      const late = answerOf(id, 1);
      await expect(late).rejects.toMatchObject({ kind: 'Fault', code: 'DEADLINE' });
      await consortium.restart(anna);
      await expectSettled(id, HOSPITALS, await answerOf(id));
      expect(share().equals(before)).toBe(true);
      expect(sessionsOf(id)).toHaveLength(1);
    });
  });

  describe('the coordinator', () => {
    test('before approval: the query goes on after its restart', async () => {
      await kill('coordinator');
      const id = await consortium.researcher.submit(query);
      await until('approvals', () => consortium.ledger.query(id)?.decisions.length === 3);
      await consortium.restart('coordinator');
      await expectSettled(id, HOSPITALS, await answerOf(id));
    });

    test.each(STAGES.slice(1))('%s: a second attempt after its restart answers', async (stage) => {
      const id = await submitAndReach(stage as Exclude<Stage, 'before approval'>);
      const answer = answerOf(id);
      await kill('coordinator');
      role(bert).kill('SIGCONT');
      await until('the abort', () => sessionsOf(id)[0]?.status === 'aborted');
      await consortium.restart('coordinator');
      await expectSettled(id, HOSPITALS, await answer);
    });

    test('between opening and download: the shares are fetched after its restart', async () => {
      const id = await consortium.researcher.submit(query);
      const session = await firstSession(id);
      await until('all shares', () => HOSPITALS.every((name) => outboxHas(name, session.id)));
      await kill('coordinator');
      await expect(answerOf(id, 1)).rejects.toMatchObject({ kind: 'Fault', code: /DEADLINE|COORDINATOR_DOWN/ });
      await consortium.restart('coordinator');
      await expectSettled(id, HOSPITALS, await answerOf(id));
      expect(sessionsOf(id)).toHaveLength(1);
    });
  });

  describe('the ledger', () => {
    test.each(STAGES)('%s: what it held is there after its restart, and the query ends', async (stage) => {
      let id: string;
      if (stage === 'before approval') {
        role(bert).kill('SIGSTOP');
        id = await consortium.researcher.submit(query);
        await until('the approval of anna', () => (consortium.ledger.query(id)?.decisions.length ?? 0) > 0);
      } else id = await submitAndReach(stage);
      const answer = answerOf(id);
      const head = consortium.ledger.head();
      await kill('ledger');
      role(bert).kill('SIGCONT');
      await consortium.restart('ledger');
      const settled = await answer;
      // Bert may have approved too late: then the others answer.
      const roster = stage === 'before approval' ? settled.result.hospitals : HOSPITALS;
      await expectSettled(id, roster, settled);
      expect(consortium.ledger.rootAt(head.size)).toBe(head.root);
    });

    test('between opening and download: the receipt waits for it', async () => {
      const id = await consortium.researcher.submit(query);
      const session = await firstSession(id);
      await until('all shares', () => HOSPITALS.every((name) => outboxHas(name, session.id)));
      await kill('ledger');
      const answer = answerOf(id);
      await consortium.restart('ledger');
      await expectSettled(id, HOSPITALS, await answer);
    });
  });

  test('leaves no stack trace in any log, and no share without its session on the ledger', () => {
    for (const name of ['ledger', 'coordinator', ...HOSPITALS]) expect(logOf(name)).not.toMatch(/\n\s+at /);
    for (const name of HOSPITALS)
      for (const file of readdirSync(join(folder, 'consortium', name, 'outbox')))
        expect(consortium.ledger.session(file.split('-')[0]!)?.status, file).toBe('completed');
  });
});
