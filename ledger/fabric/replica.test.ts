import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalText } from '../../protocol/canonical.ts';
import type { Action, SignedAction } from '../../protocol/ledger.ts';
import { Chain } from '../chain.ts';
import { pinsOf } from '../heads.ts';
import { signAction } from '../sign.ts';
import { actions, makeWorld } from '../testing/world.ts';
import { verifyExport } from '../verify.ts';
import { exportBlock } from './export.ts';
import { ChannelReplica } from './replica.ts';
import { makeCertificate } from './testing/certificates.ts';
import { MadeChannel, type MadeTransaction } from './testing/made-channel.ts';
import { makeOrganisation } from './testing/made-config.ts';

const north = makeOrganisation('NorthMSP');
const south = makeOrganisation('SouthMSP');
const office = makeOrganisation('OfficeMSP');
const ordering = makeOrganisation('OrdererMSP');
const usual: MadeTransaction = {
  creator: [office, office.user],
  endorsers: [
    [north, north.peer],
    [office, office.peer],
  ],
};
const world = makeWorld(undefined, undefined, 'OfficeMSP');
const TIME = new Date('2026-03-04T05:06:07.000Z');

let channel: MadeChannel;
let replica: ChannelReplica;
/** What an honest chaincode would have come to: its entries and writes. */
let honest: Chain;

beforeEach(async () => {
  channel = new MadeChannel({ members: [north, south, office], ordering });
  honest = new Chain();
  replica = new ChannelReplica({ channel: 'made', chaincode: 'healthchain', pins: { genesis: channel.genesis } });
  await replica.accept(channel.blocks[0]!);
  await take(world.founding);
});

/** An honest transaction of an action, but for what is changed. */
async function transaction(signed: SignedAction, change: Partial<MadeTransaction> = {}): Promise<Uint8Array> {
  const stage = honest.stage();
  const { writes } = await stage.propose(signed, TIME.toISOString());
  await stage.commit();
  const args = ['apply', canonicalText(signed)];
  return channel.transaction({ ...usual, time: TIME, args, writes: Object.fromEntries(writes), ...change });
}
const take = async (signed: SignedAction, change: Partial<MadeTransaction> = {}) =>
  replica.accept(channel.add([await transaction(signed, change)]));
const signed = (action: Action): SignedAction => signAction(world.members.board, replica.consortium, action);

describe('a copy of a channel', () => {
  it('has the entries, root and consortium that the same actions have elsewhere', async () => {
    await take(signed(actions.schema()));
    expect(replica.list).toEqual(honest.entries);
    expect(replica.consortium).toBe(honest.consortium);
    expect(replica.head()).toMatchObject({ size: 2, channel: 'made', genesis: channel.genesis, block: 2 });
    expect(replica.schemas()).toHaveLength(1);
  });

  it('passes over transactions that write nothing', async () => {
    await replica.accept(channel.add([channel.transaction({ ...usual, args: ['read', 'query', 'x'], writes: {} })]));
    expect(replica.size).toBe(1);
    expect(replica.nextBlock).toBe(3);
  });

  const forgeries: Record<string, [RegExp, () => Promise<unknown>]> = {
    'of which the endorsers wrote something else': [
      /: action: .*other things/,
      () => take(signed(actions.schema()), { writes: { 'schema/heart/000001': '{}' } }),
    ],
    'of which the endorsers wrote more': [
      /: action: .*other things/,
      async () => {
        const action = signed(actions.schema());
        const { writes } = await honest.stage().propose(action, TIME.toISOString());
        return take(action, { writes: { ...Object.fromEntries(writes), more: 'x' } });
      },
    ],
    'that wrote without an action': [/: action: /, () => take(signed(actions.schema()), { args: ['other'] })],
    'whose action is not in canonical form': [
      /: action: /,
      () => {
        const action = signed(actions.schema());
        return take(action, { args: ['apply', JSON.stringify(action, undefined, 1)] });
      },
    ],
    'whose creator’s MSP does not speak for the caller': [
      /: contract: .*NOT_AUTHORIZED/,
      () => take(signed(actions.schema()), { creator: [north, north.user] }),
    ],
    'whose creator is enrolled for another organisation': [
      /: contract: .*NOT_AUTHORIZED/,
      () => {
        const attributes = { attrs: { 'healthchain.organisation': 'senate' } };
        const other = makeCertificate('other', office.authority, { units: ['client'], attributes });
        return take(signed(actions.schema()), { creator: [office, other] });
      },
    ],
    'that the contract refuses': [
      /: contract: .*BAD_SIGNATURE/,
      () => {
        const action = { ...signed(actions.schema()), signature: '00'.repeat(64) };
        const writes = { some: 'thing' };
        const args = ['apply', canonicalText(action)];
        return replica.accept(channel.add([channel.transaction({ ...usual, args, writes })]));
      },
    ],
  };
  it.each(Object.keys(forgeries))('takes no transaction %s', async (name) => {
    const [check, make] = forgeries[name]!;
    await expect(make()).rejects.toThrow(check);
  });
});

describe('an export of a channel', () => {
  const document = () => ({
    format: 'healthchain-ledger-fabric/1' as const,
    channel: 'made',
    chaincode: 'healthchain',
    blocks: channel.blocks.map(exportBlock),
  });

  it('is replayed offline to the same head', async () => {
    await take(signed(actions.schema()));
    const verified = await verifyExport(document(), pinsOf(replica.head()));
    expect(verified.head()).toEqual(replica.head());
    expect(verified.entries).toEqual(replica.list);
  });
  it('of another channel, consortium or kind of ledger than the pinned one is refused', async () => {
    const { genesis, consortium } = pinsOf(replica.head());
    await expect(verifyExport(document(), { genesis: '00'.repeat(32) })).rejects.toThrow(/ genesis: /);
    await expect(verifyExport(document(), { genesis, consortium: '00'.repeat(32) })).rejects.toThrow(
      /another consortium/,
    );
    await expect(verifyExport(document(), { consortium, operator: '00'.repeat(32) })).rejects.toThrow(/operator/);
    await expect(verifyExport({ ...document(), channel: 'other' })).rejects.toThrow(/ channel: /);
    await expect(verifyExport({ ...document(), blocks: document().blocks.slice(0, 1) })).rejects.toThrow(
      /no consortium/,
    );
  });
});
