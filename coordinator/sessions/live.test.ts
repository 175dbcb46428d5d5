import { describe, expect, it } from 'vitest';
import type { SessionStage } from '../../protocol/frame.ts';
import { LiveSession } from './live.ts';

const ROSTER = ['a', 'b', 'c'];
const id = 'ab'.repeat(32);
const make = (inherited = false): LiveSession =>
  new LiveSession({ id, query: id, attempt: 0, roster: ROSTER, since: 0, inherited });
const report = (live: LiveSession, hospital: string, stage: SessionStage, step = 0): boolean =>
  live.report(hospital, { session: id, step, stage }, 1);
const all = (live: LiveSession, stage: SessionStage, step = 0): void =>
  ROSTER.forEach((each) => report(live, each, stage, step));

describe('LiveSession', () => {
  it('takes progress forward only', () => {
    const live = make();
    expect(report(live, 'a', 'committed')).toBe(true);
    expect(report(live, 'a', 'scanning')).toBe(false);
    expect(report(live, 'a', 'committed')).toBe(false);
    expect(report(live, 'a', 'scanning', 1)).toBe(true);
    expect(report(live, 'b', 'failed')).toBe(true);
    expect(report(live, 'b', 'failed')).toBe(false);
  });

  it('is torn by the loss of a connection that carried frames, unless no frame can be on its way', () => {
    const live = make();
    live.lost('a', 5);
    expect(live.torn).toBe(false);
    live.carry(0, 1);
    live.lost('c', 5);
    expect(live.torn).toBe(false);
    live.lost('b', 6);
    expect([live.tornAt, live.tornBy]).toEqual([6, 'b']);

    const quiet = make();
    quiet.carry(0, 1);
    all(quiet, 'agreed');
    quiet.lost('b', 7);
    expect(quiet.torn).toBe(false);
    report(quiet, 'a', 'scanning', 1);
    quiet.carry(0, 2);
    quiet.lost('b', 8);
    expect(quiet.torn).toBe(false);
    quiet.lost('c', 9);
    expect(quiet.torn).toBe(true);
  });

  it('is mended when all turn out to have agreed', () => {
    const live = make(true);
    expect(live.torn).toBe(true);
    report(live, 'a', 'opened');
    report(live, 'b', 'agreed');
    expect(live.torn).toBe(true);
    report(live, 'c', 'agreed');
    expect(live.torn).toBe(false);
    expect(live.opened).toBe(true);
  });

  it('is not quiet while hospitals are at different steps', () => {
    const live = make();
    all(live, 'opened');
    expect(live.quiet).toBe(true);
    report(live, 'a', 'agreed', 1);
    expect(live.quiet).toBe(false);
    expect(live.opened).toBe(true);
  });

  it('names those whom the others wait for', () => {
    const live = make();
    expect(live.laggards).toEqual([]);
    report(live, 'a', 'committed');
    expect(live.laggards).toEqual(['b', 'c']);
    report(live, 'b', 'scanning');
    report(live, 'c', 'joined');
    expect(live.laggards).toEqual(['c']);
    all(live, 'committed');
    expect(live.laggards).toEqual([]);
  });
});
