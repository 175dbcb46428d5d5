import { Abort } from '../../protocol/errors.ts';
import { exchangeLarge } from '../transport.ts';
import { compressTags } from './compress.ts';
import { CHECK_BITS, type Block } from './cot.ts';
import type { CorrelationHash } from './hash.ts';
import type { RosterSetup } from './setup.ts';
import type { Workbench } from './workbench.ts';

const ROW = 16;
/** Rows hashed at once: three groups of them stay in the second-level cache. */
const CHUNK = 2048;

/** Where the tags of a block of leaky triples lie in the workspace: 16 bytes each. */
export interface LeakyTriples {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Bits of a block for `count` triples: x, then y, 128 more to hide the check's sums, and the check bits. */
export const leakyBits = (count: number): number => 2 * count + 128 + CHECK_BITS;

/**
 * Products of the first `count` bits of a checked block with the next `count`, by one row of 128 bits for each triple and
 * ordered pair (docs/preprocessing.md §6; leaky AND of Yang, Wang, Zhang, CCS 2020). With phi_i the
 * compressed tag of y_i, P_i sends
 *
 *     U_ij = H(K_i[x_j]) + H(K_i[x_j] + Delta_i) + phi_i,
 *
 * of which P_j, who has the tag of its x_j, learns H(K_i[x_j]) + x_j phi_i. The sums S_i of what the parties hold are shares
 * of x y Delta: they are the tags of z = x y, and their lowest bits its bits, as Delta's lowest bit is 1.
 *
 * Leaky: by a wrong U_ij a party can make z wrong, or else learn x_j, depending on x_j; see `checkProducts` and
 * `combineBuckets`. Cost: one round, 16 bytes a triple to each peer. `serial` numbers the triples of one hash.
 */
export async function multiplyBlock(
  bench: Workbench,
  hash: CorrelationHash,
  round: string,
  block: Block,
  count: number,
  serial: number,
): Promise<LeakyTriples> {
  const { transport, workspace, setup } = bench;
  const { kernels } = workspace;
  const everybody = { self: true, peers: transport.peers };
  const [x, y, z] = [workspace.take(ROW * count), workspace.take(ROW * count), workspace.take(ROW * count)];
  const message = workspace.take(ROW * count);
  const delta = workspace.take(ROW);
  const [rows, inner, outer] = [0, 1, 2].map(() => workspace.take(3 * ROW * CHUNK)) as [number, number, number];
  workspace.write(delta, setup.keyShare);
  workspace.clear(x, ROW * count);
  workspace.clear(z, ROW * count);
  compressTags(bench, block, everybody, count, count, y);

  const received = await exchangeLarge(transport, round, (peer) => {
    const [keys, tags] = [block.keys.get(peer)!, block.tags.get(peer)!];
    const directions = [direction(setup, setup.self, peer), direction(setup, peer, setup.self)] as const;
    for (let first = 0; first < count; first += CHUNK) {
      const n = Math.min(CHUNK, count - first);
      const [key, shifted, tag] = [rows, rows + ROW * n, rows + 2 * ROW * n];
      kernels.transpose(key, keys.at + first / 8, keys.stride, n);
      kernels.transpose(tag, tags.at + first / 8, tags.stride, n);
      kernels.shiftKeys(shifted, x + ROW * first, key, tag, delta, n);
      hash.twoCalls(workspace, rows, inner, outer, serial + first, [directions[0], ...directions], n);
      kernels.mixHashes(message + ROW * first, z + ROW * first, y + ROW * first, inner, outer, n);
    }
    return workspace.copy(message, ROW * count);
  });
  kernels.addElement(x, block.bits.at, delta, count);
  kernels.addSelected(z, block.bits.at, y, count);
  for (const [party, theirs] of received) {
    if (theirs.length !== ROW * count) {
      throw new Abort('FORGED_FRAME', `the products of ${party} have the wrong length`, { party, round });
    }
    workspace.moveIn(message, theirs);
    kernels.addSelected(z, block.bits.at, message, count);
  }
  return { x, y, z };
}

/** A word for the ordered pair, so that no two of them share a tweak. */
function direction(setup: RosterSetup, keeper: string, holder: string): number {
  return setup.roster.indexOf(keeper) * 65536 + setup.roster.indexOf(holder);
}
