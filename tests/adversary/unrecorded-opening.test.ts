import { describe, expect, test } from 'vitest';
import { planQuery, type Plan } from '../../analytics/index.ts';
import { prepare, schemaOf } from '../../analytics/testing/world.ts';
import { decideStep } from '../../hospital/session/decide.ts';
import { CellVector } from '../../mpc/cells.ts';
import { Seat, type StockSource } from '../../mpc/committee/seat.ts';
import type { DecidedInput } from '../../mpc/sum/decided.ts';
import { Dealer, type DealtStock } from '../../mpc/testing/dealer.ts';
import { corrupt, World } from '../../mpc/testing/world.ts';
import { Fault } from '../../protocol/errors.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';

/**
 * Who can stop a hospital at the right moment, a coordinator or whoever holds its disk, would have it decide twice: over
 * two rosters, which differ by one hospital. So the journal comes before the first frame that depends on the data.
 */
const JOURNAL = 'journal';

const schema = schemaOf([
  { name: 'sex', type: 'category', codes: ['f', 'm'] },
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
]);
const planOf = (release: object): Plan =>
  planQuery(prepare({ groupBy: [{ column: 'sex' }], statistics: [{ count: {} }], release }, schema), schema);
const withRule = planOf({ minimumCell: 3, insiderRule: true, minimumHospitals: 2 });
const withoutRule = planOf(everythingOpens());

/** Three hospitals decide; the first notes what it does from here on, and its journal does what `write` does. */
async function decide(
  plan: Plan,
  write: () => void = () => undefined,
): Promise<{ outcomes: PromiseSettledResult<DecidedInput>[]; events: readonly string[] }> {
  const world = new World({ parties: 3, seed: 'journal', deadline: 'idle' });
  const cells = Array.from({ length: plan.scanned }, () => 5n);
  const { agreed } = await world.agree(world.roster.map(() => cells.slice(0, plan.cells)));
  const figures = {
    cells: CellVector.fromBigInts(cells),
    magnitudes: [],
    distributions: new Map(),
    sketch: () => Promise.reject(new Error('nothing is counted by bitmaps here')),
  };
  const events: string[] = [];
  corrupt(agreed[0]!.channel, (_, round, message) => {
    events.push(round);
    return message;
  });
  const dealer = new Dealer(world.roster, world.seed);
  const dealt: DealtStock[][] = [];
  const outcomes = await Promise.allSettled(
    agreed.map((input, place) => {
      let deal = 0;
      const random = world.random(`${place}/decide`);
      const seat = Seat.take(input.channel, random);
      const stock: StockSource = (_, demand) => Promise.resolve((dealt[deal++] ??= dealer.deal(demand))[place]!);
      const context = {
        random,
        stock,
        seat: () => seat,
        beforeOpening: () => {
          if (place !== 0) return;
          events.push(JOURNAL);
          write();
        },
      };
      return decideStep(context, input, plan, figures);
    }),
  );
  return { outcomes, events };
}

const fullDisk = (): never => {
  throw new Fault('DISK', 'cannot write the journal, so no share may leave');
};

describe('a hospital that decides on shares', () => {
  test('has written its journal before the first frame of the decision leaves', async () => {
    const { outcomes, events } = await decide(withRule);
    for (const { status } of outcomes) expect(status).toBe('fulfilled');
    expect(events[0]).toBe(JOURNAL);
    expect(events.some((round) => round.startsWith('guards/0/'))).toBe(true);
    expect(events.at(-1)).toBe('decide/0');
  });

  test('and cannot write it, sends nothing, and nobody has an outcome', async () => {
    const { outcomes, events } = await decide(withRule, fullDisk);
    expect(events).toEqual([JOURNAL]);
    expect(outcomes[0]).toMatchObject({ reason: { kind: 'Fault', code: 'DISK' } });
    for (const { status } of outcomes) expect(status).toBe('rejected');
  });
});

describe('a hospital of whose query every cell opens', () => {
  test('holds nothing that could be sealed before its journal is written', async () => {
    const { outcomes, events } = await decide(withoutRule, fullDisk);
    expect(events).toEqual([JOURNAL]);
    expect(outcomes[0]).toMatchObject({ reason: { kind: 'Fault', code: 'DISK' } });
    expect((await decide(withoutRule)).events).toEqual([JOURNAL]);
  });
});
