import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveSessionId } from '../../protocol/ledger.ts';
import type { TestHospital } from '../testing/hospital.ts';
import { HOSPITALS, pause, until, World } from '../testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.found();
  await world.start();
});
afterEach(() => world.close());

const roster = (session: string): readonly string[] => world.ledger.session(session)!.roster;
const reportAll = (hospitals: readonly TestHospital[], session: string, stage: 'joined' | 'agreed' | 'opened'): void =>
  hospitals.forEach((each) => each.status(session, stage));
const status = (query: string) => world.ledger.query(query)!.status;
/** Nothing is relayed of a session before a frame is: these make the connection of `from` one that matters. */
const exchange = async (from: TestHospital, to: TestHospital, session: string): Promise<void> => {
  const places = [from, to].map((each) => roster(session).indexOf(each.organisation)) as [number, number];
  from.relay(session, ...places, Buffer.from('hello'));
  await to.next('relay', (frame) => frame.session === session && frame.from === places[0]);
};

describe('forming a session', () => {
  it('tells hospitals of queries, waits for all to decide, opens with all, and tells them', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.submit();
    for (const hospital of hospitals) await hospital.next('notice', ({ notice }) => notice.id === query);
    for (const hospital of HOSPITALS) {
      await pause(30);
      expect(world.ledger.query(query)!.sessions).toEqual([]);
      await world.act(hospital, { type: 'approveQuery', query });
    }
    const session = await world.session(query);
    expect(session).toBe(deriveSessionId({ query, attempt: 0, roster: HOSPITALS }));
    for (const hospital of hospitals) {
      expect((await hospital.next('notice', ({ notice }) => notice.kind === 'session')).notice.id).toBe(session);
    }
  });

  it('goes on without those who denied', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.submit();
    await world.act('north', { type: 'denyQuery', query, reason: 'no' });
    for (const hospital of ['east', 'south', 'west']) await world.act(hospital, { type: 'approveQuery', query });
    expect(roster(await world.session(query))).toEqual(['east', 'south', 'west']);
  });

  it('goes on without those who have not decided when the deadline is past', async () => {
    await world.kill();
    await world.start({ deadlines: { approval: 600 } });
    await world.connectAll(HOSPITALS);
    const query = await world.submit();
    for (const hospital of ['east', 'west']) await world.act(hospital, { type: 'approveQuery', query });
    expect(world.ledger.query(query)!.sessions).toEqual([]);
    expect(roster(await world.session(query))).toEqual(['east', 'west']);
  });

  it('waits a while for an approved hospital that is not connected, then leaves it out', async () => {
    await world.connectAll(['east', 'north', 'south']);
    const before = Date.now();
    const query = await world.approved();
    expect(roster(await world.session(query))).toEqual(['east', 'north', 'south']);
    expect(Date.now() - before).toBeGreaterThan(400);
  });

  it('takes a hospital in that connects within the grace', async () => {
    await world.connectAll(['east', 'north', 'south']);
    const query = await world.approved();
    await pause(100);
    await world.connect('west');
    expect(roster(await world.session(query))).toEqual(HOSPITALS);
  });

  it('stays waiting under the minimum until enough are there', async () => {
    await world.connectAll(['east', 'north']);
    const query = await world.approved(HOSPITALS, 3);
    await pause(700);
    expect(status(query)).toBe('submitted');
    await world.connect('south');
    expect(roster(await world.session(query))).toEqual(['east', 'north', 'south']);
  });

  it('forms several sessions at a time', async () => {
    await world.connectAll(HOSPITALS);
    const queries = await Promise.all(Array.from({ length: 5 }, () => world.approved()));
    const sessions = await Promise.all(queries.map((query) => world.session(query)));
    expect(new Set(sessions).size).toBe(5);
    await until(async () => ((await world.metric('healthchain_sessions_opened_total')) === 5 ? true : undefined));
  });
});

describe('a drop-out', () => {
  it('before anything opened: aborts without blame and goes on with the rest', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const first = await world.session(query);
    reportAll(hospitals, first, 'joined');
    hospitals[1].kill();
    expect(await world.ended(first)).toBe('DROP_OUT');
    expect(world.ledger.session(first)!.abort).toEqual({ by: 'relay', reason: 'DROP_OUT' });
    await hospitals[0].next('notice', ({ notice }) => notice.kind === 'abort' && notice.id === first);
    const second = await world.session(query, 1);
    expect(roster(second)).toEqual(['east', 'south', 'west']);
  });

  it('that is over within the grace, before a frame could be lost, changes nothing', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    reportAll(hospitals, session, 'joined');
    hospitals[1].kill();
    await world.connect('north');
    await pause(400);
    expect(world.ledger.session(session)!.status).toBe('open');
  });

  it('that may have lost a frame starts anew, with the hospital that is back', async () => {
    const [east, north] = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const first = await world.session(query);
    await exchange(north, east, first);
    north.kill();
    const back = await world.connect('north');
    // Nothing of a torn session is relayed: a gap would look like a forgery by its sender.
    back.relay(first, 1, 0, Buffer.from('after the gap'));
    expect(await world.ended(first)).toBe('DROP_OUT');
    expect(east.frames.filter((frame) => frame.type === 'relay')).toHaveLength(1);
    expect(roster(await world.session(query, 1))).toEqual(HOSPITALS);
  });

  it('twice by the same hospital leaves it out', async () => {
    const [east, north] = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    let flaky = north;
    for (const attempt of [0, 1]) {
      const session = await world.session(query, attempt);
      await exchange(flaky, east, session);
      flaky.kill();
      flaky = await world.connect('north');
      await world.ended(session);
    }
    expect(roster(await world.session(query, 2))).toEqual(['east', 'south', 'west']);
  });

  it('after one opened: the session stays, and the answer waits', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    reportAll(hospitals, session, 'agreed');
    hospitals[0].status(session, 'opened');
    await until(async () => ((await world.metric('healthchain_sessions{stage="opened"}')) === 1 ? true : undefined));
    hospitals[1].kill();
    await pause(700);
    expect(world.ledger.session(session)!.status).toBe('open');
    const back = await world.connect('north');
    back.status(session, 'opened');
    for (const hospital of HOSPITALS) await world.commit(hospital, session);
    await world.receipt(session);
    expect(status(query)).toBe('completed');
  });

  it('below the minimum: waits for the hospital to come back', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved(HOSPITALS, 4);
    const session = await world.session(query);
    hospitals[3].kill();
    expect(await world.ended(session)).toBe('DROP_OUT');
    await pause(600);
    expect(world.ledger.query(query)!.sessions).toHaveLength(1);
    // It may come back any time: the query waits for it.
    await world.connect('west');
    expect(roster(await world.session(query, 1))).toEqual(HOSPITALS);
  });
});

