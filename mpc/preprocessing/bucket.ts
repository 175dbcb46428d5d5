import { createCipheriv } from 'node:crypto';
import { ByteWriter, concatBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Workspace } from '../bitkernels/load.ts';
import { tossCoin } from '../boolean/coin.ts';
import { xorAll } from '../boolean/tags.ts';
import { PolynomialHash } from '../boolean/universal-hash.ts';
import { checkZero, type Records } from './product-check.ts';
import type { Workbench } from './workbench.ts';

const ROW = 16;
const LANES = 128;
const CHUNK = 2048;
const WORDS = 16384;
/** A batch gives a leaky triple with probability at most 2^-40. */
const STATISTICAL_SECURITY = 40;
/** The smallest bucket for which batches may grow as large as there is memory for. */
const SMALLEST = 3;

/**
 * The least number of leaky triples to combine into each of `count`, such that none of the results is leaky but with probability
 * 2^-40. With c_b leaky triples in group b that all went unnoticed, some bucket is leaky throughout with probability at
 * most 2^-(c_0 + .. + c_(B-1)) * c_0 .. c_(B-1) / count^(B-1) <= 2^-B / count^(B-1) (docs/preprocessing.md §7).
 */
export function bucketSize(count: number): number {
  if (count < LANES) throw new Misuse('OUT_OF_RANGE', 'fewer triples than a lane');
  let size = SMALLEST;
  while (size + (size - 1) * Math.log2(count) < STATISTICAL_SECURITY) size++;
  return size;
}

/** The fewest results, in whole lanes, that buckets of `size` are safe for. */
export function fewestFor(size: number): number {
  return Math.ceil(2 ** ((STATISTICAL_SECURITY - size) / (size - 1)) / LANES) * LANES;
}

export interface Batch {
  readonly count: number;
  readonly size: number;
}

/**
 * Batches that make at least `count` triples, in whole lanes, from the fewest leaky ones: one batch, rounded up to where
 * a smaller bucket is safe if that is cheaper; several of equal size when one would take too much memory.
 */
export function planBatches(count: number): readonly Batch[] {
  if (count === 0) return [];
  const lanes = Math.ceil(count / LANES) * LANES;
  const least = fewestFor(SMALLEST);
  const parts = Math.max(1, Math.floor(lanes / least));
  const each = Math.ceil(lanes / parts / LANES) * LANES;
  const size = bucketSize(each);
  const larger = Array.from({ length: size - SMALLEST }, (_, i) => SMALLEST + i).map((smaller) => ({
    count: Math.max(each, fewestFor(smaller)),
    size: smaller,
  }));
  const best = [{ count: each, size }, ...larger].reduce((a, b) => (b.count * b.size < a.count * a.size ? b : a));
  return Array.from({ length: parts }, () => best);
}

/** Where results go: `count` rows from `first` on, of tags and packed bits. */
export interface Destination {
  readonly first: number;
  readonly a: { readonly tags: Uint8Array; readonly bits: Uint8Array };
  readonly b: { readonly tags: Uint8Array; readonly bits: Uint8Array };
  readonly c: { readonly tags: Uint8Array; readonly bits: Uint8Array };
}

/** Leaky triples that are combined with each other: `size` groups of `count` records, from record `at` on. */
export interface Bucketed extends Batch {
  readonly at: number;
  readonly to: Destination;
}

/**
 * Combines leaky triples, checked already, into triples that do not leak (docs/preprocessing.md §7; Nielsen et al., CRYPTO
 * 2012; Wang, Ranellucci, Katz, CCS 2017). Of each part, bucket j is triple j of the first group and one of each other group, by
 * permutations from a joint coin. Two triples with d = y' + y'' opened give
 *
 *     x = x' + x'',   y = y',   z = z' + z'' + d x''.
 *
 * The opened d are checked against their tags before this returns.
 *
 * Cost: eight rounds; count (size - 1) / 8 bytes for each part and 432 to each peer. Errors: `Abort MAC_CHECK`, which names nobody.
 */
