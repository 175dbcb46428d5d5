import { describe, expect, test } from 'vitest';
import { dealSetups } from '../testing/rosters.ts';
import { World } from '../testing/world.ts';
import { compressTags } from './compress.ts';
import { checkBlock } from './consistency.ts';
import { CHECK_BITS, COLUMNS, Extension, type Columns } from './cot.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const bitAt = (bytes: Uint8Array, place: number): number => (bytes[place >> 3]! >> (place & 7)) & 1;

/** Column b of a matrix as bits. */
const column = ({ workspace }: Workbench, { at, stride }: Columns, b: number): Uint8Array =>
  workspace.copy(at + b * stride, stride);

async function benches(parties: number): Promise<Workbench[]> {
  const world = new World({ parties, seed: `transfers ${parties}` });
  const setups = dealSetups(world.roster, world.seed);
  return Promise.all(
    world.roster.map(async (party, i) =>
      openWorkbench(await world.channel(party), world.random(party), setups[i]!, 'transfers'),
    ),
  );
}

describe('correlated transfers', () => {
  test.each([2, 3, 4, 5])(
    'among %i parties of unequal counts give M = K + x Delta, and pass the check',
    async (parties) => {
      const all = await benches(parties);
      const roster = all[0]!.setup.roster;
      // The last party transfers nothing.
      const countOf = (party: string): number =>
        party === roster.at(-1) ? 0 : 128 * (1 + roster.indexOf(party)) + CHECK_BITS;
      const coin = new Uint8Array(32).fill(3);
      const extensions = all.map((bench) => new Extension(bench, coin));
      let bits: Uint8Array | undefined;
      for (const round of ['first', 'second']) {
        const blocks = await Promise.all(
          extensions.map(async (extension, i) => {
            const block = await extension.block(`${round}/corrections`, countOf);
            await checkBlock(all[i]!, round, block);
            return block;
          }),
        );
        for (const [h, holder] of roster.entries()) {
          const x = all[h]!.workspace.copy(blocks[h]!.bits.at, countOf(holder) / 8);
          for (const [k, keeper] of roster.entries()) {
            if (h === k) continue;
            for (let b = 0; b < COLUMNS; b++) {
              const m = column(all[h]!, blocks[h]!.tags.get(keeper)!, b);
              const w = column(all[k]!, blocks[k]!.keys.get(holder)!, b);
              expect(m).toEqual(w.map((byte, i) => byte ^ (x[i]! * all[k]!.keyBits[b]!)));
            }
          }
        }
        // The streams go on: the second block has other bits and masks than the first.
        const now = column(all[0]!, blocks[0]!.tags.get(roster[1]!)!, 0);
        expect(now).not.toEqual(bits);
        bits = now;
      }
    },
  );

  test('compress to one tag, that of the definition', async () => {
    const all = await benches(3);
    const [bench] = all;
    const coin = new Uint8Array(32).fill(4);
    const blocks = await Promise.all(all.map((each) => new Extension(each, coin).block('c', () => 256 + CHECK_BITS)));
    const rows = bench!.workspace.take(16 * 128);
    compressTags(bench!, blocks[0]!, () => 128, 128, rows);
    const tags = bench!.workspace.copy(rows, 16 * 128);
    const bits = bench!.workspace.copy(blocks[0]!.bits.at, 48);
    for (let t = 0; t < 128; t++) {
      for (let b = 0; b < COLUMNS; b++) {
        const terms = [...blocks[0]!.tags.values(), ...blocks[0]!.keys.values()];
        const sum = terms.reduce((total, columns) => total ^ bitAt(column(bench!, columns, b), 128 + t), 0);
        if (bitAt(tags, 128 * t + b) !== (sum ^ (bitAt(bits, 128 + t) & bench!.keyBits[b]!)))
          expect.fail(`tag ${t}, bit ${b}`);
      }
    }
  });
});
