import { describe, expect, test } from 'vitest';
import { Channel, MESSAGE_LIMIT } from '../../mpc/session/channel.ts';
import { World } from '../../mpc/testing/world.ts';
import { ByteWriter, fromHex } from '../../protocol/bytes.ts';
import { Sealer } from '../../protocol/envelope.ts';
import { anna, bert } from './attack.ts';

describe('a hospital that fills the memory of another', () => {
  test('gets no further than the limit of a message', async () => {
    const world = new World({ parties: 2, deadline: 'idle' });
    const [sender, receiver] = await Promise.all(world.roster.map((party) => world.channel(party)));
    const sending = sender!.send(bert, 'round', new Uint8Array(MESSAGE_LIMIT + 256 * 1024 + 1));
    // Not `rejects`, which would print 64 MiB if it failed.
    const outcome: unknown = await receiver!.receive(anna, 'round').then(
      (message) => `read ${message.length} bytes`,
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: 'FORGED_FRAME', party: anna, round: 'round' });
    await sending;
  });

  test('cannot keep a message open with empty parts', async () => {
    const world = new World({ parties: 2, deadline: 'idle' });
    const honest = await Promise.all(world.roster.map((party) => world.channel(party)));
    // A channel whose key the test knows, to seal by hand what the sender's own code never sends.
    const key = new Uint8Array(32).fill(3);
    const { setting, exchangeKey, hellos } = honest[1]!;
    const secrets = new Map([[anna, { send: key, receive: key, mask: key }]]);
    const receiver = new Channel({ setting, exchangeKey, hellos, secrets, relay: world.relay(bert) });
    const sealer = new Sealer(key);
    const deliver = (plain: Uint8Array, part: number, last: number): void => {
      const place = new ByteWriter().fixed(fromHex(world.session, 32)).text(anna).text(bert).text('round');
      const sealed = sealer.seal(plain, place.uint32(part).uint8(last).finish());
      world.deliver(anna, bert, Buffer.concat([Uint8Array.of(last), sealed]));
    };
    deliver(Buffer.from('honest'), 0, 1);
    expect(Buffer.from(await receiver.receive(anna, 'round')).toString()).toBe('honest');
    deliver(new Uint8Array(), 0, 0);
    await expect(receiver.receive(anna, 'round')).rejects.toMatchObject({ code: 'FORGED_FRAME', party: anna });
  });
});
