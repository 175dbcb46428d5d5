import { createCipheriv, type Cipheriv } from 'node:crypto';
import { discard } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { exchangeLarge } from '../transport.ts';
import { LEAVES, TREES } from './puncturable.ts';
import type { Workbench } from './workbench.ts';

/** Columns of a matrix: bits of a tag. */
export const COLUMNS = 128;
/** Random bits appended to every block, which hide what the check reveals of the others. */
export const CHECK_BITS = 128;

/** A matrix of 128 columns in the workspace; one row is the tag or the key of one bit. */
export interface Columns {
  readonly at: number;
  readonly stride: number;
}

/**
 * One block of correlated transfers with every peer: M = K + x Delta, row by row, where this party holds the bits x and the
 * tags M under each peer's key, and, for each peer's bits, the keys K under its own.
 */
export interface Block {
  /** Packed bits of this party, its `CHECK_BITS` last. */
  readonly bits: { readonly at: number; readonly count: number };
  /** By peer: the tags on our bits under its key. */
  readonly tags: ReadonlyMap<string, Columns>;
  /** By peer: the keys, under our Delta, for its bits; `count` bits. */
  readonly keys: ReadonlyMap<string, Columns & { readonly count: number }>;
}

/**
 * Correlated oblivious transfer, extended from the trees of a setup without any more public-key work: 8 bytes a bit and
 * peer (docs/preprocessing.md §4; Roy, "SoftSpokenOT", CRYPTO 2022, figure 7 with k = 2, repetition code).
 *
 * The leaves are expanded by AES-128-CTR under keys that hash the seed with `coin`, a joint one, so no stream is used
 * twice, even by a party restored from a backup. Blocks are not checked here: see `checkBlock`.
 */
export class Extension {
  readonly #bench: Workbench;
  readonly #holders: ReadonlyMap<string, readonly Cipheriv[]>;
  readonly #keepers: ReadonlyMap<string, readonly Cipheriv[]>;

  constructor(bench: Workbench, coin: Uint8Array) {
    this.#bench = bench;
    const { transport, setup } = bench;
    const streams = (seeds: readonly Uint8Array[]): Cipheriv[] => seeds.map((seed) => stream(seed, coin));
    this.#holders = new Map(transport.peers.map((peer) => [peer, streams(setup.holderSeeds(peer))]));
    this.#keepers = new Map(transport.peers.map((peer) => [peer, streams(setup.keeperSeeds(peer))]));
  }

  /**
   * `countOf(party)` random bits of each party, a multiple of 128 and with the check bits counted, or 0 for none.
   * The block lies in the workspace until the caller releases it.
   *
   * Cost: one round; to each peer 8 bytes for each bit of this party. Errors: `Abort FORGED_FRAME` (wrong length).
   */
  async block(round: string, countOf: (party: string) => number): Promise<Block> {
    const { transport, workspace, random } = this.#bench;
    const { peers, self } = transport;
    const count = countOf(self);
    const longest = Math.max(count, ...peers.map(countOf));
    const bits = { at: workspace.take(count / 8), count };
    const tags = new Map(peers.map((peer) => [peer, this.#columns(count)]));
    const keys = new Map(peers.map((peer) => [peer, { ...this.#columns(countOf(peer)), count: countOf(peer) }]));
    const scratch = workspace.take((LEAVES + TREES) * (longest / 8));
    workspace.write(bits.at, random(count / 8));

    const received = await exchangeLarge(transport, round, (peer) =>
      this.#correct(this.#holders.get(peer)!, tags.get(peer)!, bits, scratch),
    );
    for (const [party, corrections] of received) {
      const { count: theirs, ...columns } = keys.get(party)!;
      if (corrections.length !== TREES * (theirs / 8)) {
        throw new Abort('FORGED_FRAME', `the corrections of ${party} have the wrong length`, { party, round });
      }
      this.#apply(this.#keepers.get(party)!, columns, corrections, scratch);
      discard(corrections);
    }
    return { bits, tags, keys };
  }

  #columns(count: number): Columns {
    return { at: this.#bench.workspace.take((COLUMNS * count) / 8), stride: count / 8 };
  }

  /** The holder's step: fills its tags and returns the corrections, one column a tree. */
  #correct(ciphers: readonly Cipheriv[], { at, stride }: Columns, bits: { at: number }, scratch: number): Uint8Array {
    const { workspace } = this.#bench;
    const zeros = new Uint8Array(stride);
    const corrections = scratch + LEAVES * stride;
    for (let tree = 0; tree < TREES; tree++) {
      for (let leaf = 0; leaf < LEAVES; leaf++) {
        workspace.moveIn(scratch + leaf * stride, ciphers[LEAVES * tree + leaf]!.update(zeros));
      }
      const [r0, r1, r2, r3] = [scratch, scratch + stride, scratch + 2 * stride, scratch + 3 * stride];
      const low = at + 2 * tree * stride;
      workspace.kernels.expandHolder(corrections + tree * stride, low, low + stride, bits.at, r0, r1, r2, r3, stride);
    }
    return workspace.copy(corrections, TREES * stride);
  }

  /** The keeper's step: fills its keys. */
  #apply(ciphers: readonly Cipheriv[], { at, stride }: Columns, corrections: Uint8Array, scratch: number): void {
    const { workspace, keyBits } = this.#bench;
    const zeros = new Uint8Array(stride);
    for (let tree = 0; tree < TREES; tree++) {
      for (let leaf = 1; leaf < LEAVES; leaf++) {
        const stream = ciphers[(LEAVES - 1) * tree + leaf - 1]!;
        workspace.moveIn(scratch + leaf * stride, stream.update(zeros));
      }
      workspace.write(scratch, corrections.subarray(tree * stride, (tree + 1) * stride));
      const [c, r1, r2, r3] = [scratch, scratch + stride, scratch + 2 * stride, scratch + 3 * stride];
      const low = at + 2 * tree * stride;
      const [d0, d1] = [keyBits[2 * tree]!, keyBits[2 * tree + 1]!];
      workspace.kernels.expandKeeper(low, low + stride, c, r1, r2, r3, d0, d1, stride);
    }
  }
}

function stream(seed: Uint8Array, coin: Uint8Array): Cipheriv {
  return createCipheriv('aes-128-ctr', hashBytes(LABEL.expansion, seed, coin).subarray(0, 16), new Uint8Array(16));
}
