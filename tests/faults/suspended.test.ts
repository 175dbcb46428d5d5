import { afterEach, describe, expect, it } from 'vitest';
import type { RemoteLedger } from '../../ledger/index.ts';
import type { Member } from '../../ledger/ledger.ts';
import type { Action, SuspensionSubject } from '../../protocol/ledger.ts';
import { until } from '../end-to-end/world.ts';
import { Members, query } from './members.ts';

const HOSPITALS = ['anna', 'bert', 'carl'] as const;

let members: Members;
afterEach(() => members.close());

let nonce = 0;
const auditor = (type: 'suspend' | 'reinstate', subject: SuspensionSubject) =>
  members.ledger.submit(members.member('auditor'), {
    ...{ type, subject, reason: 'an inquiry' },
    nonce: (++nonce).toString(16).padStart(64, '0'),
  });

/** A ledger whose commitments wait until they are let through: its hospital holds every session. */
function holding(ledger: RemoteLedger, released: Promise<void>): RemoteLedger {
  return new Proxy(ledger, {
    get(target, name) {
      if (name === 'submit') {
        return async (member: Member, action: Action) => {
          if (action.type === 'recordCommitment') await released;
          return target.submit(member, action);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** All three connected, the last of them holding every session at its commitment until `release`. */
async function start(): Promise<{ release: () => void }> {
  members = await Members.start(HOSPITALS);
  const gate = Promise.withResolvers<void>();
  await members.node('anna', 0);
  await members.node('bert', 1);
  await members.node('carl', 2, { ledger: holding(await members.view(), gate.promise) });
  return { release: () => gate.resolve() };
}
const othersCommitted = (id: string) =>
  until(
    'two commitments',
    () => Object.keys(members.sessionsOf(id)[0]?.commitments[0] ?? {}).length === 2 || undefined,
  );
const aborted = (id: string) => until('an abort', () => members.sessionsOf(id)[0]?.abort);

describe('a suspension', () => {
  it('of a query ends its session before anything opens; reinstated, it is answered', async () => {
    const { release } = await start();
    const id = await members.researcher.submit(query);
    await othersCommitted(id);
    await auditor('suspend', { query: id });
    expect(await aborted(id)).toMatchObject({ reason: 'SUSPENDED' });
    release();
    for (const hospital of HOSPITALS) expect(members.shares(hospital)).toEqual([]);
    // A while in which a coordinator that had not noticed would form the next session.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(members.sessionsOf(id)).toHaveLength(1);
    await auditor('reinstate', { query: id });
    await members.researcher.answer(id, { signal: AbortSignal.timeout(60_000) });
    expect(members.ledger.query(id)).toMatchObject({ status: 'completed' });
  });

  it('of a hospital ends its sessions; the others answer without it', async () => {
    const { release } = await start();
    const id = await members.researcher.submit(query);
    await othersCommitted(id);
    await auditor('suspend', { organisation: 'carl' });
    expect(await aborted(id)).toMatchObject({ reason: 'SUSPENDED' });
    release();
    await members.researcher.answer(id, { signal: AbortSignal.timeout(60_000) });
    expect(members.sessionsOf(id).at(-1)).toMatchObject({ status: 'completed', roster: ['anna', 'bert'] });
  });

  it('of a researcher keeps the shares that are out from it, until it is reinstated', async () => {
    const { release } = await start();
    release();
    const id = await members.researcher.submit(query);
    await until('all shares', () => HOSPITALS.every((each) => members.shares(each).length === 1) || undefined);
    await auditor('suspend', { organisation: 'researcher' });
    await expect(members.researcher.answer(id, { signal: AbortSignal.timeout(60_000) })).rejects.toMatchObject({
      ...{ name: 'Refusal', code: 'SUSPENDED' },
    });
    expect(members.sessionsOf(id)).toMatchObject([{ status: 'open', receipts: [] }]);
    await auditor('reinstate', { organisation: 'researcher' });
    await members.researcher.answer(id, { signal: AbortSignal.timeout(60_000) });
    expect(members.ledger.query(id)).toMatchObject({ status: 'completed' });
  });
});
