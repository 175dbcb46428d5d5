import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CompactTree,
  consistencyProof,
  inclusionProof,
  leafHash,
  merkleRoot,
  MerkleTree,
  verifyConsistency,
  verifyInclusion,
  type Hash,
} from './merkle.ts';

const sha256 = (...parts: Uint8Array[]): Hash =>
  new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
const leavesOf = (n: number): Hash[] => Array.from({ length: n }, (_, i) => sha256(Buffer.from(`leaf ${i}`)));

/** RFC 9162 section 2.1, word for word: what the incremental tree is held against. */
function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}
function rfcRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 1) return sha256(Uint8Array.of(0), leaves[0]!);
  const k = split(leaves.length);
  return sha256(Uint8Array.of(1), rfcRoot(leaves.slice(0, k)), rfcRoot(leaves.slice(k)));
}
function rfcPath(m: number, leaves: readonly Hash[]): Hash[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k ? [...rfcPath(m, left), rfcRoot(right)] : [...rfcPath(m - k, right), rfcRoot(left)];
}
function rfcSubproof(m: number, leaves: readonly Hash[], whole: boolean): Hash[] {
  if (m === leaves.length) return whole ? [] : [rfcRoot(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m <= k
    ? [...rfcSubproof(m, left, whole), rfcRoot(right)]
    : [...rfcSubproof(m - k, right, false), rfcRoot(left)];
}

const SIZES = Array.from({ length: 20 }, (_, i) => i + 1);

describe('against the RFC, exhaustively to 20 leaves', () => {
  it.each(SIZES)('%i leaves', (n) => {
    const leaves = leavesOf(n);
    const root = rfcRoot(leaves);
    const tree = new MerkleTree();
    const compact = new CompactTree();
    leaves.forEach((leaf, i) => {
      tree.append(leaf);
      compact.append(leaf);
      expect(compact.root()).toEqual(rfcRoot(leaves.slice(0, i + 1)));
      expect(tree.compact().root()).toEqual(compact.root());
    });
    expect(merkleRoot(leaves)).toEqual(root);
    for (let size = 1; size <= n; size++) {
      const then = leaves.slice(0, size);
      expect(tree.rootAt(size)).toEqual(rfcRoot(then));
      for (let index = 0; index < size; index++) {
        const proof = tree.inclusionProof(index, size);
        expect(proof).toEqual(rfcPath(index, then));
        expect(verifyInclusion({ index, size, leaf: leaves[index]!, root: rfcRoot(then) }, proof)).toBe(true);
      }
      const proof = consistencyProof(leaves, size);
      expect(proof).toEqual(rfcSubproof(size, leaves, true));
      expect(verifyConsistency({ from: size, to: n, fromRoot: rfcRoot(then), toRoot: root }, proof)).toBe(true);
    }
  });
});

const flip = (hash: Hash): Hash => hash.map((byte, i) => (i === 13 ? byte ^ 1 : byte));
const other = sha256(Buffer.from('other'));

/** What can be done to a proof; each must break it. */
const MUTATIONS: Record<string, (proof: readonly Hash[]) => Hash[] | undefined> = {
  'bad-first-hash': (p) => (p.length > 0 ? [flip(p[0]!), ...p.slice(1)] : undefined),
  'bad-last-hash': (p) => (p.length > 0 ? [...p.slice(0, -1), flip(p[p.length - 1]!)] : undefined),
  'bad-truncated': (p) => (p.length > 0 ? p.slice(0, -1) : undefined),
  'bad-first-dropped': (p) => (p.length > 0 ? p.slice(1) : undefined),
  'bad-appended': (p) => [...p, other],
  'bad-prepended': (p) => [other, ...p],
  'bad-last-repeated': (p) => (p.length > 0 ? [...p, p[p.length - 1]!] : undefined),
  'bad-swapped': (p) => (p.length > 1 ? [p[1]!, p[0]!, ...p.slice(2)] : undefined),
  'bad-short-hash': (p) => (p.length > 0 ? [p[0]!.subarray(1), ...p.slice(1)] : undefined),
};

describe.each(Object.entries(MUTATIONS))('%s', (_name, mutate) => {
  it('breaks every inclusion and consistency proof', () => {
    for (const n of SIZES) {
      const leaves = leavesOf(n);
      const root = merkleRoot(leaves);
      for (let index = 0; index < n; index++) {
        const bad = mutate(inclusionProof(leaves, index));
        if (bad) expect(verifyInclusion({ index, size: n, leaf: leaves[index]!, root }, bad)).toBe(false);
        const from = index + 1;
        const badConsistency = mutate(consistencyProof(leaves, from));
        const fromRoot = merkleRoot(leaves.slice(0, from));
        if (badConsistency) {
          expect(verifyConsistency({ from, to: n, fromRoot, toRoot: root }, badConsistency)).toBe(false);
        }
      }
    }
  });
});

describe('claims', () => {
  const leaves = leavesOf(11);
  const root = merkleRoot(leaves);
  const proof = inclusionProof(leaves, 6);
  const good = { index: 6, size: 11, leaf: leaves[6]!, root };
  it.each([
    ['bad-index', { index: 7 }],
    ['bad-index-past-the-end', { index: 11 }],
    ['bad-index-negative', { index: -1 }],
    ['bad-index-fraction', { index: 6.5 }],
    ['bad-size-zero', { size: 0 }],
    ['bad-leaf', { leaf: leaves[5]! }],
    ['bad-leaf-is-a-leaf-hash', { leaf: leafHash(leaves[6]!) }],
    ['bad-root', { root: other }],
  ])('inclusion: %s', (_name, change) => {
    expect(verifyInclusion(good, proof)).toBe(true);
    expect(verifyInclusion({ ...good, ...change }, proof)).toBe(false);
  });

  const consistent = { from: 6, to: 11, fromRoot: merkleRoot(leaves.slice(0, 6)), toRoot: root };
  it.each([
    ['bad-from', { from: 5 }],
    ['bad-from-zero', { from: 0 }],
    ['bad-from-past-to', { from: 12 }],
    ['bad-to-equals-from', { to: 6 }],
    ['bad-old-root', { fromRoot: other }],
    ['bad-new-root', { toRoot: other }],
    ['bad-roots-swapped', { fromRoot: root, toRoot: consistent.fromRoot }],
  ])('consistency: %s', (_name, change) => {
    const path = consistencyProof(leaves, 6);
    expect(verifyConsistency(consistent, path)).toBe(true);
    expect(verifyConsistency({ ...consistent, ...change }, path)).toBe(false);
  });

  it('two pasts of one size are never consistent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 59 }), fc.nat({ max: 40 }), (from, at, more) => {
        const past = leavesOf(from);
        const forked = past.map((leaf, i) => (i === at % from ? flip(leaf) : leaf));
        const now = [...forked, ...leavesOf(more)];
        const claim = { from, to: now.length, fromRoot: merkleRoot(past), toRoot: merkleRoot(now) };
        expect(verifyConsistency(claim, consistencyProof(now, from))).toBe(false);
      }),
    );
  });

  it('asks for what it has only', () => {
    const tree = new MerkleTree();
    expect(() => tree.rootAt(0)).toThrow('outside');
    expect(() => tree.rootAt(1)).toThrow('outside');
    expect(() => new CompactTree().root()).toThrow('no root');
    tree.append(other);
    expect(() => tree.inclusionProof(1, 1)).toThrow('outside');
    expect(() => tree.consistencyProof(0, 1)).toThrow('outside');
  });
});
