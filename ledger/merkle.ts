import { hash } from 'node:crypto';
import { equalBytes } from '../protocol/bytes.ts';
import { Misuse } from '../protocol/errors.ts';

/**
 * The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1), over SHA-256.
 *
 *   leaf hash   SHA-256(0x00 || leaf)            here a leaf is the 32-byte hash of a ledger entry
 *   node hash   SHA-256(0x01 || left || right)   33 + 32 bytes
 *
 * The left child of a node over n leaves covers the largest power of two below n. The byte in front keeps a node from
 * being passed off as a leaf. A tree without leaves has no root here: a ledger has at least its founding entry.
 *
 * A proof is the list of node hashes in the order of the RFC, lowest first.
 */
export type Hash = Uint8Array;

export const leafHash = (leaf: Uint8Array): Hash => bytesOf(hashOfLeaf(leaf));
export const nodeHash = (left: Hash, right: Hash): Hash =>
  bytesOf(hash('sha256', Buffer.concat([Uint8Array.of(1), left, right]), 'hex'));

/**
 * A hash of 32 bytes as hexadecimal. Trees keep these: a string costs the engine less to make, to keep and to collect than a
 * buffer, and a reader of the ledger makes four for every entry.
 */
type Node = string;

const NODE = Buffer.alloc(65, 1);

function hashOfLeaf(leaf: Uint8Array): Node {
  const preimage = Buffer.alloc(1 + leaf.length);
  preimage.set(leaf, 1);
  return hash('sha256', preimage, 'hex');
}

function hashOfNode(left: Node, right: Node): Node {
  NODE.write(left, 1, 'hex');
  NODE.write(right, 33, 'hex');
  return hash('sha256', NODE, 'hex');
}

const bytesOf = (node: Node): Hash => new Uint8Array(Buffer.from(node, 'hex'));

/** Root over all leaves, in order; at least one. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hash {
  return treeOf(leaves).rootAt(leaves.length);
}

/** Proves that leaf `index` is in the tree over `leaves`. 0 <= index < leaves.length. */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): Hash[] {
  return treeOf(leaves).inclusionProof(index, leaves.length);
}

/** Proves that the tree over the first `from` leaves is a prefix of the tree over all. 1 <= from <= leaves.length. */
export function consistencyProof(leaves: readonly Uint8Array[], from: number): Hash[] {
  return treeOf(leaves).consistencyProof(from, leaves.length);
}

function treeOf(leaves: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
}

/** The hashes that one more leaf adds to a tree: its own, then that of each subtree it completes, smallest first. */
export type Added = readonly Node[];

/**
 * The compact form of a tree: the roots of its complete subtrees, largest first, at most log2(size) + 1 of them. Enough
 * to append and to tell the root; not to prove.
 */
export class CompactTree {
  #size = 0;
  readonly #peaks: Node[] = [];

