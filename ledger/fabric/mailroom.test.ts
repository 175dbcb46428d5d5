import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Fault, Refusal } from '../../protocol/errors.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import type { Place } from '../chain.ts';
import { signAction } from '../sign.ts';
import { makeWorld } from '../testing/world.ts';
import { Mailroom } from './mailroom.ts';
import { Outbox } from './outbox.ts';
import type { Sender } from './sender.ts';

const world = makeWorld();
const action = (reason: string): SignedAction =>
  signAction(world.members.board, '00'.repeat(32), { type: 'denyQuery', query: '00'.repeat(32), reason });
const reasonOf = ({ action }: SignedAction): string => ('reason' in action ? action.reason : '');

/** A mailroom over a network that can be out and that notes, in order, the actions it took. */
async function make() {
  const network = { out: false, took: [] as string[] };
  const send = async (signed: SignedAction): Promise<Place> => {
    const { out } = network;
    await pause(5);
    if (out) throw new Fault('LEDGER_DOWN', 'no orderer');
    if (reasonOf(signed) === 'refused') throw new Refusal('STALE', 'no');
    network.took.push(reasonOf(signed));
    return { index: network.took.length } as Place;
  };
  const { outbox } = await Outbox.open(undefined);
  const mailroom = new Mailroom(outbox, { send } as unknown as Sender, []);
  return { network, outbox, mailroom, post: async (reason: string) => (await mailroom.post(action(reason))).outcome };
}

it('sends after an outage in the order of handing in, whichever file is on disk first', async () => {
  const { network, outbox, mailroom, post } = await make();
  network.out = true;
  const first = post('first');
  await expect.poll(() => mailroom.isDown).toBe(true);
  const { promise: disk, resolve } = Promise.withResolvers<undefined>();
  const add = outbox.add.bind(outbox);
  vi.spyOn(outbox, 'add').mockImplementationOnce((signed) => disk.then(() => add(signed)));
  const sent = [first, post('second'), post('third')];
  await pause(10);
  expect(mailroom.waiting).toBe(1);
  resolve(undefined);
  await expect.poll(() => mailroom.waiting).toBe(3);
  network.out = false;
  await Promise.all(sent);
  expect(network.took).toEqual(['first', 'second', 'third']);
});

it('lets nothing overtake what an outage held up', async () => {
  const { network, mailroom, post } = await make();
  network.out = true;
  const held = [post('first'), post('second'), post('third')];
  await expect.poll(() => mailroom.isDown).toBe(true);
  network.out = false;
  await expect.poll(() => network.took.length, { interval: 1 }).toBe(1);
  expect(mailroom.isDown).toBe(false);
  await Promise.all([...held, post('fourth')]);
  expect(network.took.at(-1)).toBe('fourth');
  expect(mailroom.waiting).toBe(0);
});

it('goes on after an action that could not be written to disk, or was refused', async () => {
  const { network, outbox, mailroom, post } = await make();
  vi.spyOn(outbox, 'add').mockRejectedValueOnce(new Fault('DISK', 'full'));
  const unwritten = post('first');
  const rest = [post('refused'), post('third')];
  await expect(unwritten).rejects.toMatchObject({ code: 'DISK' });
  await expect(rest[0]).rejects.toMatchObject({ code: 'STALE' });
  await rest[1];
  expect(network.took).toEqual(['third']);
  expect(mailroom.waiting).toBe(0);
});
