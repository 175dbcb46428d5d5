import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDocument } from '../../protocol/canonical.ts';
import type { Refusal } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import { entryHash } from '../../protocol/ledger-text.ts';
import { ledgerExport, type Action, type Entry } from '../../protocol/ledger.ts';
import { accessGranted, consentsAt } from '../consent.ts';
import { creditsOf, creditTotals } from '../credits.ts';
import { pinsOf } from '../heads.ts';
import type { Ledger } from '../ledger.ts';
import { publicationHolds } from '../publications.ts';
import { rotation } from '../sign.ts';
import { verifyExport } from '../verify.ts';
import {
  accessGrant,
  accessRevocation,
  actions,
  ASKED,
  consentOf,
  hex,
  makeWorld,
  ruledSchema,
  type MemberName,
  type World,
} from './world.ts';

/** A running ledger that was founded by `world.founding`. */
export interface LedgerUnderTest {
  /** A member's own connection. */
  connect(): Promise<Ledger>;
  stop(): Promise<void>;
}

export interface CasesOptions {
  /** The MSP that speaks for the members, where the ledger is a Fabric channel. */
  readonly msp?: string;
  readonly skip?: boolean;
  /** Milliseconds for one case, and for what starts its ledger. */
  readonly timeout?: number;
}

/** What every implementation of `Ledger` must do. Call it in a test file of the implementation. */
export function ledgerCases(
  name: string,
  start: (world: World) => Promise<LedgerUnderTest>,
  { msp, skip = false, timeout = 60_000 }: CasesOptions = {},
): void {
  describe.skipIf(skip)(name, { timeout }, () => {
    const world = makeWorld(undefined, undefined, msp);
    let under: LedgerUnderTest;
    let ledger: Ledger;
    let other: Ledger;
    const as = (who: MemberName) => world.members[who];

    beforeEach(async () => {
      under = await start(world);
      ledger = await under.connect();
      other = await under.connect();
    }, timeout);
    afterEach(async () => {
      await ledger.close();
      await other.close();
      await under.stop();
    }, timeout);

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
      expect(entryHash(seen[0]!)).toBe(ledger.consortium);
      expect(seen[2]!.previous).toBe(entryHash(seen[1]!));
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

    describe('patients’ statements', () => {
      const patient = Identity.generate();
      const use = { dataset: 'heart', purpose: 'GRU', hospital: 'north' };

      it('are passed on by anyone, once, and take effect with the next epoch', async () => {
        const granted = consentOf(patient, ledger.consortium);
        await ledger.submit(as('relay'), granted);
        await expect(other.submit(as('north'), granted)).rejects.toMatchObject({ code: 'ALREADY_DONE' });
        await ledger.submit(as('audit'), actions.epoch('2026-11'));
        await ledger.submit(as('rita'), consentOf(patient, ledger.consortium, { sequence: 2, decision: 'withdraw' }));
        await ledger.submit(as('board'), actions.epoch('2026-12'));
        await other.refresh();
        for (const view of [ledger, other]) {
          expect(view.consentEpochs()).toEqual([
            { period: '2026-11', by: 'audit' },
            { period: '2026-12', by: 'board' },
          ]);
          const decided = (epoch: string) => [...consentsAt(view.patients(), { ...use, epoch })];
          expect(decided('2026-11')).toEqual([[patient.publicKey, 'grant']]);
          expect(decided('2026-12')).toEqual([[patient.publicKey, 'withdraw']]);
        }
      });

      it('of many at once all get through', async () => {
        const patients = Array.from({ length: 12 }, () => Identity.generate());
        await Promise.all(
          patients.map((each, at) =>
            [ledger, other][at % 2]!.submit(as(at % 2 === 0 ? 'relay' : 'north'), consentOf(each, ledger.consortium)),
          ),
        );
        await ledger.refresh();
        expect([...ledger.patients()].map(({ patient: key }) => key).sort()).toEqual(
          patients.map(({ publicKey }) => publicKey).sort(),
        );
        expect(ledger.patient(patients[3]!.publicKey)?.consents).toHaveLength(1);
      });

      it('of another ledger, or signed by nobody, are refused', async () => {
        await expect(ledger.submit(as('relay'), consentOf(patient, hex(3)))).rejects.toMatchObject({ code: 'UNKNOWN' });
        const forged = { ...consentOf(patient, ledger.consortium), signature: hex(3, 64) };
        await expect(ledger.submit(as('relay'), forged)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
      });

      it('give a doctor access until a day, and take it back', async () => {
        const asked = { patient: patient.publicKey, doctor: hex(21), hospital: 'north', at: new Date('2026-12-31') };
        await ledger.submit(as('relay'), accessGrant(patient, ledger.consortium));
        expect(accessGranted(ledger, asked)).toBe(true);
        expect(accessGranted(ledger, { ...asked, at: new Date('2027-01-01') })).toBe(false);
        await ledger.submit(as('relay'), accessRevocation(patient, ledger.consortium));
        expect(accessGranted(ledger, asked)).toBe(false);
      });
    });

    it('suspends and reinstates a member and a query', async () => {
      const query = await submitted();
      await ledger.submit(as('audit'), actions.suspend({ organisation: 'north' }));
      await expect(ledger.submit(as('north'), actions.approve(query))).rejects.toMatchObject({
        ...{ name: 'Refusal', code: 'SUSPENDED', party: 'north' },
      });
      expect(ledger.organisation('north')?.suspended).toEqual({ by: 'audit', reason: 'under inquiry' });
      await ledger.submit(as('audit'), actions.reinstate({ organisation: 'north' }));
      await ledger.submit(as('audit'), actions.suspend({ query }));
      expect(ledger.query(query)?.suspended?.by).toBe('audit');
      await expect(ledger.submit(as('north'), actions.approve(query))).rejects.toMatchObject({ code: 'SUSPENDED' });
      await ledger.submit(as('audit'), actions.reinstate({ query }));
      await ledger.submit(as('north'), actions.approve(query));
      expect(ledger.query(query)).not.toHaveProperty('suspended');
    });

    it('debits a budget with the submission: of many at once as many get through as it allows', async () => {
      await ledger.submit(as('board'), { type: 'registerSchema', schema: ruledSchema({ consent: { basis: 'none' } }) });
      const outcomes = await Promise.allSettled(
        [1, 2, 3, 4, 5].map((nonce) =>
          [ledger, other][nonce % 2]!.submit(as('rita'), actions.submit({ nonce: hex(nonce) })),
        ),
      );
      const codes = outcomes.map((each) => (each.status === 'rejected' ? (each.reason as Refusal).code : 'done'));
      expect(codes.sort()).toEqual(['POLICY', 'POLICY', 'POLICY', 'done', 'done']);
      await ledger.refresh();
      expect(ledger.queries()).toHaveLength(2);
    });

    it('credits the hospitals of a completed query, and publishes its result', async () => {
      await ledger.submit(as('board'), {
        type: 'registerSchema',
        schema: ruledSchema({ consent: { basis: 'opt-out' } }),
      });
      await ledger.submit(as('audit'), actions.epoch('2026-12'));
      await expect(ledger.submit(as('rita'), actions.submit())).rejects.toMatchObject({ code: 'POLICY' });
      const consentEpoch = '2026-12';
      const { id: query } = await ledger.submit(as('rita'), actions.submit({ consentEpoch }));
      await Promise.all(ASKED.map((id) => ledger.submit(as(id as MemberName), actions.approve(query))));
      const { id: session } = await ledger.submit(as('relay'), actions.open(query));
      const commitment: Action = { type: 'recordCommitment', session, step: 0, commitment: hex(9), consentEpoch };
      await Promise.all(ASKED.map((id) => ledger.submit(as(id as MemberName), commitment)));
      const { index } = await ledger.submit(as('rita'), actions.receipt(session));
      await ledger.submit(as('rita'), actions.publish(ledger.consortium, session));
      await other.refresh();
      const { entries } = await verifyExport(await ledger.export());
      for (const view of [ledger, other]) {
        expect(view.query(query)).toMatchObject({ status: 'completed', consentEpoch });
        expect(view.sessionCompletedAt(session)).toBe(entries[index]!.time);
        const totals = creditTotals(creditsOf(view));
        expect(totals.map(({ hospital }) => hospital)).toEqual(ASKED);
        expect(totals.reduce((sum, { amount }) => sum + amount, 0n)).toBe(100n);
        expect(totals[0]).toMatchObject({ dataset: 'heart', queries: 1, period: entries[index]!.time.slice(0, 7) });
        expect(view.publications()).toHaveLength(1);
        expect(publicationHolds(view.publications()[0]!, view)).toBe(true);
      }
    });

    it('exports what anyone can check offline', async () => {
      const query = await approved();
      const document = checkDocument(ledgerExport, JSON.parse(JSON.stringify(await ledger.export())), {
        what: 'export',
        limit: 1 << 24,
      });
      const verified = await verifyExport(document, pinsOf(ledger.head()));
      expect(verified.query(query)).toEqual(ledger.query(query));
      expect(verified.head()).toEqual(ledger.head());
      expect(verified.rootAt(2)).toBe(ledger.rootAt(2));
      expect([verified.tier, verified.patient(hex(1))]).toEqual([ledger.tier, undefined]);
    });
  });
}
