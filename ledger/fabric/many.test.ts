import { describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import type { Member } from '../ledger.ts';
import { found } from '../sign.ts';
import { actions, organisation } from '../testing/world.ts';
import { verifyExport } from '../verify.ts';
import { connectTo } from './testing/ledgers.ts';
import { fabric, openChannel, PATIENCE } from './testing/network.ts';

const member = (name: string): Member => ({ organisation: name, identity: Identity.generate() });

describe.skipIf(fabric === undefined)('a query of a hundred and twenty hospitals', { timeout: PATIENCE }, () => {
  it('is opened, committed to and verified', async () => {
    const board = member('board');
    const hospitals = Array.from({ length: 120 }, (_, i) => member(`h${String(i).padStart(3, '0')}`));
    const names = hospitals.map((each) => each.organisation);
    const msp = 'OfficeMSP';
    const organisations = [
      { ...organisation('board', ['admin', 'researcher', 'coordinator'], board.identity), msp },
      ...hospitals.map((each) => ({ ...organisation(each.organisation, ['hospital'], each.identity), msp })),
    ];
    const founding = found({ name: 'Many', organisations, founder: board });
    const ledger = await connectTo(await openChannel('many'), { founding, deadlineMs: PATIENCE });
    try {
      await ledger.submit(board, actions.schema());
      const query = (await ledger.submit(board, actions.submit({ hospitals: names, steps: 1 }))).id;
      await Promise.all(hospitals.map((hospital) => ledger.submit(hospital, actions.approve(query))));
      const session = (await ledger.submit(board, actions.open(query, 0, names))).id;
      await Promise.all(hospitals.map((hospital) => ledger.submit(hospital, actions.commit(session))));
      await ledger.submit(board, actions.receipt(session));
      expect(ledger.query(query)?.status).toBe('completed');
      const document = await ledger.export();
      expect((await verifyExport(document)).head()).toEqual(ledger.head());
    } finally {
      await ledger.close();
    }
  });
});
