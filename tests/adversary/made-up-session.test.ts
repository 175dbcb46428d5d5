import { describe, expect, test } from 'vitest';
import type { Journal } from '../../hospital/journal.ts';
import { admitSession } from '../../hospital/session/session.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { Identity } from '../../protocol/identity.ts';
import { deriveSessionId } from '../../protocol/ledger.ts';
import type { QueryRecord, SessionRecord } from '../../protocol/records.ts';
import { anna, bert, mallory, refusedBy } from './attack.ts';

const query = 'a'.repeat(64);
const ofAll = { query, attempt: 0, roster: [anna, bert, mallory] };
const approved = (...hospitals: readonly string[]) => hospitals.map((hospital) => ({ hospital, decision: 'approved' }));

interface Seen {
  readonly session?: object;
  readonly decisions?: readonly object[];
  readonly openedIn?: string;
  readonly ofQuery?: object;
  readonly suspended?: string;
}

/** What anna does with a session of this id, when its own view of the ledger and its journal say this. */
function offer(
  id: string,
  { session = ofAll, decisions = approved(anna, bert, mallory), openedIn, ofQuery, suspended }: Seen = {},
) {
  const view = {
    session: () => ({ id, commitments: [], receipts: [], status: 'open', ...session }) as unknown as SessionRecord,
    query: () => ({ id: query, researcher: 'rita', decisions, ...ofQuery }) as unknown as QueryRecord,
    organisation: (name: string) => ({
      id: name,
      ...(name === suspended && { suspended: { by: 'audit', reason: '' } }),
    }),
  };
  const member = { organisation: anna, identity: Identity.generate() };
  return admitSession(
    { ledger: view as unknown as Ledger, member, journal: { openedIn: () => openedIn } as unknown as Journal },
    id,
  );
}

// The contract refuses all but the last as well; a hospital does not rely on that.
describe('a session that somebody made up', () => {
  const id = deriveSessionId(ofAll);

  test('is what these tests compare with: an honest one is joined', () => {
    expect(offer(id).session.roster).toEqual(ofAll.roster);
  });

  test.each([
    ['another roster', { ...ofAll, roster: [anna, mallory] }],
    ['another attempt', { ...ofAll, attempt: 1 }],
    ['another query', { ...ofAll, query: 'b'.repeat(64) }],
  ])('under the id of one over %s is refused', (_, session) => {
    expect(refusedBy(() => offer(id, { session }))).toMatchObject({ kind: 'Abort', code: 'ROSTER_MISMATCH' });
  });

  test('of others alone is refused', () => {
    const session = { ...ofAll, roster: [bert, mallory] };
    const error = refusedBy(() => offer(deriveSessionId(session), { session }));
    expect(error).toMatchObject({ kind: 'Abort', code: 'ROSTER_MISMATCH' });
  });

  test.each([
    ['whose query is suspended', { ofQuery: { suspended: { by: 'audit', reason: '' } } }],
    ['whose researcher is', { suspended: 'rita' }],
    ['with a hospital that is', { suspended: bert }],
    ['which this hospital may not take part in, being suspended', { suspended: anna }],
  ])('%s is refused', (_, seen) => {
    expect(refusedBy(() => offer(id, seen))).toMatchObject({ kind: 'Refusal', code: 'SUSPENDED' });
  });

  test.each([
    ['nobody', []],
    ['the others', approved(bert, mallory)],
    ['others, and this hospital denied', [...approved(bert, mallory), { hospital: anna, decision: 'denied' }]],
  ])('of a query that %s approved is refused', (_, decisions) => {
    expect(refusedBy(() => offer(id, { decisions }))).toMatchObject({ kind: 'Refusal', code: 'NOT_APPROVED' });
  });

  test('of a query that was opened before is refused', () => {
    expect(refusedBy(() => offer(id, { openedIn: 'c'.repeat(64) }))).toMatchObject({
      kind: 'Refusal',
      code: 'ALREADY_OPENED',
    });
  });
});
