import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalText } from '../../protocol/canonical.ts';
import { Refusal, type HealthchainError } from '../../protocol/errors.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import { Chain } from '../chain.ts';
import { signAction } from '../sign.ts';
import { actions, makeWorld } from '../testing/world.ts';
import { ChannelReplica } from './replica.ts';
import { Sender } from './sender.ts';
import { MadeChannel } from './testing/made-channel.ts';
import { makeOrganisation } from './testing/made-config.ts';

const north = makeOrganisation('NorthMSP');
const office = makeOrganisation('OfficeMSP');
const ordering = makeOrganisation('OrdererMSP');
const world = makeWorld(undefined, undefined, 'OfficeMSP');
const channel = new MadeChannel({ members: [north, office], ordering });
const honest = new Chain();
let replica: ChannelReplica;

async function blockOf(signed: SignedAction) {
  const stage = honest.stage();
  const { writes } = await stage.propose(signed, new Date(0).toISOString());
  await stage.commit();
  return channel.add([
    channel.transaction({
      creator: [office, office.user],
      endorsers: [
        [north, north.peer],
        [office, office.peer],
      ],
      time: new Date(0),
      args: ['apply', canonicalText(signed)],
      writes: Object.fromEntries(writes),
    }),
  ]);
}
const founded = await blockOf(world.founding);

beforeEach(async () => {
  replica = new ChannelReplica({ channel: 'made', chaincode: 'healthchain', pins: { genesis: channel.genesis } });
  await replica.accept(channel.blocks[0]!);
  await replica.accept(founded);
});

/** Sends past peers that answer every proposal with this error, and a copy that `refresh` brings up to date. */
function send(signed: SignedAction, answer: Error, refresh: () => Promise<unknown> = () => Promise.resolve()) {
  const proposal = { endorse: () => Promise.reject(answer) };
  const line = { endpoint: 'peer', contract: () => ({ newProposal: () => proposal }) };
  const sender = new Sender({
    gateways: { line, leave: () => undefined },
    follower: { replica, requireHonest: () => undefined, refresh },
    identity: { mspId: 'OfficeMSP', organisation: undefined },
    ...{ chaincode: 'healthchain', lagMs: 100 },
  } as unknown as ConstructorParameters<typeof Sender>[0]);
  return sender.send(signed, { maybe: false }, AbortSignal.timeout(20_000));
}
const refusal = (error: HealthchainError): Error =>
  new Error(`chaincode response 500, ${canonicalText(error.toJSON())}`);
const schema = (): SignedAction => signAction(world.members.board, replica.consortium, actions.schema());
const outage = { kind: 'Fault', code: 'LEDGER_DOWN' };

describe('a refusal by the peers', () => {
  it('is an outage while the own copy allows the action', () =>
    expect(send(schema(), refusal(new Refusal('STALE', 'a gap')))).rejects.toMatchObject(outage));

  it('is an outage too where they say, of what was never done, that it was', () =>
    expect(send(schema(), refusal(new Refusal('ALREADY_DONE', 'done')))).rejects.toMatchObject(outage));

  it('stands where another process did it in a block that comes only now', async () => {
    const signed = schema();
    const block = await blockOf(signed);
    const sending = send(signed, refusal(new Refusal('ALREADY_DONE', 'done')), () => replica.accept(block));
    await expect(sending).rejects.toMatchObject({ kind: 'Refusal', code: 'ALREADY_DONE' });
  });

  it('stands where the own copy refuses as well', () => {
    const twice = signAction(world.members.rita, replica.consortium, actions.schema());
    const sending = send(twice, refusal(new Refusal('NOT_AUTHORIZED', 'no admin')));
    return expect(sending).rejects.toMatchObject({ kind: 'Refusal', code: 'NOT_AUTHORIZED', message: 'no admin' });
  });

  it.each([
    [
      'an identity that the channel does not accept',
      'access denied: creator certificate has expired',
      'NOT_AUTHORIZED',
    ],
    ['a chaincode of another make', 'chaincode response 500, {"error":1}', 'BAD_CONFIG'],
  ])('stands for %s, whatever the copy says', (_, text, code) =>
    expect(send(schema(), new Error(text))).rejects.toMatchObject({ code }),
  );
});
