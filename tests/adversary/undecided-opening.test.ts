import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { PlayedConsortium } from './played.ts';

// Large sums, as those of squares, have shares mod l, rule or not.
const statistics = [{ count: {} }, { variance: { column: 'paid' } }];
const strict = { statistics, groupBy: [{ column: 'sex' }], release: { minimumCell: 5, minimumHospitals: 2 } };
const open = { ...strict, release: everythingOpens() };

describe('hospitals that all run another protocol than the query asks for', () => {
  let consortium: PlayedConsortium;
  beforeAll(async () => {
    consortium = await PlayedConsortium.open();
  });
  afterAll(() => consortium.close());

  const answer = (query: string) => consortium.researcher.answer(query, { signal: AbortSignal.timeout(10_000) });

  test.each([
    ['decided, and the query has a rule', strict, { released: (cell: number) => cell === 0 }],
    ['opened everything, and the query has no rule', open, undefined],
  ])('are what these tests compare with: they %s', async (_, query, decision) => {
    const played = await consortium.play(query, decision);
    expect((await answer(played.query)).groups).toHaveLength(2);
    expect(consortium.ledger.session(played.session)!.status).toBe('completed');
  });

  test.each([
    ['open every cell of a query with a rule', strict, undefined],
    ['withhold cells of a query without one', open, { released: (cell: number) => cell === 0 }],
    ['decide on a query without a rule', open, { released: () => true }],
  ])('and %s: nothing is shown or recorded', async (_, query, decision) => {
    const played = await consortium.play(query, decision);
    await expect(answer(played.query)).rejects.toMatchObject({ kind: 'Abort', code: 'EQUIVOCATION' });
    expect(consortium.ledger.session(played.session)!.receipts).toEqual([]);
  });
});
