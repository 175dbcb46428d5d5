import { describe, expect, test } from 'vitest';
import { MESSAGE_LIMIT } from '../../mpc/session/channel.ts';
import { World } from '../../mpc/testing/world.ts';
import { Sealer } from '../../protocol/envelope.ts';
import { anna, bert } from './attack.ts';

describe('a hospital that fills the memory of another', () => {
  test('gets no further than the limit of a message', async () => {
    const world = new World({ parties: 2, deadline: 'idle' });
    const [sender, receiver] = await Promise.all(world.roster.map((party) => world.channel(party)));
    const sending = sender!.send(bert, 'round', new Uint8Array(MESSAGE_LIMIT + 256 * 1024 + 1));
    await expect(receiver!.receive(anna, 'round')).rejects.toMatchObject({
      code: 'FORGED_FRAME',
      party: anna,
      round: 'round',
    });
    await sending;
  });

  test('cannot keep a message open with empty parts', async () => {
    const world = new World({ parties: 2, deadline: 'idle' });
    const [sender, receiver] = await Promise.all(world.roster.map((party) => world.channel(party)));
    // The sender's own code never sends such a part: it is sealed by hand, as mallory would.
    const honest = Sealer.prototype.seal;
    let frames = 0;
    Sealer.prototype.seal = function (_, associated) {
      frames++;
      return honest.call(this, new Uint8Array(), associated);
    };
    try {
      await sender!.send(bert, 'round', new Uint8Array(4 * 256 * 1024));
    } finally {
      Sealer.prototype.seal = honest;
    }
    expect(frames).toBe(4);
    await expect(receiver!.receive(anna, 'round')).rejects.toMatchObject({ code: 'FORGED_FRAME', party: anna });
  });
});
