import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDocument } from '../../protocol/canonical.ts';
import { Identity } from '../../protocol/identity.ts';
import { entryHash, ledgerExport, type Entry } from '../../protocol/ledger.ts';
import { toHex } from '../../protocol/bytes.ts';
import type { Ledger } from '../ledger.ts';
import { rotation } from '../sign.ts';
import { verifyExport } from '../verify.ts';
import { actions, ASKED, hex, makeWorld, type MemberName, type World } from './world.ts';

/** A running ledger that was founded by `world.founding`. */
export interface LedgerUnderTest {
  /** A member's own connection. */
  connect(): Promise<Ledger>;
  stop(): Promise<void>;
}

/** What every implementation of `Ledger` must do. Call it in a test file of the implementation. */
export function ledgerCases(name: string, start: (world: World) => Promise<LedgerUnderTest>): void {
  describe(name, () => {
    const world = makeWorld();
    let under: LedgerUnderTest;
    let ledger: Ledger;
    let other: Ledger;
    const as = (who: MemberName) => world.members[who];

    beforeEach(async () => {
      under = await start(world);
      ledger = await under.connect();
      other = await under.connect();
    });
    afterEach(async () => {
      await ledger.close();
      await other.close();
      await under.stop();
    });

    async function submitted(steps = 1): Promise<string> {
      await ledger.submit(as('board'), actions.schema());
      return (await ledger.submit(as('rita'), actions.submit({ steps }))).id;
    }
    async function approved(): Promise<string> {
      const query = await submitted();
      await Promise.all(ASKED.map((id) => ledger.submit(as(id as MemberName), actions.approve(query))));
      return query;
    }

    it('starts with the founding members', () => {
      expect(ledger.organisations().map(({ id }) => id)).toEqual(world.organisations.map(({ id }) => id));
      expect(ledger.organisation('north')).toMatchObject({ roles: ['hospital'], keys: [{ status: 'active' }] });
      expect(ledger.organisation('nobody')).toBeUndefined();
      expect(ledger.consortium).toBe(other.consortium);
    });

    it('carries a query from question to receipt, the same for every member', async () => {
      const query = await approved();
      const opened = await ledger.submit(as('relay'), actions.open(query));
      expect(ledger.sessionOpenedAt(opened.id)).toBe(opened.index);
      await Promise.all(ASKED.map((id) => ledger.submit(as(id as MemberName), actions.commit(opened.id))));
      await ledger.submit(as('rita'), actions.receipt(opened.id));
      await other.refresh();
      for (const view of [ledger, other]) {
        expect(view.query(query)).toMatchObject({ status: 'completed', sessions: [opened.id], researcher: 'rita' });
        expect(view.session(opened.id)).toMatchObject({ status: 'completed', receipts: [hex(11)], roster: ASKED });
        expect(Object.keys(view.session(opened.id)!.commitments[0]!)).toEqual(ASKED);
        expect(view.queries()).toHaveLength(1);
        expect(view.schemas()).toEqual([view.schema('heart@1')]);
      }
      expect(other.rootAt(ledger.head().size)).toBe(ledger.head().root);
    });

    it('shows a refusal of the contract as it is', async () => {
      const query = await submitted();
      const size = ledger.head().size;
      await expect(ledger.submit(as('west'), actions.approve(query))).rejects.toMatchObject({
        name: 'Refusal',
        code: 'NOT_AUTHORIZED',
        party: 'west',
      });
      await ledger.refresh();
      expect(ledger.head().size).toBe(size);
    });

    it('does nothing twice', async () => {
      const query = await submitted();
      await ledger.submit(as('north'), actions.approve(query));
      await expect(other.submit(as('north'), actions.approve(query))).rejects.toMatchObject({ code: 'ALREADY_DONE' });
      await expect(ledger.submit(as('north'), actions.deny(query))).rejects.toMatchObject({ code: 'ALREADY_DONE' });
    });

    it('of two that do the same at once, one does it', async () => {
      const query = await approved();
      const outcomes = await Promise.allSettled([
        ledger.submit(as('relay'), actions.open(query)),
        other.submit(as('relay'), actions.open(query, 0, ['east', 'north'])),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await ledger.refresh();
      expect(ledger.query(query)?.sessions).toHaveLength(1);
    });

    it('follows a rotated key', async () => {
      const next = Identity.generate();
      await ledger.submit(as('south'), rotation(ledger.consortium, 'south', next));
      await expect(ledger.submit(as('south'), actions.schema())).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
      await ledger.submit({ organisation: 'south', identity: next }, actions.schema());
      expect(ledger.organisation('south')?.keys.map(({ status }) => status)).toEqual(['revoked', 'active']);
    });

    it('tells entries in order, those to come too, until the signal', async () => {
      const done = new AbortController();
      const seen: Entry[] = [];
      const reading = (async () => {
        for await (const entry of other.entries(0, done.signal)) {
          seen.push(entry);
          if (entry.signed.action.type === 'submitQuery') done.abort();
        }
      })();
      await submitted();
      await reading;
      expect(seen.map(({ index }) => index)).toEqual([0, 1, 2]);
      expect(toHex(entryHash(seen[0]!))).toBe(ledger.consortium);
      expect(seen[2]!.previous).toBe(toHex(entryHash(seen[1]!)));
    });

    it('ends waiting readers when it is closed', async () => {
      const third = await under.connect();
      const reading = (async () => {
        for await (const entry of third.entries(ledger.head().size, new AbortController().signal)) return entry;
        return undefined;
      })();
      await third.close();
      expect(await reading).toBeUndefined();
    });

    it('exports what anyone can check offline', async () => {
      const query = await approved();
      const document = checkDocument(ledgerExport, JSON.parse(JSON.stringify(await ledger.export())), {
        what: 'export',
        limit: 1 << 24,
      });
      const pins = { consortium: ledger.consortium, operator: ledger.head().publicKey };
      const verified = await verifyExport(document, pins);
      expect(verified.query(query)).toEqual(ledger.query(query));
      expect(verified.head()).toEqual(ledger.head());
      expect(verified.rootAt(2)).toBe(ledger.rootAt(2));
    });
  });
}