  get size(): number {
    return this.#size;
  }
  /** O(log n). What it returns makes a `MerkleTree` of the same leaves grow without hashing again. */
  append(leaf: Uint8Array): Added {
    let node = hashOfLeaf(leaf);
    const added = [node];
    // One merge for every trailing 1 of the size, as in a binary counter.
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      node = hashOfNode(this.#peaks.pop()!, node);
      added.push(node);
    }
    this.#peaks.push(node);
    this.#size += 1;
    return added;
  }
  root(): Hash {
    if (this.#size === 0) throw new Misuse('OUT_OF_RANGE', 'a tree without leaves has no root');
    return bytesOf(this.#peaks.reduceRight((right, left) => hashOfNode(left, right)));
  }
  static resume(size: number, peaks: readonly Node[]): CompactTree {
    const tree = new CompactTree();
    tree.#size = size;
    tree.#peaks.push(...peaks);
    return tree;
  }
}

/** An append-only tree that answers for every size it ever had: keeps the roots of all complete subtrees (2n hashes). */
export class MerkleTree {
  /** levels[h][i]: root over leaves i*2^h to (i+1)*2^h. */
  readonly #levels: Node[][] = [[]];

  get size(): number {
    return this.#levels[0]!.length;
  }

  /** O(log n), O(1) on average. */
  append(leaf: Uint8Array): void {
    let node = hashOfLeaf(leaf);
    for (let height = 0; ; height++) {
      const level = (this.#levels[height] ??= []);
      level.push(node);
      if (level.length % 2 === 1) return;
      node = hashOfNode(level[level.length - 2]!, node);
    }
  }

  /** Appends the leaf that a compact form of this very tree has hashed already. */
  grow(added: Added): void {
    for (let height = 0; height < added.length; height++) (this.#levels[height] ??= []).push(added[height]!);
  }

  /** Root over the first `size` leaves. 1 <= size <= this.size. O(log n). */
  rootAt(size: number): Hash {
    this.#requireSize(size, 1);
    return bytesOf(this.#subtree(0, size));
  }

  /** RFC 9162 section 2.1.3.1. 0 <= index < size <= this.size. */
  inclusionProof(index: number, size: number): Hash[] {
    this.#requireSize(size, 1);
    requireRange(index, 0, size - 1, 'leaf');
    const proof: Node[] = [];
    let [begin, end] = [0, size];
    while (end - begin > 1) {
      const middle = begin + splitPoint(end - begin);
      if (index < middle) [proof[proof.length], end] = [this.#subtree(middle, end), middle];
      else [proof[proof.length], begin] = [this.#subtree(begin, middle), middle];
    }
    return proof.reverse().map(bytesOf);
  }

  /** RFC 9162 section 2.1.4.1. 1 <= from <= to <= this.size; empty when they are equal. */
  consistencyProof(from: number, to: number): Hash[] {
    this.#requireSize(to, 1);
    requireRange(from, 1, to, 'older size');
    const proof: Node[] = [];
    let [begin, end] = [0, to];
    while (from !== end) {
      const middle = begin + splitPoint(end - begin);
      if (from <= middle) [proof[proof.length], end] = [this.#subtree(middle, end), middle];
      else [proof[proof.length], begin] = [this.#subtree(begin, middle), middle];
    }
    // The verifier knows the old root: it needs the last common subtree only when that is not the whole old tree.
    if (begin > 0) proof.push(this.#subtree(begin, end));
    return proof.reverse().map(bytesOf);
  }

  /** The compact form over all leaves, to try out further leaves on. */
  compact(): CompactTree {
    const peaks: Node[] = [];
    let begin = 0;
    for (let height = this.#levels.length - 1; height >= 0; height--) {
      const width = 2 ** height;
      if (Math.floor(this.size / width) % 2 === 0) continue;
      peaks.push(this.#levels[height]![begin / width]!);
      begin += width;
    }
    return CompactTree.resume(this.size, peaks);
  }

  /** Root over leaves begin to end; begin is a multiple of the power of two at or above end - begin, as splits make it. */
  #subtree(begin: number, end: number): Node {
    const width = end - begin;
    const height = Math.log2(width);
    if (Number.isInteger(height)) return this.#levels[height]![begin / width]!;
    const middle = begin + splitPoint(width);
    return hashOfNode(this.#subtree(begin, middle), this.#subtree(middle, end));
  }

  #requireSize(size: number, least: number): void {
    requireRange(size, least, this.size, 'size');
  }
}

/** The largest power of two below n; n >= 2. */
function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function requireRange(value: number, least: number, greatest: number, what: string): void {
  if (Number.isInteger(value) && value >= least && value <= greatest) return;
  throw new Misuse('OUT_OF_RANGE', `Merkle tree: ${what} outside ${least} to ${greatest}`);
}

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Hash;
}

/**
 * True when the proof shows that `leaf` is at `index` of the tree of that size and root (RFC 9162 section 2.1.3.2).
 * Any claim and any proof may be passed: what is out of range is false. Proves nothing about who made the root.
 */
export function verifyInclusion(claim: InclusionClaim, proof: readonly Hash[]): boolean {
  const { index, size, leaf, root } = claim;
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes(proof)) return false;
  let [node, last] = [index, size - 1];
  let hash = leafHash(leaf);
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // Levels at which this node is the lone last one carry it upwards unhashed.
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(hash, root);
}

export interface ConsistencyClaim {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Hash;
  readonly toRoot: Hash;
}

/**
 * True when the proof shows that the tree of size `from` and root `fromRoot` is a prefix of the other (RFC 9162
 * section 2.1.4.2). Any claim and any proof may be passed: what is out of range is false.
 */
export function verifyConsistency(claim: ConsistencyClaim, proof: readonly Hash[]): boolean {
  const { from, to, fromRoot, toRoot } = claim;
  if (!isCount(from) || !isCount(to) || from < 1 || from > to || !areHashes(proof)) return false;
  if (from === to) return proof.length === 0 && equalBytes(fromRoot, toRoot);
  // An old tree that is complete is itself the first node of the path.
  const path = Number.isInteger(Math.log2(from)) ? [fromRoot, ...proof] : proof;
  const [first, ...siblings] = path;
  if (first === undefined) return false;
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [oldHash, newHash] = [first, first];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [oldHash, newHash] = [nodeHash(sibling, oldHash), nodeHash(sibling, newHash)];
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(oldHash, fromRoot) && equalBytes(newHash, toRoot);
}

const half = (value: number): number => Math.floor(value / 2);
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const areHashes = (proof: readonly Hash[]): boolean => proof.every((hash) => hash.length === 32);
