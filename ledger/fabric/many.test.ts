import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import type { TraceStep } from '../chaincode/trace.ts';
import type { Member } from '../ledger.ts';
import { found, signAction } from '../sign.ts';
import { actions, hex, organisation } from '../testing/world.ts';
import { verifyExport } from '../verify.ts';
import type { FabricLedger } from './ledger.ts';
import type { NetworkDescription } from './network/index.ts';
import { connectTo } from './testing/ledgers.ts';
import { fabric, openChannel, PATIENCE } from './testing/network.ts';
import { Submitter } from './testing/submitter.ts';

const member = (name: string): Member => ({ organisation: name, identity: Identity.generate() });
const board = member('board');
const audit = member('audit');
const hospitals = Array.from({ length: 120 }, (_, i) => member(`h${String(i).padStart(3, '0')}`));
const names = hospitals.map((each) => each.organisation);
const msp = 'OfficeMSP';

/**
 * More than Fabric tells in one piece: of more than 50 results of a range read a transaction carries hashes alone, and a
 * peer hands results to the chaincode a hundred at a time.
 */
describe.skipIf(fabric === undefined)(
  'a consortium of a hundred and twenty hospitals',
  { timeout: 3 * PATIENCE },
  () => {
    let network: NetworkDescription;
    let ledger: FabricLedger;
    let peer: Submitter;
    let query: string;

    beforeAll(async () => {
      network = await openChannel('many');
      const organisations = [
        { ...organisation('board', ['admin', 'researcher', 'coordinator'], board.identity), msp },
        { ...organisation('audit', ['auditor'], audit.identity), msp },
        ...hospitals.map((each) => ({ ...organisation(each.organisation, ['hospital'], each.identity), msp })),
      ];
      const founding = found({ name: 'Many', organisations, founder: board });
      ledger = await connectTo(network, { founding, deadlineMs: PATIENCE });
      peer = new Submitter(network, 'office');
    }, PATIENCE);
    afterAll(async () => {
      peer.close();
      await ledger.close();
    });

    const stopping = (id: string, verb: 'suspend' | 'reinstate', at = 0): Action => ({
      type: verb,
      subject: { organisation: id },
      reason: `for the ${at}th time`,
      nonce: hex(at),
    });
    /** The trace that the peer tells, which lists keys and their pasts. */
    async function traced(kind: string, id: string): Promise<TraceStep[]> {
      const outcome = await peer.evaluate('trace', kind, id);
      expect(outcome).toHaveProperty('answer');
      return JSON.parse((outcome as { answer: string }).answer) as TraceStep[];
    }

    it('asks all of them, has their commitments, and verifies', async () => {
      await ledger.submit(board, actions.schema());
      query = (await ledger.submit(board, actions.submit({ hospitals: names, steps: 1 }))).id;
      await Promise.all(hospitals.map((hospital) => ledger.submit(hospital, actions.approve(query))));
      const session = (await ledger.submit(board, actions.open(query, 0, names))).id;
      await Promise.all(hospitals.map((hospital) => ledger.submit(hospital, actions.commit(session))));
      await ledger.submit(board, actions.receipt(session));
      expect(ledger.query(query)?.status).toBe('completed');
      const document = await ledger.export();
      expect((await verifyExport(document)).head()).toEqual(ledger.head());
    });

    it('traces the query to its last approval and commitment', async () => {
      const steps = await traced('query', query);
      for (const kind of ['approval', 'commitment']) {
        const of = steps.filter(({ key }) => key.startsWith(`${kind}/`)).map(({ key }) => key.split('/').at(-1));
        expect(of.sort(), kind).toEqual(names);
      }
      expect(new Set(steps.map(({ transaction }) => transaction)).size).toBe(1 + 120 + 1 + 120 + 1);
    });

    it('takes no suspension that was endorsed before another member came, at the peers and in the copy', async () => {
      // The last admin must not go: so a suspension rests on the list of all members, newcomers too.
      const suspension = signAction(audit, ledger.consortium, stopping('h119', 'suspend'));
      const endorsed = await peer.propose(suspension).endorse();
      const late = { ...organisation('late', ['hospital'], Identity.generate()), msp };
      await ledger.submit(board, { type: 'registerOrganisation', organisation: late });
      const { code } = await (await endorsed.submit()).getStatus();
      expect(code).toBe(12); // PHANTOM_READ_CONFLICT
      await ledger.submit(audit, stopping('h119', 'reinstate')).then(
        () => expect.unreachable('nothing was suspended'),
        (error: unknown) => expect(error).toMatchObject({ kind: 'Refusal', code: 'STALE' }),
      );
      await ledger.forward(suspension);
      expect(ledger.organisation('h119')?.suspended).toMatchObject({ by: 'audit' });
    });

    it('traces a member whose one key was written more than a hundred times, the oldest first', async () => {
      const rounds = 51;
      for (let at = 0; at < rounds; at++) {
        await ledger.submit(audit, stopping('h000', 'suspend', at));
        await ledger.submit(audit, stopping('h000', 'reinstate', at));
      }
      const steps = await traced('hospital', 'h000');
      const told = steps.filter(({ key }) => key === 'suspension/organisation/h000').map(({ value }) => value);
      expect(told).toHaveLength(2 * rounds);
      expect(told.map((value) => (JSON.parse(value) as { reason: string }).reason)).toEqual(
        Array.from({ length: 2 * rounds }, (_, at) => `for the ${at >> 1}th time`),
      );
      expect(ledger.organisation('h000')?.suspended).toBeUndefined();
    });
  },
);
