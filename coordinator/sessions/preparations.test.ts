import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { derivePreparationId, type PreparationRequest } from '../../protocol/frame.ts';
import type { TestHospital } from '../testing/hospital.ts';
import { HOSPITALS, pause, until, World } from '../testing/world.ts';

let world: World;
let hospitals: readonly TestHospital[];
const [EAST, NORTH, SOUTH, WEST] = HOSPITALS;
const at = (organisation: string): TestHospital => hospitals.find((each) => each.organisation === organisation)!;

beforeAll(async () => {
  world = await World.found();
  await world.start({ deadlines: { preparation: 1500 } });
});
afterAll(() => world.close());
beforeEach(async () => {
  hospitals = await world.connectAll(HOSPITALS);
});
afterEach(async () => {
  for (const each of hospitals) each.kill();
  await pause(30);
});

const requestOf = (roster: readonly string[], size = 1): PreparationRequest => ({
  roster: [...roster],
  size,
  nonce: randomBytes(32).toString('hex'),
});

async function begin(roster: readonly string[]): Promise<string> {
  const request = requestOf(roster);
  const id = derivePreparationId(request);
  at(roster[0]!).send({ type: 'prepare', request });
  for (const each of roster) {
    const { notice } = await at(each).next('notice', (frame) => frame.notice.id === id);
    expect(notice).toEqual({ kind: 'preparation', id, request });
  }
  return id;
}
const declined = async (from: string, request: PreparationRequest): Promise<void> => {
  at(from).send({ type: 'prepare', request });
  const session = derivePreparationId(request);
  const { over } = await at(from).next('over', (frame) => frame.over.session === session);
  expect(over.outcome).toBe('declined');
};

describe('a preparation', () => {
  it('is made known to its roster alone, carries frames between them, and ends when all are complete', async () => {
    const roster = [EAST, NORTH, SOUTH];
    const id = await begin(roster);
    expect(at(WEST).frames).toEqual([]);
    at(SOUTH).relay(id, 2, 0, Buffer.from('sealed'));
    expect(Buffer.from((await at(EAST).next('relay')).payload).toString()).toBe('sealed');
    at(EAST).send({ type: 'over', over: { session: id, outcome: 'complete' } });
    // The last frames of the others still arrive.
    at(NORTH).relay(id, 1, 2, Buffer.from('last'));
    expect(Buffer.from((await at(SOUTH).next('relay')).payload).toString()).toBe('last');
    for (const each of [NORTH, SOUTH]) at(each).send({ type: 'over', over: { session: id, outcome: 'complete' } });
    await until(
      async () => (await world.metric('healthchain_preparations_total{outcome="complete"}')) > 0 || undefined,
    );
    // Late frames are dropped, and nobody is cut off for them.
    at(NORTH).relay(id, 1, 2, Buffer.from('late'));
    await begin(roster);
    expect(at(NORTH).isOpen).toBe(true);
    expect(at(SOUTH).frames.filter(({ type }) => type === 'relay')).toHaveLength(1);
  });

  it('ends for all when one does not take part, when one is lost, and after its deadline', async () => {
    const first = await begin([EAST, NORTH]);
    at(NORTH).send({ type: 'over', over: { session: first, outcome: 'declined' } });
    expect((await at(EAST).next('over')).over).toEqual({ session: first, outcome: 'declined' });
    const second = await begin([EAST, SOUTH]);
    at(SOUTH).kill();
    expect((await at(EAST).next('over', ({ over }) => over.session === second)).over.outcome).toBe('failed');
    const third = await begin([EAST, WEST]);
    expect((await at(WEST).next('over', ({ over }) => over.session === third)).over.outcome).toBe('failed');
  });

  it('is declined while a hospital is in another, is away, or is none, or when it was before', async () => {
    const id = await begin([EAST, NORTH]);
    await declined(SOUTH, requestOf([NORTH, SOUTH]));
    await declined(SOUTH, requestOf([SOUTH, 'stranger']));
    await declined(SOUTH, requestOf([SOUTH, 'rita'].sort()));
    await declined(SOUTH, requestOf([SOUTH, WEST], 10_000));
    at(EAST).send({ type: 'over', over: { session: id, outcome: 'failed' } });
    await at(NORTH).next('over');
    const again = requestOf([EAST, NORTH]);
    at(EAST).send({ type: 'prepare', request: again });
    await at(NORTH).next('notice', ({ notice }) => notice.id === derivePreparationId(again));
    await declined(EAST, again);
    at(WEST).kill();
    await pause(50);
    await declined(SOUTH, requestOf([SOUTH, WEST]));
  });
});

describe('whoever breaks the rules of preparations is cut off', () => {
  const id = 'ab'.repeat(32);
  it.each<[string, (session: string) => void, string]>([
    [
      'asks for a roster without itself',
      () => at(WEST).send({ type: 'prepare', request: requestOf([EAST, NORTH]) }),
      'not in the roster',
    ],
    [
      'asks for a roster out of order',
      () => at(WEST).send({ type: 'prepare', request: requestOf([WEST, EAST]) }),
      'not in the roster',
    ],
    [
      'ends one it is not in',
      (session) => at(WEST).send({ type: 'over', over: { session, outcome: 'failed' } }),
      'not in the roster',
    ],
    ['sends into one it is not in', (session) => at(WEST).relay(session, 0, 1, Buffer.from('x')), 'wrong sender'],
    ['reports on one', (session) => at(WEST).status(session, 'joined'), 'status of a preparation'],
    ['sends notices', () => at(WEST).send({ type: 'notice', notice: { kind: 'query', id } }), 'direction'],
  ])('%s', async (_, act, reason) => {
    const session = await begin([EAST, NORTH]);
    act(session);
    expect((await at(WEST).closed()).reason).toBe(reason);
    at(EAST).relay(session, 0, 1, Buffer.from('still there'));
    await at(NORTH).next('relay');
  });

  it('asks too often', async () => {
    for (let i = 0; i < 1200; i++) at(WEST).send({ type: 'prepare', request: requestOf([WEST, 'zoo']) });
    expect((await at(WEST).closed()).reason).toBe('rate');
  });
});
