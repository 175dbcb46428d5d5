import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyExport } from '../../ledger/verify.ts';
import type { ErrorRecord } from '../../protocol/errors.ts';
import { HOSPITALS, World } from '../testing/world.ts';

let world: World;
let session: string;
let query: string;
beforeAll(async () => {
  world = await World.found();
  await world.start({ deadlines: { dropOut: 60_000 } });
  await world.connectAll(HOSPITALS);
  query = await world.approved();
  session = await world.session(query);
});
afterAll(() => world.close());

const refusalOf = async (response: Response): Promise<string> => {
  expect(response.status).toBeGreaterThanOrEqual(400);
  return ((await response.json()) as ErrorRecord).code;
};
const statement = () => JSON.stringify({ kind: 'statement', session, step: 0 });

describe('an auditor', () => {
  it.each(['audit', 'board', 'north', 'relay'])('as %s is handed no share and no part of a blame', async (who) => {
    for (const hospital of HOSPITALS) {
      expect(await refusalOf(await world.request(who, `/v1/sessions/${session}/shares/${hospital}?step=0`))).toBe(
        'NOT_AUTHORIZED',
      );
      const pull = { method: 'POST', body: statement() };
      expect(await refusalOf(await world.request(who, `/v1/sessions/${session}/pull/${hospital}`, pull))).toBe(
        'NOT_AUTHORIZED',
      );
    }
  });

  /** Every kind of document that the API shows without a signature, at its fullest. */
  it('reads no number of an answer: what the ledger and the API show of one are points and digests', async () => {
    for (const hospital of HOSPITALS) await world.commit(hospital, session);
    await world.receipt(session);
    const { entries } = await verifyExport(await world.ledger.export());
    const receipts = entries.map(({ signed }) => signed.action).filter(({ type }) => type === 'recordReceipt');
    expect(receipts.map((action) => Object.keys(action).sort())).toEqual([
      ['final', 'result', 'session', 'step', 'type'],
    ]);
    const commitments = entries.map(({ signed }) => signed.action).filter(({ type }) => type === 'recordCommitment');
    expect(commitments).toHaveLength(HOSPITALS.length);
    for (const action of [...receipts, ...commitments]) {
      const opaque = action.type === 'recordReceipt' ? action.result : 'commitment' in action ? action.commitment : '';
      expect(opaque).toMatch(/^[0-9a-f]{64}$/);
    }
    const shown = await Promise.all(
      [`/v1/queries/${query}`, `/v1/sessions/${session}`, `/v1/receipts/${session}`].map(async (path) => {
        const response = await fetch(world.url + path);
        expect(response.status, path).toBe(200);
        return (await response.json()) as object;
      }),
    );
    const keys = new Set(shown.flatMap((document) => Object.keys(document)));
    for (const word of ['result', 'cells', 'share', 'groups', 'values']) expect([...keys]).not.toContain(word);
  });
});

describe('a suspended researcher', () => {
  it('is handed nothing, not even its own', async () => {
    const nonce = '1'.padStart(64, '0');
    await world.act('audit', { type: 'suspend', subject: { organisation: 'rita' }, reason: 'an inquiry', nonce });
    await world.ownLedger.refresh();
    const response = await world.request('rita', `/v1/sessions/${session}/shares/north?step=0`);
    expect(await refusalOf(response)).toBe('SUSPENDED');
  });
});
