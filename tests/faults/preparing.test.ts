import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HospitalNode } from '../../hospital/node.ts';
import type { Precompute } from '../../hospital/precompute.ts';
import { Precomputing } from '../../hospital/precomputing.ts';
import { sandboxPolicy } from '../../hospital/policy.ts';
import { ask, until } from '../end-to-end/world.ts';
import { Members, query } from './members.ts';

const HOSPITALS = ['anna', 'bert', 'carl'] as const;
const SLICE = 4096;
const BATCH = 32 * SLICE;

const wanting = (triples: number): Precompute => ({ triples, rosters: [[...HOSPITALS]], masksPerTriple: 1.4 });
const RELEASE = { minimumCell: 5, minimumHospitals: 2 };
/** Decided on shares, and so in need of stock. */
const guarded = { ...query, release: RELEASE };

let members: Members;
beforeEach(async () => {
  members = await Members.start(HOSPITALS);
});
afterEach(() => members.close());

const start = (precompute: Precompute, precomputeInterval = 100): Promise<HospitalNode[]> =>
  Promise.all(
    HOSPITALS.map((id, place) =>
      members.node(id, place, { precompute, precomputeInterval, policy: sandboxPolicy({ release: RELEASE }) }),
    ),
  );
const triples = (nodes: readonly HospitalNode[]): number[] =>
  nodes.map(({ stock }) => stock.reduce((sum, each) => sum + each.triples, 0));
const all = (count: number): number[] => HOSPITALS.map(() => count);
const filled = (nodes: readonly HospitalNode[], count: number): Promise<true | undefined> =>
  until(
    `${count} triples`,
    () => (triples(nodes).every((held) => held === count) && logged('stock prepared', 1) ? true : undefined),
    50,
  );
const logged = (words: string, times: number): boolean =>
  HOSPITALS.every((id) => members.logs.get(id)!.filter((line) => line.includes(words)).length >= times);

describe('hospitals that are idle', () => {
  test('make stock together, a query takes of it at all of them alike, and it is made up for', async () => {
    const nodes = await start(wanting(2 * SLICE));
    await filled(nodes, 2 * SLICE);
    const first = await ask(members, guarded);
    expect(first.groups[0]).toMatchObject({ status: 'released' });
    const rest = triples(nodes);
    expect(new Set(rest).size).toBe(1);
    expect(rest[0]).toBeLessThan(2 * SLICE);
    expect(members.logs.get('anna')!.join('')).not.toContain('destroyed');
    const second = await ask(members, guarded);
    expect(second.groups).toEqual(first.groups);
    await until('the stock to be whole again', () => triples(nodes).every((held) => held === 2 * SLICE), 50);
  });

  test('stop between two batches when a query comes, and lose nothing', async () => {
    const nodes = await start(wanting(40 * BATCH));
    await until('the first batch', () => triples(nodes).every((held) => held >= BATCH), 50);
    const answer = await ask(members, guarded);
    expect(answer.groups[0]).toMatchObject({ status: 'released' });
    expect(logged('stock prepared', 1)).toBe(true);
    const lines = HOSPITALS.flatMap((id) => members.logs.get(id)!).join('');
    expect(lines).not.toContain('destroyed');
    expect(lines).not.toContain('preparation failed');
    await until('preparing to go on', () => triples(nodes).every((held) => held > 2 * BATCH), 50);
  });

  test('destroy what they have when one is lost in the middle of a batch, and begin anew when it is back', async () => {
    const nodes = await start(wanting(40 * BATCH));
    await until('the first batch', () => triples(nodes).every((held) => held >= BATCH), 50);
    await nodes[2]!.close();
    await until('the others to notice', () => members.logs.get('anna')!.join('').includes('preparation failed'));
    const state = readdirSync(join(members.stateFolder('carl'), 'pool'));
    expect(state).toContain('lock');
    nodes[2] = await members.node('carl', 2, { precompute: wanting(40 * BATCH), precomputeInterval: 100 });
    await until('stock at all', () => triples(nodes).every((held) => held >= BATCH), 50);
    expect(members.logs.get('carl')!.join('')).not.toContain('MAC_CHECK');
  });

  test('decline where one of them wants no stock, and ask less and less often', async () => {
    const [anna, bert] = await Promise.all([
      members.node('anna', 0, { precompute: wanting(2 * SLICE), precomputeInterval: 50 }),
      members.node('bert', 1, { precompute: wanting(2 * SLICE), precomputeInterval: 50 }),
      members.node('carl', 2),
    ]);
    await until('carl to decline twice', () => {
      const line = members.logs.get('carl')!.filter((each) => each.includes('preparation declined'));
      return line.length >= 2;
    });
    expect(triples([anna, bert])).toEqual([0, 0]);
    expect(anna.connected && bert.connected).toBe(true);
  });
});

describe('the pool of a hospital', () => {
  test('is used by its node alone; without one, a command makes stock with the others', async () => {
    const [anna, bert] = await Promise.all([
      members.node('anna', 0, { precompute: wanting(2 * SLICE), precomputeInterval: 100_000 }),
      members.node('bert', 1, { precompute: wanting(2 * SLICE), precomputeInterval: 100_000 }),
    ]);
    const options = await members.options('carl', 2);
    const precompute = wanting(2 * SLICE);
    const command = new Precomputing({ ...options, precompute, interval: 50 });
    members.closeAtEnd(command);
    expect(() => new Precomputing({ ...options, precompute })).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
    command.start();
    await until('stock', () => command.lacking.length === 0, 50);
    await until('stock at all', () => triples([anna, bert]).every((held) => held === 2 * SLICE));
    expect(command.stock).toMatchObject([{ roster: [...HOSPITALS], setup: true, triples: 2 * SLICE }]);
    expect(triples([anna, bert])).toEqual(all(2 * SLICE).slice(1));
  });
});
