import {
  candidateCounts,
  guardCounts,
  releasedCells,
  residualCandidates,
  withComplement,
  type Plan,
} from '../../analytics/index.ts';
import { BooleanSession } from '../../mpc/boolean/engine.ts';
import type { Stock, StockDemand } from '../../mpc/boolean/stock.ts';
import type { CellVector } from '../../mpc/cells.ts';
import { decideRelease, releaseCost, type GuardRule } from '../../mpc/release.ts';
import { CellSet } from '../../mpc/sum/cell-set.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import type { AgreedInput } from '../../mpc/sum/party.ts';
import type { RandomSource } from '../../mpc/transport.ts';
import { coalitionSize, needsDecision } from '../../protocol/release.ts';

/** What deciding needs of the session it runs in. */
export interface DecisionContext {
  readonly random: RandomSource;
  /** Random authenticated material, made with the session's other parties or taken from what was made before. */
  readonly stock: (demand: StockDemand) => Promise<Stock>;
  /** Called before anything that depends on the data is opened, even a single bit. */
  readonly beforeOpening: () => void;
}

/**
 * Decides together with all other hospitals which cells open (docs/protocol.md §3.5, docs/boolean.md): first each
 * guard, then what its outcome would let anyone find by subtraction. No count and no sum is shown to anyone.
 *
 * `scanned` are the cells of the plan and the counts that guard them.
 */
export async function decideStep(
  context: DecisionContext,
  agreed: AgreedInput,
  plan: Plan,
  scanned: CellVector,
): Promise<DecidedInput> {
  if (!needsDecision(plan.rule)) {
    context.beforeOpening();
    return DecidedInput.everything(agreed);
  }
  const at = (index: number): bigint => scanned.at(index);
  const passed = await judge(context, agreed, 'guards', guardCounts(plan, at), minimaOf(plan));
  let released = releasedCells(plan, passed);
  const candidates = residualCandidates(plan, released);
  if (candidates.length > 0) {
    const counts = candidateCounts(candidates, at);
    const minima = candidates.map(({ minimum }) => minimum);
    released = withComplement(plan, released, await judge(context, agreed, 'residuals', counts, minima));
  }
  const set = CellSet.of(plan.cells, (cell) => released[cell] === 1);
  return DecidedInput.deciding(agreed, set, [], context.random);

  /** One hidden evaluation of the rule: true for each count that passes. */
  async function judge(
    { stock, random, beforeOpening }: DecisionContext,
    { channel }: AgreedInput,
    name: string,
    counts: BigUint64Array,
    minima: readonly number[],
  ): Promise<boolean[]> {
    const rule: GuardRule = {
      minimumCell: minima,
      coalition: coalitionSize(plan.rule),
      zeroCells: plan.rule.zeroCells,
    };
    const cost = releaseCost(agreed.transcript.roster, counts.length, rule);
    const session = new BooleanSession(channel, await stock(cost.stock), random, `${name}/${agreed.transcript.step}`);
    beforeOpening();
    return decideRelease(session, counts, rule);
  }
}

/** The least that each guard must reach, in the order of `guardCounts`. */
const minimaOf = (plan: Plan): number[] =>
  Array.from({ length: plan.groups }, () => plan.guards.map(({ minimum }) => minimum)).flat();
