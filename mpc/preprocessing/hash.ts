import { createCipheriv, type Cipheriv } from 'node:crypto';
import { hashBytes } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Workspace } from '../bitkernels/load.ts';

const ROW = 16;

/**
 * The tweakable hash that breaks the correlation of transferred keys (docs/preprocessing.md §6):
 *
 *     H(x, t) = pi(pi(x) + t) + pi(x),   pi = AES-128 under a key of the joint coin
 *
 * TMMO of Guo, Katz, Wang, Yu, "Efficient and Secure Multiparty Computation from Fixed-Key Block Ciphers", IEEE S&P 2020:
 * circular correlation robust for distinct tweaks, for pi as ideal permutation.
 */
export class CorrelationHash {
  readonly #cipher: Cipheriv;

  constructor(coin: Uint8Array) {
    const key = hashBytes(LABEL.expansion, Buffer.from('pi'), coin).subarray(0, 16);
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  }

  /**
   * pi(x) to `inner` and pi(pi(x) + t) to `outer` for rows of 16 bytes at `at`, in groups of `count` rows; the groups have
   * the directions given, row j of a group the tweak (first + j, direction). The sums of the two are the hashes.
   */
  twoCalls(
    workspace: Workspace,
    at: number,
    inner: number,
    outer: number,
    first: number,
    directions: readonly number[],
    count: number,
  ): void {
    const bytes = ROW * count;
    const all = bytes * directions.length;
    workspace.moveIn(inner, this.#cipher.update(workspace.view(at, all)));
    directions.forEach((direction, group) => {
      const offset = group * bytes;
      workspace.kernels.addTweaks(outer + offset, inner + offset, first, direction, count);
    });
    workspace.moveIn(outer, this.#cipher.update(workspace.view(outer, all)));
  }
}
