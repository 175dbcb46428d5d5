import { ByteWriter } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { AuthenticatedBits, BLOCK_BITS, TAG_BYTES } from '../boolean/bits.ts';
import { collectNarrow, keyOf, sameFactors, WIDE } from '../boolean/holders.ts';
import { rosterOf, tossCoin } from '../boolean/coin.ts';
import type { StockDemand, Triples } from '../boolean/stock.ts';
import type { RandomSource, Transport } from '../transport.ts';
import { combineBuckets } from './bucket.ts';
import { compressTags, type FirstOf } from './compress.ts';
import { checkBlock } from './consistency.ts';
import { CHECK_BITS, Extension, type Block } from './cot.ts';
import { CorrelationHash } from './hash.ts';
import { cutBlocks, Layout, type Segment } from './layout.ts';
import { multiplyBlock } from './leaky-and.ts';
import { planTriples, type Part } from './plan.ts';
import { checkProducts, HIDING_BITS, RECORD_BYTES, type Records } from './product-check.ts';
import { PreparedStock } from './prepared-stock.ts';
import type { RosterSetup } from './setup.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

/** Leaky triples of a block: columns of 16 KiB for each of x and y; with its messages, about 20 MB a peer. */
const BLOCK_TRIPLES = 2 ** 17;
/** Random bits or masks of a block. */
const BLOCK_BITS_ALONE = 2 ** 17;

/** What one preparation makes its triples with. */
interface Line {
  readonly bench: Workbench;
  readonly extension: Extension;
  readonly hash: CorrelationHash;
}

/**
 * Makes at least what is needed, in whole lanes of 128, with the other parties of a roster and no dealer
 * (docs/preprocessing.md). All parties ask for the same. Malicious security against all but one of them: no input and no secret
 * but Delta_i is involved; after any `Abort` the setup must be destroyed.
 *
 * Cost: see docs/preprocessing.md §8; about 100 bytes a triple to each peer, 300 MB of memory for two million triples.
 * Errors: `Abort COT_CHECK`, `TRIPLE_CHECK`, `MAC_CHECK`, `COMMITMENT`, `EQUIVOCATION` (also when parties ask for different
 * things or hold setups of different sessions), `FORGED_FRAME`.
 */
export async function prepareStock(
  transport: Transport,
  setup: RosterSetup,
  random: RandomSource,
  need: StockDemand,
): Promise<PreparedStock> {
  if (setup.self !== transport.self || setup.roster.join() !== rosterOf(transport).join()) {
    throw new Misuse('OUT_OF_ORDER', 'the setup is of another roster than the session');
  }
  const bench = openWorkbench(transport, random, setup, 'prepare');
  bench.broadcasts.agreeOn(demandHash(setup.roster, need));
  await bench.broadcasts.round(new Uint8Array(0));
  const coin = await tossCoin(transport, 'prepare/coin', random);
  const line: Line = { bench, extension: new Extension(bench, coin), hash: new CorrelationHash(coin) };

  const triples = await makeTriples(line, planTriples(need, setup.roster.length));
  const randomBits = await makeRandom(line, lanes(need.random));
  const masks = await makeMasks(line, new Map([...need.masks].map(([owner, count]) => [owner, lanes(count)])));
  await bench.broadcasts.round(new Uint8Array(0));
  bench.workspace.close();
  return new PreparedStock(setup.keyShare, triples.wide, randomBits, masks, triples.narrow);
}

interface Made {
  readonly wide: Triples;
  /** By the key of their factors. */
  readonly narrow: ReadonlyMap<string, Triples>;
}

async function makeTriples(line: Line, batches: readonly (readonly Part[])[]): Promise<Made> {
  const shelves = new Map<string, { readonly triples: Triples; filled: number }>();
  for (const { factors } of batches.flat()) {
    const total = batches.flat().reduce((sum, part) => sum + (sameFactors(part.factors, factors) ? part.count : 0), 0);
    const key = keyOf(factors);
    if (!shelves.has(key)) {
      shelves.set(key, { triples: { a: fresh(total), b: fresh(total), c: fresh(total) }, filled: 0 });
    }
  }
  const { workspace } = line.bench;
  let serial = 0;
  for (const [i, parts] of batches.entries()) {
    const round = `prepare/batch-${i}`;
    const mark = workspace.mark();
    const segments = parts.map(({ factors, count, size }) => ({ factors, count: count * size }));
    const { records, hiding } = await makeLeaky(line, round, segments, serial);
    await checkProducts(line.bench, round, hiding, records);
    let at = 0;
    const filled = parts.map(({ factors, count, size }) => {
      const shelf = shelves.get(keyOf(factors))!;
      const bucketed = { count, size, at, to: { first: shelf.filled, ...shelf.triples } };
      shelf.filled += count;
      at += count * size;
      return bucketed;
    });
    await combineBuckets(line.bench, round, records, filled);
    workspace.release(mark);
    serial += records.count;
  }
  const narrow = new Map([...shelves].map(([key, { triples }]) => [key, triples]));
  const none = { a: fresh(0), b: fresh(0), c: fresh(0) };
  const wide = narrow.get(keyOf(WIDE)) ?? none;
  narrow.delete(keyOf(WIDE));
  return { wide, narrow };
}

