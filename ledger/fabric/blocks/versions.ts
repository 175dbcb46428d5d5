import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { NamespaceSet, RangeRead, Version } from './read-write-set.ts';

/** The versions of all keys of one namespace. */
class Namespace {
  readonly versions = new Map<string, Version>();
  /** Keys in their order; made again when one came or went. */
  #sorted: string[] | undefined;

  set(key: string, version: Version | undefined): void {
    if (version === undefined ? this.versions.delete(key) : !this.versions.has(key)) this.#sorted = undefined;
    if (version !== undefined) this.versions.set(key, version);
  }

  /** Keys from `start` to `end`, both of which may be empty for no limit, in the order of their bytes. */
  range(start: string, end: string, withEnd: boolean): string[] {
    this.#sorted ??= [...this.versions.keys()].sort(byBytes);
    const from = firstAtLeast(this.#sorted, start);
    let to = end === '' ? this.#sorted.length : firstAtLeast(this.#sorted, end);
    if (withEnd && this.#sorted[to] === end) to += 1;
    return this.#sorted.slice(from, Math.max(from, to));
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function firstAtLeast(sorted: readonly string[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byBytes(sorted[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Why a transaction that its endorsers signed does not take effect. */
export type Conflict = 'MVCC_READ_CONFLICT' | 'PHANTOM_READ_CONFLICT';

/**
 * Multi-version concurrency control as every peer does it (core/ledger/kvledger/txmgmt/validation): a transaction takes effect
 * only if what it read is still what stands there, in state as of the blocks before and the valid transactions before
 * it in its own block. Keeps the version of every key, no value.
 */
export class KeyVersions {
  readonly #namespaces = new Map<string, Namespace>();
  /** Keys written by valid transactions of the block at hand. */
  #touched = new Set<string>();

  /** To be called before the transactions of each block. */
  beginBlock(): void {
    this.#touched = new Set();
  }

  /** The conflict that keeps a transaction from taking effect, if there is one. */
  conflict(sets: readonly NamespaceSet[]): Conflict | undefined {
    // Fabric takes a chaincode's public reads, its ranges, then its collections: so do the sets come.
    for (const set of sets) {
      const namespace = this.#namespaces.get(nameOf(set));
      for (const { key, version } of set.reads)
        if (this.#touched.has(placeOf(set, key)) || namespace?.versions.get(key) !== version)
          return 'MVCC_READ_CONFLICT';
      if (!set.ranges.every((range) => holds(range, namespace))) return 'PHANTOM_READ_CONFLICT';
    }
    return undefined;
  }

  /** Takes over the writes of a valid transaction. */
  apply(sets: readonly NamespaceSet[], version: Version): void {
    for (const set of sets) {
      if (set.writes.length === 0) continue;
      const name = nameOf(set);
      const namespace = this.#namespaces.get(name) ?? new Namespace();
      this.#namespaces.set(name, namespace);
      for (const { key, value } of set.writes) {
        namespace.set(key, value === undefined ? undefined : version);
        this.#touched.add(placeOf(set, key));
      }
    }
  }
}

const nameOf = (set: NamespaceSet): string => JSON.stringify([set.chaincode, set.collection]);
const placeOf = (set: NamespaceSet, key: string): string => JSON.stringify([set.chaincode, set.collection, key]);

function holds(range: RangeRead, namespace: Namespace | undefined): boolean {
  const keys = namespace?.range(range.start, range.end, !range.exhausted) ?? [];
  const found = keys.map((key) => ({ key, version: namespace!.versions.get(key)! }));
  const { reads, tree } = range;
  if (reads !== undefined)
    return (
      reads.length === found.length &&
      reads.every(({ key, version }, at) => found[at]!.key === key && found[at]!.version === version)
    );
  const expected = hashTree(found, tree!.degree);
  return (
    expected !== undefined &&
    expected.level === tree!.level &&
    expected.hashes.length === tree!.hashes.length &&
    expected.hashes.every((hash, at) => hash.equals(tree!.hashes[at]!))
  );
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/**
 * The top of Fabric's tree over the results of a long range read (rwsetutil/query_results_helper.go): leaves are hashes of
 * degree + 1 results each, every level of more than `degree` nodes is hashed into the next. Undefined for few results,
 * which Fabric lists instead.
 */
export function hashTree(
  results: readonly { readonly key: string; readonly version: Version }[],
  degree: number,
): { level: number; hashes: Buffer[] } | undefined {
  if (degree < 2 || results.length <= degree) return undefined;
  const levels: Buffer[][] = [[]];
  for (let at = 0; at < results.length; at += degree + 1) {
    levels[0]!.push(sha256(encodeReads(results.slice(at, at + degree + 1))));
    for (let level = 0; levels[level]!.length > degree; level++) {
      const combined = sha256(Buffer.concat(levels[level]!));
      levels[level] = [];
      (levels[level + 1] ??= []).push(combined);
    }
  }
  for (let level = 0; level < levels.length - 1; level++) {
    const nodes = levels[level]!;
    if (nodes.length === 0) continue;
    levels[level + 1]!.push(nodes.length === 1 ? nodes[0]! : sha256(Buffer.concat(nodes)));
  }
  const top = levels.at(-1)!;
  if (top.length <= degree) return { level: levels.length, hashes: top };
  return { level: levels.length + 1, hashes: [sha256(Buffer.concat(top))] };
}

function encodeReads(results: readonly { readonly key: string; readonly version: Version }[]): Uint8Array {
  const { kvrwset } = ledger.rwset;
  const reads = new kvrwset.QueryReads();
  reads.setKvReadsList(
    results.map(({ key, version }) => {
      const read = new kvrwset.KVRead();
      const at = new kvrwset.Version();
      const [block, transaction] = version.split(':').map(Number);
      at.setBlockNum(block!);
      at.setTxNum(transaction!);
      read.setKey(key);
      read.setVersion(at);
      return read;
    }),
  );
  return reads.serializeBinary();
}
