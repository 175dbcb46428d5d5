import type { Cost } from '../boolean/cost.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import type { Stock } from '../boolean/stock.ts';
import type { Committee } from '../committee/committee.ts';
import { Seat } from '../committee/seat.ts';
import { membersDemand } from '../committee/seating.ts';
import type { Channel } from '../session/channel.ts';
import { Dealer, type DealtStock } from './dealer.ts';
import type { World } from './world.ts';

/** All hospitals of a world with a committee of `size` among them, and the stocks of its members. */
export interface CommitteeTable {
  readonly committee: Committee;
  readonly evaluators: readonly Evaluator[];
  readonly stocks: readonly DealtStock[];
}

/** Elects a committee and seats everybody for something of this cost; `channel` and `stock` may make a party cheat. */
export async function sitInCommittee(
  world: World,
  size: number,
  cost: Cost,
  prepare: {
    channel?: (channel: Channel, committee: Committee) => Channel;
    stock?: (stock: Stock, party: string) => Stock;
  } = {},
): Promise<CommitteeTable> {
  const channels = await Promise.all(world.roster.map((party) => world.channel(party)));
  const seats = await Promise.all(
    channels.map((channel) => Seat.take(channel, world.random(`${channel.self}/committee`), size)),
  );
  const committee = seats[0]!.committee!;
  channels.forEach((channel) => prepare.channel?.(channel, committee));
  const dealt = new Dealer(committee.members, world.seed).deal(membersDemand(cost, committee));
  const evaluators = await Promise.all(
    seats.map((seat) =>
      seat.evaluator('computation', cost, ({ self }) => {
        const stock = dealt[committee.members.indexOf(self)]!;
        return Promise.resolve(prepare.stock?.(stock, self) ?? stock);
      }),
    ),
  );
  return { committee, evaluators, stocks: dealt };
}
