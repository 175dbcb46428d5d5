import type { Plan } from '../../../analytics/index.ts';
import { tossCoin } from '../../../mpc/boolean/coin.ts';
import { COMMITTEE_SIZE } from '../../../mpc/committee/committee.ts';
import { countDistinct, distinctCost } from '../../../mpc/order/distinct.ts';
import { needsDecision } from '../../../protocol/release.ts';
import type { LocalFigures } from '../../local-data.ts';
import type { Computing } from './computing.ts';
import { judge } from './release.ts';

/**
 * Bits of bitmaps that are counted at once; more groups are counted in turn, so that the material for them stays small. A
 * committee holds them for each hospital outside it.
 */
const BITS_AT_ONCE = 2 ** 19;

/**
 * Distinct counts of the groups that may be searched (docs/boolean.md §9): sets their answers to the number of set bits. The
 * hospitals toss a fresh key for their bitmaps, which coordinator and researcher do not learn.
 *
 * Many rows may be of one patient, so the release rule judges here once more: the hospitals' own numbers of different
 * values, as if none were shared, and then the set bits of all, which must reach the smallest cell.
 */
export async function answerDistinct(
  computing: Computing,
  plan: Plan,
  sketchOf: LocalFigures['sketch'],
  searchable: readonly Uint8Array[],
  answers: readonly number[][],
): Promise<void> {
  if (plan.searches.every(({ target }) => target.kind !== 'distinct')) return;
  const key = await tossCoin(computing.channel, computing.named('sketch-key'), computing.random);
  for (const [search, { column, target }] of plan.searches.entries()) {
    const groups = [...searchable[search]!.keys()].filter((group) => searchable[search]![group] === 1);
    if (target.kind !== 'distinct' || groups.length === 0) continue;
    const { bits } = target;
    const { bitmaps, counts } = await sketchOf({ column, bits, key });
    const own = BigUint64Array.from(groups, (group) => counts[group]!);
    const may = await judgeValues(computing, plan, `values-${search}`, own);
    const open = groups.filter((_, j) => may[j]);
    const outside = Math.max(1, computing.roster.length - COMMITTEE_SIZE);
    const atOnce = Math.max(1, Math.floor(BITS_AT_ONCE / outside / bits));
    for (let first = 0; first < open.length; first += atOnce) {
      const part = open.slice(first, first + atOnce);
      const sketch = { groups: part.length, bits, minimum: plan.rule.minimumCell };
      const found = await computing.run(
        `distinct-${search}-${first}`,
        distinctCost(computing.roster, sketch),
        (session) =>
          countDistinct(
            session,
            sketch,
            part.map((group) => bitmaps[group]!),
          ),
      );
      part.forEach((group, j) => (answers[search]![group] = found[j] ?? belowMinimum(plan)));
    }
  }
}

/** Whether each of these numbers of different values passes the release rule. */
const judgeValues = (
  computing: Computing,
  plan: Plan,
  name: string,
  own: BigUint64Array,
): Promise<boolean[]> | boolean[] =>
  needsDecision(plan.rule)
    ? judge(
        computing,
        plan,
        name,
        own,
        Array.from(own, () => plan.rule.minimumCell),
      )
    : Array.from(own, () => true);

/** Below one is none; what is below a greater number stays withheld. */
const belowMinimum = ({ rule }: Plan): number => (rule.minimumCell === 1 && rule.zeroCells === 'open' ? 0 : -1);