/** Leaky triples in blocks, each with its bits checked before they are multiplied, and the bits that hide the check's sum. */
async function makeLeaky(
  { bench, extension, hash }: Line,
  round: string,
  segments: readonly Segment[],
  serial: number,
): Promise<{ records: Records; hiding: Uint8Array }> {
  const { workspace, setup } = bench;
  const count = segments.reduce((sum, segment) => sum + segment.count, 0);
  const records = { at: workspace.take(RECORD_BYTES * count), yBytes: workspace.take(count), count };
  const hiding = workspace.take(TAG_BYTES * HIDING_BITS);
  let first = 0;
  for (const [i, ofBlock] of cutBlocks(segments, BLOCK_TRIPLES).entries()) {
    const name = `${round}/block-${i}`;
    const mark = workspace.mark();
    const layout = new Layout(setup.roster, ofBlock);
    const block = await extension.block(`${name}/corrections`, (party) => layout.bitsOf(party));
    await checkBlock(bench, name, block);
    if (i === 0) compressTags(bench, block, (party) => layout.hiding(party), HIDING_BITS, hiding);
    const { x, y, z } = await multiplyBlock(bench, hash, `${name}/products`, block, layout, serial + first);
    workspace.kernels.fileTriples(records.at + RECORD_BYTES * first, records.yBytes + first, x, y, z, layout.count);
    workspace.release(mark);
    first += layout.count;
  }
  return { records, hiding: workspace.copy(hiding, TAG_BYTES * HIDING_BITS) };
}

async function makeRandom({ bench, extension }: Line, count: number): Promise<AuthenticatedBits> {
  const made = fresh(count);
  for (let first = 0; first < count; first += BLOCK_BITS_ALONE) {
    const name = `prepare/random-${first / BLOCK_BITS_ALONE}`;
    const mark = bench.workspace.mark();
    const n = Math.min(BLOCK_BITS_ALONE, count - first);
    const block = await extension.block(`${name}/corrections`, () => n + CHECK_BITS);
    await checkBlock(bench, name, block);
    made.bits.set(bench.workspace.view(block.bits.at, n / 8), first / 8);
    made.tags.set(
      tagsOf(bench, block, () => 0, n),
      TAG_BYTES * first,
    );
    bench.workspace.release(mark);
  }
  return made;
}

/** Only the owner has bits in its masks, so that nobody else can shift their values. */
async function makeMasks(
  { bench, extension }: Line,
  counts: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, AuthenticatedBits>> {
  const { self } = bench.transport;
  const made = new Map([...counts].map(([owner, count]) => [owner, fresh(count)]));
  const longest = Math.max(0, ...counts.values());
  for (let first = 0; first < longest; first += BLOCK_BITS_ALONE) {
    const name = `prepare/masks-${first / BLOCK_BITS_ALONE}`;
    const mark = bench.workspace.mark();
    const countOf = (owner: string): number =>
      Math.min(BLOCK_BITS_ALONE, Math.max(0, (counts.get(owner) ?? 0) - first));
    const block = await extension.block(`${name}/corrections`, (owner) =>
      countOf(owner) === 0 ? 0 : countOf(owner) + CHECK_BITS,
    );
    await checkBlock(bench, name, block);
    for (const [owner, masks] of made) {
      const n = countOf(owner);
      if (n === 0) continue; // Others have more, and this one's are all made.
      if (owner === self) masks.bits.set(bench.workspace.view(block.bits.at, n / 8), first / 8);
      masks.tags.set(
        tagsOf(bench, block, (party) => (party === owner ? 0 : undefined), n),
        TAG_BYTES * first,
      );
    }
    bench.workspace.release(mark);
  }
  return made;
}

function tagsOf(bench: Workbench, block: Block, firstOf: FirstOf, count: number): Uint8Array {
  const rows = bench.workspace.take(TAG_BYTES * count);
  compressTags(bench, block, firstOf, count, rows);
  return bench.workspace.view(rows, TAG_BYTES * count);
}

const lanes = (count: number): number => Math.ceil(count / BLOCK_BITS) * BLOCK_BITS;
const fresh = (count: number): AuthenticatedBits => AuthenticatedBits.zeros(count);

function demandHash(roster: readonly string[], need: StockDemand): Uint8Array {
  const stranger = [...need.masks.keys()].find((owner) => !roster.includes(owner));
  if (stranger !== undefined) throw new Misuse('OUT_OF_RANGE', `${stranger} is not of the roster`);
  const writer = new ByteWriter().uint32(need.triples).uint32(need.random);
  const narrow = collectNarrow(need.narrow ?? []);
  writer.uint32(narrow.length);
  for (const { factors, count } of narrow)
    writer
      .uint32(factors.a >>> 0)
      .uint32(factors.b >>> 0)
      .uint32(count);
  for (const party of roster) writer.uint32(need.masks.get(party) ?? 0);
  return hashBytes(LABEL.preparation, writer.finish());
}