describe('a session that does not end', () => {
  it('is aborted at its deadline, and goes on without those who were behind', async () => {
    await world.kill();
    await world.start({ deadlines: { session: 500 } });
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    for (const each of hospitals.slice(0, 3)) each.status(session, 'committed');
    hospitals[3].status(session, 'scanning');
    expect(await world.ended(session)).toBe('DEADLINE');
    expect(roster(await world.session(query, 1))).toEqual(['east', 'north', 'south']);
  });

  it('after opening: fails clearly, and nothing replaces it', async () => {
    await world.kill();
    await world.start({ deadlines: { session: 500, answer: 800 } });
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    reportAll(hospitals, session, 'opened');
    expect(await world.ended(session)).toBe('DEADLINE');
    await pause(500);
    expect(world.ledger.query(query)!.sessions).toHaveLength(1);
  });

  it('because a hospital failed over its data: goes on without that one', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    await world.act('south', { type: 'abortSession', session, reason: 'DATA' });
    // The others see the session end, and say so; that is no fault of theirs.
    hospitals[0].status(session, 'failed', 0, { kind: 'Fault', code: 'PEER_GONE', message: 'ended by south' });
    expect(roster(await world.session(query, 1))).toEqual(['east', 'north', 'west']);
  });

  it('because a hospital failed and could not record it: is aborted for it', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    hospitals[2].status(session, 'failed', 0, { kind: 'Fault', code: 'DATA', message: 'does not fit' });
    expect(await world.ended(session)).toBe('DATA');
    expect(roster(await world.session(query, 1))).toEqual(['east', 'north', 'west']);
  });

  it('because somebody cheated: nothing follows', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    await world.act('east', { type: 'abortSession', session, reason: 'SEED_MISMATCH', blame: 'west' });
    await pause(500);
    expect(status(query)).toBe('failed');
    expect(world.ledger.query(query)!.sessions).toHaveLength(1);
  });

  it('is tried five times at most', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.approved();
    for (let attempt = 0; attempt < 5; attempt++) {
      const session = await world.session(query, attempt);
      await world.act('rita', { type: 'abortSession', session, reason: 'INTERNAL' });
    }
    await pause(500);
    expect(world.ledger.query(query)!.sessions).toHaveLength(5);
    expect(await world.metric('healthchain_aborts_total{reason="INTERNAL"}')).toBe(5);
  });
});

describe('a coordinator that was killed', () => {
  it('forms the session it had not formed', async () => {
    const query = await world.approved();
    await world.kill();
    await world.start();
    await world.connectAll(HOSPITALS);
    expect(roster(await world.session(query))).toEqual(HOSPITALS);
  });

  it('goes on with a session whose hospitals had agreed', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    await world.kill();
    await world.start();
    const hospitals = await world.connectAll(HOSPITALS);
    expect((await hospitals[0].next('notice')).notice).toEqual({ kind: 'session', id: session });
    reportAll(hospitals, session, 'agreed');
    await pause(700);
    expect(world.ledger.session(session)!.status).toBe('open');
    // Quiet sessions relay again: a later step sends new frames.
    await exchange(hospitals[0], hospitals[1], session);
  });

  it('aborts a session that had frames on their way, and starts it anew', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    await world.kill();
    await world.start();
    const hospitals = await world.connectAll(HOSPITALS);
    reportAll(hospitals.slice(0, 3), session, 'joined');
    expect(await world.ended(session)).toBe('DROP_OUT');
    expect(roster(await world.session(query, 1))).toEqual(HOSPITALS);
  });

  it('does not abort a session that may have opened, though a hospital is away', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    for (const hospital of HOSPITALS) await world.commit(hospital, session);
    await world.kill();
    await world.start();
    await world.connectAll(['east', 'north']);
    await pause(800);
    expect(world.ledger.session(session)!.status).toBe('open');
    await world.receipt(session);
    expect(status(query)).toBe('completed');
  });
});
