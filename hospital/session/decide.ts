import { computesOnShares, releasedCells, searchable, type Plan } from '../../analytics/index.ts';
import { CellSet } from '../../mpc/sum/cell-set.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import type { AgreedInput } from '../../mpc/sum/party.ts';
import type { LocalFigures } from '../local-data.ts';
import { Computing, type DecisionContext } from './decide/computing.ts';
import { answerDistinct } from './decide/distinct.ts';
import { closeDominated } from './decide/dominance.ts';
import { answerOrder } from './decide/order.ts';
import { closeResiduals, decideGuards } from './decide/release.ts';

export type { DecisionContext } from './decide/computing.ts';

/**
 * Decides together with all other hospitals which cells open (docs/protocol.md §3.5, docs/boolean.md): first each guard,
 * then which sums a few values dominate, then what would let anyone find a withheld cell by subtraction. Then finds
 * what no sum gives, in the groups whose guards passed. No count and no sum is shown to anyone.
 */
export async function decideStep(
  context: DecisionContext,
  agreed: AgreedInput,
  plan: Plan,
  local: LocalFigures,
): Promise<DecidedInput> {
  if (!computesOnShares(plan)) {
    context.beforeOpening();
    return DecidedInput.everything(agreed);
  }
  const computing = new Computing(context, agreed);
  const passed = await decideGuards(computing, plan, local.cells);
  const guarded = await closeDominated(computing, plan, local.magnitudes, releasedCells(plan, passed));
  const released = await closeResiduals(computing, plan, local.cells, guarded);

  const answers = plan.searches.map(() => new Array<number>(plan.groups).fill(WITHHELD));
  const open = searchable(plan, passed, released);
  await answerOrder(computing, plan, local.distributions, open, answers);
  await answerDistinct(computing, plan, local.sketch, open, answers);

  const cells = CellSet.of(plan.cells, (cell) => released[cell] === 1);
  context.beforeOpening();
  const { committee } = await context.seat();
  return DecidedInput.deciding(agreed, cells, answers, context.random, committee?.record);
}

/** Stands in the outcome for an answer that nobody was given. */
const WITHHELD = -1;
