import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Action } from '../../protocol/ledger.ts';
import { until, valuesOf } from '../end-to-end/world.ts';
import { Members, query, ROWS } from './members.ts';

const hospitals = ['anna', 'bert', 'carl'] as const;
const [anna, bert, carl] = hospitals;

describe('a coordinator that wants a second opening', () => {
  let members: Members;
  const asCoordinator = (action: Action): Promise<unknown> =>
    members.ledger.submit(members.member('coordinator'), action);

  beforeAll(async () => {
    members = await Members.start(hospitals);
    await Promise.all(hospitals.map((id, i) => members.node(id, i)));
  });
  afterAll(() => members.close());

  test('is refused by every node once its share has left, whatever the ledger says', async () => {
    const id = await members.researcher.submit(query);
    const first = await members.session(id, 0);
    await until('all shares', () => hospitals.every((each) => members.shares(each).length === 1));

    await asCoordinator({ type: 'abortSession', session: first.id, reason: 'DROP_OUT' });
    await asCoordinator({ type: 'openSession', query: id, attempt: 1, roster: [anna, bert] });
    const second = await members.session(id, 1);
    await until('a refusal', () => members.ledger.session(second.id)?.status === 'aborted');
    expect(members.ledger.session(second.id)?.commitments[0] ?? {}).toEqual({});
    for (const each of [anna, bert]) {
      const refusal = await until(`the refusal of ${each}`, () =>
        members.logs.get(each)!.find((line) => line.includes(second.id) && line.includes('ALREADY_OPENED')),
      );
      expect(refusal).toContain('sent its share of this query');
    }

    // The same roster again, and again: still nothing.
    await asCoordinator({ type: 'openSession', query: id, attempt: 2, roster: [anna, bert] });
    const third = await members.session(id, 2);
    await until('another refusal', () => members.ledger.session(third.id)?.status === 'aborted');
    for (const each of hospitals) {
      expect(members.shares(each)).toEqual([`${first.id}-0.share`]);
      expect(members.opened(each, id)).toBe(1);
    }
  });

  test('cannot let a left-out hospital back in, open two sessions at once, or skip an attempt', async () => {
    const id = await members.researcher.submit(query);
    const first = await members.session(id, 0);
    await expect(
      asCoordinator({ type: 'openSession', query: id, attempt: 1, roster: [anna, bert] }),
    ).rejects.toMatchObject({ kind: 'Refusal', code: 'STALE' });
    await until('all shares', () => hospitals.every((each) => members.shares(each).length === 2));
    await asCoordinator({ type: 'abortSession', session: first.id, reason: 'DROP_OUT' });
    await expect(
      asCoordinator({ type: 'openSession', query: id, attempt: 2, roster: [anna, bert] }),
    ).rejects.toMatchObject({ kind: 'Refusal', code: 'STALE' });
    await asCoordinator({ type: 'openSession', query: id, attempt: 1, roster: [anna, bert] });
    const second = await members.session(id, 1);
    await until('a refusal', () => members.ledger.session(second.id)?.status === 'aborted');
    for (const roster of [
      [anna, bert, carl],
      [anna, carl],
      [bert, carl],
    ])
      await expect(asCoordinator({ type: 'openSession', query: id, attempt: 2, roster })).rejects.toMatchObject({
        kind: 'Refusal',
        code: 'POLICY',
        party: carl,
      });
  });

  test('has spoilt those queries and no other', async () => {
    const id = await members.researcher.submit(query);
    const answer = await members.researcher.answer(id, { signal: AbortSignal.timeout(20_000) });
    expect(valuesOf(answer)['count']).toBe(3 * ROWS);
  });
});
