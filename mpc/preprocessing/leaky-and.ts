import { Abort } from '../../protocol/errors.ts';
import { exchangeLarge } from '../transport.ts';
import { compressTags } from './compress.ts';
import type { Block } from './cot.ts';
import type { CorrelationHash } from './hash.ts';
import type { Layout } from './layout.ts';
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

/**
 * Products of the bits x and y of a checked block, by one row of 128 bits for each triple, party and other party that has a bit of x
 * (docs/preprocessing.md §6; leaky AND of Yang, Wang, Zhang, CCS 2020). With phi_i the compressed tag of y_i, P_i sends
 *
 *     U_ij = H(K_i[x_j]) + H(K_i[x_j] + Delta_i) + phi_i,
 *
 * of which P_j, who has the tag of its x_j, learns H(K_i[x_j]) + x_j phi_i. The sums S_i of what the parties hold are shares
 * of x y Delta: they are the tags of z = x y, and their lowest bits its bits, as Delta's lowest bit is 1.
 *
 * Leaky: by a wrong U_ij a party can make z wrong, or else learn x_j, depending on x_j; see `checkProducts` and
 * `combineBuckets`. Cost: one round, 16 bytes a triple to each peer that has a bit of its x. `serial` numbers the triples of one hash.
 */
export async function multiplyBlock(
  bench: Workbench,
  hash: CorrelationHash,
  round: string,
  block: Block,
  layout: Layout,
  serial: number,
): Promise<LeakyTriples> {
  const { transport, workspace, setup } = bench;
  const { self, peers } = transport;
  const { kernels } = workspace;
  const { segments, count } = layout;
  const [x, y, z] = [workspace.take(ROW * count), workspace.take(ROW * count), workspace.take(ROW * count)];
  const message = workspace.take(ROW * count);
  const delta = workspace.take(ROW);
  const [rows, inner, outer] = [0, 1, 2].map(() => workspace.take(3 * ROW * CHUNK)) as [number, number, number];
  workspace.write(delta, setup.keyShare);
  workspace.clear(x, ROW * count);
  workspace.clear(z, ROW * count);
  segments.forEach((segment, s) =>
    compressTags(bench, block, (party) => layout.y(party, s), segment.count, y + ROW * segment.first),
  );

  /** Of one segment: the peer's bits of x under our key, ours under its key, or both; the products for its bits go to `to`. */
  const multiplyWith = (peer: string, s: number, to: number): void => {
    const { first: start, count: length } = segments[s]!;
    const [theirs, ours] = [layout.x(peer, s), layout.x(self, s)];
    const [keys, tags] = [block.keys.get(peer)!, block.tags.get(peer)!];
    const [sending, receiving] = [direction(setup, self, peer), direction(setup, peer, self)];
    for (let first = 0; first < length; first += CHUNK) {
      const n = Math.min(CHUNK, length - first);
      const [key, shifted, tag] = [rows, rows + ROW * n, rows + 2 * ROW * n];
      const at = ROW * (start + first);
      const number = serial + start + first;
      if (ours !== undefined) kernels.transpose(tag, tags.at + (ours + first) / 8, tags.stride, n);
      if (theirs === undefined) {
        kernels.addInto(x + at, tag, ROW * n);
        hash.twoCalls(workspace, tag, inner, outer, number, [receiving], n);
        for (const part of [inner, outer]) kernels.addInto(z + at, part, ROW * n);
        continue;
      }
      kernels.transpose(key, keys.at + (theirs + first) / 8, keys.stride, n);
      if (ours === undefined) workspace.clear(tag, ROW * n);
      kernels.shiftKeys(shifted, x + at, key, tag, delta, n);
      const directions = ours === undefined ? [sending, sending] : [sending, sending, receiving];
      hash.twoCalls(workspace, rows, inner, outer, number, directions, n);
      if (ours === undefined) for (const part of [inner, outer]) workspace.clear(part + 2 * ROW * n, ROW * n);
      kernels.mixHashes(to + ROW * first, z + at, y + at, inner, outer, n);
    }
  };

  const received = await exchangeLarge(transport, round, (peer) => {
    let to = message;
    segments.forEach((segment, s) => {
      const forPeer = layout.x(peer, s) !== undefined;
      if (forPeer || layout.x(self, s) !== undefined) multiplyWith(peer, s, to);
      if (forPeer) to += ROW * segment.count;
    });
    return workspace.copy(message, to - message);
  });
  segments.forEach(({ first, count: length }, s) => {
    const ours = layout.x(self, s);
    if (ours === undefined) return;
    kernels.addElement(x + ROW * first, block.bits.at + ours / 8, delta, length);
    kernels.addSelected(z + ROW * first, block.bits.at + ours / 8, y + ROW * first, length);
  });
  for (const peer of peers) {
    const theirs = received.get(peer)!;
    if (theirs.length !== ROW * layout.productsOf(self)) {
      throw new Abort('FORGED_FRAME', `the products of ${peer} have the wrong length`, { party: peer, round });
    }
    workspace.moveIn(message, theirs);
    let from = message;
    segments.forEach(({ first, count: length }, s) => {
      const ours = layout.x(self, s);
      if (ours === undefined) return;
      kernels.addSelected(z + ROW * first, block.bits.at + ours / 8, from, length);
      from += ROW * length;
    });
  }
  return { x, y, z };
}

/** A word for the ordered pair, so that no two of them share a tweak. */
function direction(setup: RosterSetup, keeper: string, holder: string): number {
  return setup.roster.indexOf(keeper) * 65536 + setup.roster.indexOf(holder);
}
