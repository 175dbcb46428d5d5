import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { KeyPair } from './base-ot.ts';

/** Bits of a global key that one tree stands for. */
const BITS = 2;
/** Leaves of a tree. */
export const LEAVES = 4;
/** Trees for a global key of 128 bits. */
export const TREES = 64;
export const SEED_BYTES = 32;

/** Per tree: the two sums of the lower level, masked, and the sum of the proofs; at the end one hash over all proofs. */
export const TREE_MESSAGE_BYTES = TREES * 3 * SEED_BYTES + SEED_BYTES;

type Seed = Uint8Array;

/**
 * Trees of four leaves, of which the sender holds all, and the receiver all but the one that two bits of its global key
 * name: leaf x = d_0 + 2 d_1 (docs/preprocessing.md §3; Roy, "SoftSpokenOT", CRYPTO 2022).
 *
 * The nodes n_0, n_1 of the upper level are the keys of the first transfer; leaf (b_0, b_1) = hash(n_b0, b_1); the second
 * transfer carries, for each b_1, the sum of the two leaves with it. The receiver asks for the complements of its bits.
 */
export function growTrees(
  context: Uint8Array,
  transfers: readonly KeyPair[],
): { seeds: readonly (readonly Seed[])[]; message: Uint8Array } {
  const parts: Uint8Array[] = [];
  const proofs: Uint8Array[] = [];
  const seeds = Array.from({ length: TREES }, (_, tree) => {
    const [upper, lower] = [transfers[BITS * tree]!, transfers[BITS * tree + 1]!];
    const leaves = Array.from({ length: LEAVES }, (_, x) => leafOf(context, tree, upper[x & 1]!, x));
    for (const bit of [0, 1] as const) {
      parts.push(sum(leaves[2 * bit]!, leaves[2 * bit + 1]!, maskOf(context, tree, lower[bit], bit)));
    }
    const proofsOfTree = leaves.map((leaf, x) => proofOf(context, tree, leaf, x));
    proofs.push(...proofsOfTree);
    parts.push(sum(...proofsOfTree));
    return leaves.map((leaf, x) => seedOf(context, tree, leaf, x));
  });
  return { seeds, message: concatBytes(...parts, hashBytes(LABEL.tree, context, ...proofs)) };
}

/**
 * The receiver's side: for each tree the seeds of the leaves missing ^ 1, missing ^ 2 and missing ^ 3, where `missing` are
 * its two bits. `chosen` are the keys of the transfers in which it asked for the complements of its bits.
 *
 * The proofs of all leaves must have the hash that the sender states, with the missing proofs taken from the stated sums.
 * So whatever a cheating sender does, there is one set of proofs, hence one set of leaves, for which the receiver goes on;
 * it learns at most, by whether the receiver goes on, whether bits it guessed are right. Errors: `Abort BAD_BASE_OT`.
 */
export function puncturedTrees(
  context: Uint8Array,
  key: readonly number[],
  chosen: readonly Uint8Array[],
  message: Uint8Array,
  sender: string,
): (readonly Seed[])[] {
  const bad = (): Abort =>
    new Abort('BAD_BASE_OT', `${sender} sent trees of seeds that do not fit together`, { party: sender });
  if (message.length !== TREE_MESSAGE_BYTES) throw bad();
  const part = (place: number): Uint8Array => message.subarray(SEED_BYTES * place, SEED_BYTES * (place + 1));
  const proofs: Uint8Array[] = [];
  const seeds = Array.from({ length: TREES }, (_, tree) => {
    const [low, high] = [key[BITS * tree]!, key[BITS * tree + 1]!];
    const missing = low + 2 * high;
    const leaves = new Map<number, Uint8Array>();
    for (const x of [1 - low, 3 - low]) leaves.set(x, leafOf(context, tree, chosen[BITS * tree]!, x));
    const bit = 1 - high;
    const sibling = leaves.get(1 - low + 2 * bit)!;
    const mask = maskOf(context, tree, chosen[BITS * tree + 1]!, bit);
    leaves.set(low + 2 * bit, sum(part(3 * tree + bit), mask, sibling));

    const known = new Map([...leaves].map(([x, leaf]) => [x, proofOf(context, tree, leaf, x)]));
    known.set(missing, sum(part(3 * tree + 2), ...known.values()));
    proofs.push(...[0, 1, 2, 3].map((x) => known.get(x)!));
    return [1, 2, 3].map((y) => seedOf(context, tree, leaves.get(missing ^ y)!, missing ^ y));
  });
  if (!equalBytes(part(3 * TREES), hashBytes(LABEL.tree, context, ...proofs))) throw bad();
  return seeds;
}

const leafOf = (context: Uint8Array, tree: number, node: Uint8Array, x: number): Uint8Array =>
  hashBytes(LABEL.tree, context, Uint8Array.of(0, tree, x), node);
const maskOf = (context: Uint8Array, tree: number, key: Uint8Array, bit: number): Uint8Array =>
  hashBytes(LABEL.tree, context, Uint8Array.of(1, tree, bit), key);
const proofOf = (context: Uint8Array, tree: number, leaf: Uint8Array, x: number): Uint8Array =>
  hashBytes(LABEL.tree, context, Uint8Array.of(2, tree, x), leaf);
const seedOf = (context: Uint8Array, tree: number, leaf: Uint8Array, x: number): Uint8Array =>
  hashBytes(LABEL.tree, context, Uint8Array.of(3, tree, x), leaf);

function sum(...parts: readonly Uint8Array[]): Uint8Array {
  const total = new Uint8Array(SEED_BYTES);
  for (const part of parts) for (let i = 0; i < SEED_BYTES; i++) total[i]! ^= part[i]!;
  return total;
}