export async function combineBuckets(
  bench: Workbench,
  round: string,
  records: Records,
  parts: readonly Bucketed[],
): Promise<void> {
  const { transport, broadcasts, random } = bench;
  const coin = await tossCoin(transport, `${round}/buckets/permutation`, random);
  let serial = 0;
  const groups = parts.map(({ count, size, at }) =>
    Array.from({ length: size - 1 }, (_, g) =>
      openGroup(bench.workspace, records, coin, serial++, at, count * (g + 1), count),
    ),
  );
  await openAll(bench, groups.flat());
  // All heard the same so far.
  await broadcasts.round(new Uint8Array(0));

  const key = (await tossCoin(transport, `${round}/buckets/weights`, random)).subarray(0, ROW);
  const hash = new PolynomialHash(key);
  parts.forEach((part, i) => fold(bench, records, part, groups[i]!, hash));
  await checkZero(bench, `${round}/buckets/zero`, 'MAC_CHECK', hash.finish());
}

/** One group's places in the buckets, and this party's shares of what is opened for it; then, in the same memory, what was. */
interface Group {
  readonly places: number;
  readonly opened: number;
  /** Packed bits: bytes of `opened`. */
  readonly bytes: number;
  /** The group's first record. */
  readonly base: number;
}

function openGroup(
  workspace: Workspace,
  { yBytes }: Records,
  coin: Uint8Array,
  serial: number,
  heads: number,
  offset: number,
  count: number,
): Group {
  const bytes = count / 8;
  const opened = workspace.take(bytes);
  const number = new ByteWriter().uint32(serial).finish();
  const seed = hashBytes(LABEL.expansion, Buffer.from('permutation'), number, coin);
  const places = permute(workspace, seed, count);
  workspace.kernels.openPartners(opened, yBytes + heads, places, offset, count);
  return { places, opened, bytes, base: heads + offset };
}

async function openAll({ broadcasts, workspace }: Workbench, groups: readonly Group[]): Promise<void> {
  const own = concatBytes(...groups.map(({ opened, bytes }) => workspace.view(opened, bytes)));
  const { messages } = await broadcasts.round(own);
  const sums = xorAll(messages);
  let at = 0;
  for (const { opened, bytes } of groups) workspace.write(opened, sums.subarray(at, (at += bytes)));
}

function fold(
  { workspace, setup }: Workbench,
  records: Records,
  { count, at, to }: Bucketed,
  groups: readonly Group[],
  hash: PolynomialHash,
): void {
  const { kernels } = workspace;
  const mark = workspace.mark();
  const [a, b, c, checked] = [0, 1, 2, 3].map(() => workspace.take(ROW * CHUNK)) as [number, number, number, number];
  const delta = workspace.take(ROW);
  const packed = workspace.take(CHUNK / 8);
  workspace.write(delta, setup.keyShare);
  for (let first = 0; first < count; first += CHUNK) {
    const n = Math.min(CHUNK, count - first);
    kernels.startBuckets(a, b, c, records.at, at + first, n);
    for (const { places, opened, base } of groups) {
      kernels.foldPartners(a, b, c, checked, records.at, places, opened, delta, first, base, n);
      hash.update(workspace.view(checked, ROW * n));
    }
    for (const [rows, out] of [
      [a, to.a],
      [b, to.b],
      [c, to.c],
    ] as const) {
      kernels.lowBits(packed, rows, n);
      out.tags.set(workspace.view(rows, ROW * n), ROW * (to.first + first));
      out.bits.set(workspace.view(packed, n / 8), (to.first + first) / 8);
    }
  }
  workspace.release(mark);
}

/** A uniform permutation of `count` places as 32-bit words in the workspace: Fisher-Yates, unbiased by rejection. */
export function permute(workspace: Workspace, seed: Uint8Array, count: number): number {
  const places = workspace.take(4 * count);
  const words = workspace.take(4 * WORDS);
  const cipher = createCipheriv('aes-256-ctr', seed, new Uint8Array(16));
  const zeros = new Uint8Array(4 * WORDS);
  workspace.kernels.countUp(places, count);
  for (let left = count - 1; left > 0;) {
    workspace.moveIn(words, cipher.update(zeros));
    left = workspace.kernels.shuffle(places, left, words, WORDS);
  }
  return places;
}
