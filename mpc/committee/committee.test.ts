import { describe, expect, test } from 'vitest';
import { toHex } from '../../protocol/bytes.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { seededRandom, World } from '../testing/world.ts';
import { Committee, verifyCommittee } from './committee.ts';

const session = '5'.repeat(64);
const hospitals = Array.from({ length: 12 }, (_, i) => `hospital-${String(i).padStart(3, '0')}`);

describe('a committee', () => {
  test('is drawn from coin and session alone, in roster order', () => {
    const coin = new Uint8Array(32).fill(1);
    const { members, clients } = new Committee(session, hospitals, coin);
    expect(new Committee(session, hospitals, coin).members).toEqual(members);
    expect(members).toHaveLength(8);
    expect(members).toEqual([...members].sort());
    expect([...members, ...clients].sort()).toEqual(hospitals);
    expect(new Committee(session, hospitals, new Uint8Array(32).fill(2)).members).not.toEqual(members);
    expect(new Committee('6'.repeat(64), hospitals, coin).members).not.toEqual(members);
  });

  test('draws every hospital equally often', () => {
    const random = seededRandom('draws');
    const drawn = new Map<string, number>();
    const draws = 3000;
    for (let i = 0; i < draws; i++) {
      const { members } = new Committee(session, hospitals, random(32));
      for (const member of members) drawn.set(member, (drawn.get(member) ?? 0) + 1);
    }
    // Five standard deviations of a count with chance 2/3.
    for (const count of drawn.values()) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(draws * (2 / 9)));
    expect(drawn.size).toBe(12);
  });

  test('is the same at all hospitals, and hangs on what each of them contributed', async () => {
    const elect = async (changed?: string): Promise<Committee[]> => {
      const world = new World({ parties: 10, seed: 'elect', deadline: 'idle' });
      return Promise.all(
        world.roster.map(async (party) => {
          const channel = await world.channel(party);
          return Committee.elect(channel, changed === party ? seededRandom('other') : world.random(party));
        }),
      );
    };
    const first = await elect();
    for (const { coin, members } of first)
      expect({ coin, members }).toEqual({ coin: first[0]!.coin, members: first[0]!.members });
    for (const party of ['hospital-000', 'hospital-009']) {
      expect((await elect(party))[0]!.coin).not.toEqual(first[0]!.coin);
    }
  });
});

describe('the committee that an outcome records', () => {
  const outcome = (committee?: Outcome['committee']): Outcome => ({
    released: '',
    announcements: [],
    answers: [],
    ...(committee === undefined ? {} : { committee }),
  });
  const record = new Committee(session, hospitals, new Uint8Array(32).fill(7)).record;

  test('is verified', () => {
    verifyCommittee(outcome(record), session, hospitals);
    verifyCommittee(outcome(), session, hospitals.slice(0, 8));
  });

  const other = hospitals.find((party) => !record.members.includes(party))!;
  test.each([
    ['with another member', { ...record, members: [...record.members.slice(1), other].sort() }, hospitals],
    ['in another order', { ...record, members: record.members.toReversed() }, hospitals],
    ['with one member less', { ...record, members: record.members.slice(1) }, hospitals],
    ['of another coin', { ...record, coin: toHex(new Uint8Array(32).fill(8)) }, hospitals],
    ['of another roster', record, hospitals.filter((party) => party !== record.members[0])],
    ['left out', undefined, hospitals],
    ['where all hospitals should have computed', record, hospitals.slice(0, 8)],
  ])('%s is refused', (_, committee, roster) => {
    expect(() => verifyCommittee(outcome(committee), session, roster)).toThrow(
      expect.objectContaining({ kind: 'Abort', code: 'EQUIVOCATION' }),
    );
  });
});
