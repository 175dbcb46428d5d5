import { expect, test } from 'vitest';
import { BooleanSession } from './boolean/engine.ts';
import { prepareStock } from './preprocessing/prepare.ts';
import { setUpRoster } from './preprocessing/setup.ts';
import { decideRelease, releaseCost } from './release.ts';
import { World } from './testing/world.ts';

test('hospitals decide with random material they made themselves, and no dealer', async () => {
  const world = new World({ parties: 3, seed: 'no dealer', deadline: 60_000 });
  const rule = { minimumCell: 10, coalition: 1, zeroCells: 'open' as const };
  const inputs = [
    [5, 10, 0, 3, 90],
    [5, 10, 0, 9, 4],
    [5, 0, 0, 1, 7],
  ];
  const cost = releaseCost(world.roster, 5, rule);
  const decided = await Promise.all(
    world.roster.map(async (party, i) => {
      const channel = await world.channel(party);
      const setup = await setUpRoster(channel, world.random(`${party}/setup`));
      const stock = await prepareStock(channel, setup, world.random(`${party}/prepare`), cost.stock);
      return decideRelease(new BooleanSession(channel, stock, world.random(`${party}/decide`)), inputs[i]!, rule);
    }),
  );
  for (const each of decided) expect(each).toEqual([true, true, true, false, true]);
});
