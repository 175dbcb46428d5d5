import type { DuckDBConnection } from '@duckdb/node-api';
import {
  compileDistribution,
  compileMagnitudes,
  compileSql,
  compileTexts,
  decode,
  judgedSums,
  readDistribution,
  readMagnitudes,
  readTexts,
  rowsToCells,
  type Distribution,
  type GroupResult,
  type Plan,
  type ResultColumns,
} from '../../../analytics/index.ts';
import { rosterOf } from '../../../mpc/boolean/coin.ts';
import { CellVector } from '../../../mpc/cells.ts';
import { Seat, type StockSource } from '../../../mpc/committee/seat.ts';
import { Dealer, type DealtStock } from '../../../mpc/testing/dealer.ts';
import { World } from '../../../mpc/testing/world.ts';
import type { Outcome } from '../../../protocol/outcome.ts';
import type { LocalFigures } from '../../local-data.ts';
import { Sketch } from '../../sketch.ts';
import { decideStep } from '../decide.ts';

/** What a hospital's `LocalData` would find, in a relation of this database. */
export async function figuresOf(database: DuckDBConnection, plan: Plan, relation: string): Promise<LocalFigures> {
  const select = async ({ sql, parameters }: ReturnType<typeof compileSql>): Promise<ResultColumns> => {
    const result = await database.runAndReadAll(sql, parameters);
    return { rowCount: result.currentRowCount, columns: result.getColumns() };
  };
  const cells = CellVector.zeros(plan.scanned);
  rowsToCells(plan, (index, value) => cells.add(index, value))(await select(compileSql(plan, relation)));
  const magnitudes = readMagnitudes(plan);
  if (judgedSums(plan).length > 0) magnitudes.take(await select(compileMagnitudes(plan, relation)));
  const distributions = new Map<string, Distribution>();
  for (const { column, target } of plan.searches) {
    if (target.kind === 'distinct') continue;
    const { take, finish } = readDistribution(plan, column);
    take(await select(compileDistribution(plan, column, relation)));
    distributions.set(column, finish());
  }
  return {
    cells,
    magnitudes: magnitudes.finish(),
    distributions,
    sketch: async (request) => {
      const sketch = new Sketch(plan.groups, request);
      readTexts(plan, (group, text) => sketch.add(group, text))(
        await select(compileTexts(plan, request.column, relation)),
      );
      return sketch;
    },
  };
}

/** Decides at all hospitals of one process, on material from a dealer; the outcome that they came to, each the same. */
export async function decideTogether(plan: Plan, figures: readonly LocalFigures[], seed: string): Promise<Outcome> {
  const world = new World({ parties: figures.length, seed, deadline: 30_000 });
  const inputs = figures.map(({ cells }) => Array.from({ length: plan.cells }, (_, index) => cells.at(index)));
  const { agreed } = await world.agree(inputs);
  let dealer: Dealer | undefined;
  const dealt: DealtStock[][] = [];
  const outcomes = await Promise.all(
    agreed.map(async (input, place) => {
      let deal = 0;
      const random = world.random(`${place}/decide`);
      const seat = Seat.take(input.channel, random);
      const stock: StockSource = (among, demand) => {
        dealer ??= new Dealer(rosterOf(among), seed);
        return Promise.resolve((dealt[deal++] ??= dealer.deal(demand))[dealer.roster.indexOf(among.self)]!);
      };
      const context = { random, seat: () => seat, stock, beforeOpening: () => undefined };
      return (await decideStep(context, input, plan, figures[place]!)).outcome!;
    }),
  );
  if (new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size !== 1) throw new Error('two outcomes');
  if (dealt.flat().some((stock) => stock.left !== 0)) throw new Error('more was demanded than was used');
  return outcomes[0]!;
}

/** The answer that a researcher decodes of an outcome. */
export function answerOf(plan: Plan, figures: readonly LocalFigures[], outcome: Outcome): GroupResult[] {
  const released = Buffer.from(outcome.released, 'base64');
  return decode(
    plan,
    (index) => figures.reduce((sum, { cells }) => sum + cells.at(index), 0n),
    (index) => ((released[index >> 3]! >> (index & 7)) & 1) === 1,
    outcome.answers,
  );
}
